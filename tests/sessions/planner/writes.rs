//! Statements that write, as in [`super::reads`]; `$I` is the `id` of some row.

/// Each writes its rows in any order; the new ones are 1000 and more.
pub const WRITES: [&str; 19] = [
    "update $T t set n = coalesce(n, 0) + 10 where $A returning id, n",
    "update $T t set flag = not flag where $A returning *",
    "update $T t set user_id = 'alice' where $A and id = $I returning *",
    "update $T t set user_id = auth.user_id(), id = id + 1000 where id = $I and $A returning id, user_id",
    "update $T t set n = u.n from $O u where u.id = t.id and $A and $B returning t.id, u.id",
    "delete from $T t where $A returning *",
    "delete from $T t using $O u where u.id = t.id and $A and $B returning t.id, u.user_id",
    "insert into $T values (1001, auth.user_id(), 1, true) returning *",
    "insert into $T values (1001, 'bob', 2, false)",
    "insert into $T values (1001, null, null, null), (1002, auth.user_id(), 3, true) returning id",
    "insert into $T select id + 1000, user_id, n, flag from $O u where $B order by id returning id",
    "insert into $T as t values ($I, 'alice', 1, true)
         on conflict (id, user_id) do update set n = 99 where $A returning *",
    "insert into $T as t values ($I, auth.user_id(), 1, true) on conflict do nothing returning *",
    "insert into $T as t select id, user_id, 5, true from $O u where $B order by id
         on conflict (id, user_id) do update set n = excluded.n, flag = (select auth.user_id() = t.user_id)
         where $A and (select auth.user_id() = excluded.user_id or t.flag) returning id",
    "merge into $T t using $O u on t.id = u.id and $A
         when matched and $B then update set n = u.n
         when matched and $A then delete
         when not matched and $B then insert values (u.id + 1000, u.user_id, u.n, u.flag)",
    "merge into $T t using (select * from $O u where $B) u on t.id = u.id and (select auth.user_id() = t.user_id)
         when matched and $A then do nothing
         when matched then delete",
    "with gone as (delete from $T t where $A returning *) select * from gone t where $A",
    "with new as (insert into $T values (1001, auth.user_id(), 1, true) returning *)
         select u.id, t.id from $O u left join new t on $A where $B",
    "with more as (update $T t set n = 50 where $A returning *) select count(*) from more t join $O u using (id) where $B",
];

/// From PostgreSQL 17 on.
pub const MERGE_17: [&str; 2] = [
    "merge into $T t using (select * from $O u where $B) u on t.id = u.id and (select auth.user_id() = t.user_id)
         when matched and $A then update set n = 70
         when not matched by source and $A then delete
         returning merge_action(), t.id",
    "with m as (merge into $T t using $O u on t.id = u.id
         when matched and (select auth.user_id() = t.user_id) and $B then delete
         when not matched by target and (select auth.user_id() = u.user_id) then
             insert values (u.id + 1000, u.user_id, u.n, u.flag) returning t.id, t.user_id) select * from m",
];

/// From PostgreSQL 19 on.
pub const CONFLICT_19: [&str; 3] = [
    "insert into $T as t values ($I, 'alice', 1, true) on conflict (id, user_id) do select where $A returning *",
    "insert into $T as t select id, user_id, 5, true from $O u where $B order by id
         on conflict (id, user_id) do select for update
         where $A and (select auth.user_id() = excluded.user_id or t.flag) returning id, n",
    "with kept as (insert into $T as t values ($I, auth.user_id(), 1, true)
         on conflict (id, user_id) do select returning *)
         select u.id, t.n from $O u left join kept t on $A where $B",
];
