//! Queries of many shapes. `$T` is a table, `$O` another, `$A` a condition on `t`, `$B` one on `u`.

/// Their rows come in any order.
pub const UNORDERED: [&str; 40] = [
    "select * from $T t where $A",
    "select t from $T t where $A and $A",
    "select id, (select auth.user_id() = t.user_id), $A from $T t where $A",
    "select x.id from (select t.id, $A as seen from $T t) x where seen",
    "select x.id from (select t.id, $A as seen from $T t where $A) x where seen is not true",
    "select id from (select * from $T t where $A offset 0) t where $A",
    "select t.id, u.id from $T t, $O u where t.user_id = u.user_id and $A and $B",
    "select t.id, u.id from $T t join $O u on t.id = u.id and $A where $B",
    "select t.id, u.id from $T t join $T u on t.n = u.n and $B where $A",
    "select t.id, u.id from $T t left join $O u on t.id = u.id and $B where $A",
    "select t.id, u.id from $T t left join $O u on t.id = u.id and $A",
    "select t.id, u.id from $T t left join $O u on t.id = u.id where $B",
    "select t.id, u.id from $O u left join $T t on t.user_id = u.user_id where $A",
    "select t.id, u.id from $T t left join ($O u join other v on u.id = v.id and $B) on t.id = u.id and $A",
    "select t.id, u.id from $T t right join $O u on t.n = u.n and $A where $B",
    "select t.id, u.id from $T t full join $O u on t.id = u.id where $A and $B",
    "select t.id, u.id from $T t full join $O u on t.id = u.id and $A",
    "select t.id, l.x from $T t, lateral (select count(*) x from $O u where u.n = t.n and $B and $A) l where $A",
    "select t.id, l.id from $T t
         left join lateral (select u.id from $O u where u.id > t.id and $B order by id limit 2) l on $A",
    "select user_id, count(*), sum(n) from $T t where $A group by user_id",
    "select user_id, flag, count(*) from $T t where $A group by rollup (user_id, flag)",
    "select user_id, count(*) from $T t where $A group by cube (user_id) having (select auth.user_id() = t.user_id)",
    "select count(*), min(id), bool_or(flag), count(*) filter (where $A) from $T t where $A",
    "select distinct user_id from $T t where $A",
    "select id, row_number() over (partition by user_id order by id), sum(n) over (order by id) from $T t where $A",
    "with m as materialized (select * from $T t where $A) select a.id from m a join m b using (id)",
    "with m as (select * from $O u where $B) select t.id, u.id from $T t left join m u on u.id = t.id and $B where $A",
    "with recursive r (id) as (select min(id) from $T t where $A
         union all select r.id + 5 from r join $O u on u.id = r.id + 5 where $B) select id from r",
    "select id from $T t where $A union select id from $O u where $B",
    "select id from $T t where $A except select id from $O u where $B",
    "select id from $T t where $A intersect all select id from $O u where $B",
    "select id from $T t where exists (select from $O u where u.id = t.id and $B)",
    "select id from $T t where not exists (select from $O u where u.user_id = t.user_id and $B and $A)",
    "select id from $T t where id in (select id from $O u where $B) or $A",
    "select id from $T t where id in (select id from $O u where $B)",
    "select id from $T t where id not in (select id from $O u where $B) and $A",
    "select id from $T t where n = (select max(n) from $O u where u.user_id = t.user_id and $B)",
    "select id from $T t where $A for update",
    "select t.id from $T t tablesample system (100) where ($A) is distinct from ($A)",
    "select id from $T t where array(select u.id from $O u where u.id = t.id and $B) = array[id] and $A",
];

/// Their rows come in one order only.
pub const ORDERED: [&str; 8] = [
    "select id, user_id from $T t where $A order by id",
    "select id from $T t where $A order by n desc nulls last, id limit 5",
    "select id from $T t where $A order by $A, id offset 2",
    "select id from $T t where $A order by user_id, id fetch first 3 rows only",
    "select distinct on (user_id) user_id, id from $T t where $A order by user_id, id",
    "select string_agg(user_id, ',' order by id) from $T t where $A",
    "select t.id, u.id from $T t left join $O u on u.user_id = t.user_id and $B order by t.id, u.id",
    "select id, lag(id) over (order by id) from $T t where $A order by id desc",
];
