//! Drizzle's form at each position of a policy or a condition in a statement.

use testkit::server::major;
use testkit::session::run;

use super::support::{DRIZZLE, improves, improves_plan, plan, session};

#[test]
fn a_policy_uses_the_index_in_every_query() {
    let mut client = session(DRIZZLE);
    for sql in [
        "select id from todos where task like '%1%' order by task limit 3",
        "select is_public, count(*), sum(count(*)) over () from todos group by rollup (is_public)",
        "select id, row_number() over (order by id) from todos",
        "select id from todos for update",
        "with mine as (select * from todos) select id from mine",
        "with mine as materialized (select * from todos) select a.id from mine a join mine b using (id)",
        "with gone as (delete from todos returning id) select id from gone",
        "with recursive up (id) as (select min(id) from todos union all
             select up.id + 1000 from up where exists (select from todos t where t.id = up.id + 1000)) select id from up",
        "select id from (select * from todos offset 0) t",
        "select 1 where exists (select from todos)",
        "select (select count(*) from todos)",
        "select n.id from notes n where exists (select from todos t where t.id = n.todo)",
        "select n.id from notes n where n.todo in (select id from todos)",
        "select n.id from notes n join todos t on t.id = n.todo",
        "select n.id from todos t left join notes n on n.todo = t.id",
        "select a.id from todos a join todos b on a.id = b.id",
        "select t.id, c.count from todos t, lateral (select count(*) from notes n where n.todo = t.id) c",
        "select id from todos union select id from todos",
        "select id from todos intersect all select id from todos",
        "select id from todos where (select auth.user_id() = user_id)",
        "update todos t set task = n.id from notes n where n.todo = t.id returning t.id, task",
        "delete from todos t using notes n where n.todo = t.id returning t.id",
        "insert into todos (id, user_id) select id + 20000, user_id from todos returning id",
    ] {
        improves(&mut client, sql);
    }
}

#[test]
fn a_condition_of_the_client_uses_the_index_too() {
    let mut client = session("true");
    for sql in [
        "select id from notes where (select auth.user_id() = user_id)",
        "select id from notes n where (select n.user_id = auth.user_id()) and n.todo > 5000",
        "select id from notes where id > 5000 and not (select auth.user_id() <> user_id)
             and (select auth.user_id() = user_id)",
        "select t.id from todos t join notes n on n.todo = t.id and (select auth.user_id() = n.user_id)",
        "select t.id from todos t join notes n on n.todo = t.id and (select auth.user_id() = n.user_id) and t.id > 5000",
        "select n.id, t.id from notes n left join todos t on t.id = n.todo and (select auth.user_id() = t.user_id)
             where (select auth.user_id() = n.user_id)",
        "select n.id, t.id from notes n left join todos t on t.id = n.todo where (select auth.user_id() = t.user_id)",
        "select user_id from todos join notes using (user_id) where (select auth.user_id() = user_id)",
        "select t.id, n.id from todos t, lateral (select id from notes n
             where n.todo = t.id and (select auth.user_id() = n.user_id)) n where (select auth.user_id() = t.user_id)",
        "select t.id from todos t where exists (select from notes n
             where n.todo = t.id and (select auth.user_id() = n.user_id))",
        "update notes set todo = todo where (select auth.user_id() = user_id) returning id",
        "delete from notes where (select auth.user_id() = user_id) returning id",
    ] {
        improves(&mut client, sql);
    }
}

#[test]
fn the_check_of_a_written_row_is_no_sub_plan() {
    let mut client = session(DRIZZLE);
    for sql in [
        "insert into todos (id, user_id) values (20001, auth.user_id()) returning id",
        "insert into todos (id, user_id) values (20001, auth.user_id()), (20002, auth.user_id()) returning id",
        "insert into todos (id, user_id) values (1000, auth.user_id()) on conflict do nothing returning id",
        "insert into todos (id, user_id) values (1000, auth.user_id()) on conflict (id) do update set task = 'again'
             returning id, task",
        "insert into todos (id, user_id) values (1000, auth.user_id()), (20001, auth.user_id())
             on conflict (id) do update set task = 'again' where (select auth.user_id() = excluded.user_id)
             and (select auth.user_id() = todos.user_id) returning id, task",
    ] {
        improves_plan(&mut client, sql);
    }
}

#[test]
fn merge_uses_the_index() {
    let mut client = session(DRIZZLE);
    let by_source = "merge into todos t using (values (1000), (2000), (20001)) v (id) on t.id = v.id
        when not matched by source and (select auth.user_id() = t.user_id) then delete
        when not matched then insert (id, user_id) values (v.id, auth.user_id())
        when matched then update set task = 'merged' returning merge_action(), t.id";
    for sql in [
        "merge into todos t using notes n on t.id = n.todo and (select auth.user_id() = n.user_id)
             when matched and (select auth.user_id() = t.user_id) and n.id > 5000 then delete
             when matched and (select auth.user_id() = n.user_id) and t.id > 2000 then update set task = 'merged'
             when not matched and (select auth.user_id() <> n.user_id) then do nothing",
        "merge into todos t using (select id from todos) s on t.id = s.id
             when matched then update set task = 'merged'",
        by_source,
    ] {
        if sql != by_source || major() >= 17 {
            improves(&mut client, sql);
        }
    }
}

#[test]
fn views_partitions_and_children_use_the_index() {
    let mut client = session(DRIZZLE);
    run(
        &mut client,
        r#"reset role;
        create view seen with (security_invoker) as select id, user_id from todos;
        create view shut with (security_barrier, security_invoker) as select id, user_id from todos where id > 0;
        create view mine as select * from notes where (select auth.user_id() = user_id) with check option;
        create table parts (like todos, primary key (id, user_id)) partition by hash (user_id);
        create table part0 partition of parts for values with (modulus 2, remainder 0);
        create table part1 partition of parts for values with (modulus 2, remainder 1);
        create table parent (like todos including all);
        create table child (like todos including all) inherits (parent);
        create index on parts (user_id);
        insert into parts select * from todos;
        insert into parent select * from todos where id <= 10000;
        insert into child select * from todos where id > 10000;
        analyze parts, parent, child;
        alter table parts enable row level security;
        alter table parent enable row level security;
        create policy own on parts to authenticated using ((select auth.user_id() = "parts"."user_id"));
        create policy own on parent to authenticated using ((select auth.user_id() = "parent"."user_id"));
        grant all on seen, shut, mine, parts, parent, child to authenticated;
        set role authenticated"#,
    );
    for sql in [
        "select id from seen",
        "select id from seen where id > 5000 and (select auth.user_id() = user_id)",
        "update seen set id = -id returning id",
        "delete from seen returning id",
        "select id from shut",
        "select id from shut where (select auth.user_id() = user_id)",
        "select id from mine",
        "update mine set todo = todo + 1 returning id",
        "delete from mine returning id",
        "select id from parts",
        "update parts set task = 'new' returning id",
        "delete from parts returning id",
        "select id from parent",
        "update parent set task = 'new' returning id",
        "delete from parent returning id",
    ] {
        improves(&mut client, sql);
    }
    improves_plan(
        &mut client,
        "insert into mine values (20001, 1, auth.user_id()) returning id",
    );
    let children = plan(&mut client, "select id from parent");
    assert_eq!(
        children.matches("Index Cond: (user_id = auth.user_id())").count(),
        2,
        "{children}"
    );
}
