//! Statements that try to reach the rows of others, with her identity and without one.

use rstest::rstest;
use serde_json::json;

use super::scene::Scene;

/// attack: 81, 86
#[rstest]
#[case("select task from public.todos", json!([]))]
#[case("update public.todos set task = 'x' returning task", json!([]))]
#[case("delete from public.todos returning task", json!([]))]
#[case("select task from public.todos where user_id = '{bob}' or auth.user_id() is null", json!([]))]
#[case("select task from public.todos for update", json!([]))]
#[case("select concat_ws(' ', auth.user_id(), auth.uid(), auth.organization(), auth.organization_id(), auth.role(),
        auth.email(), auth.session() ->> 'sub', auth.jwt() ->> 'sub')", json!([[""]]))]
#[case("insert into public.todos (user_id, task) values ('{bob}', 'forged')", json!("42501"))]
#[case("insert into public.todos (user_id, task) values (null, 'forged')", json!("42501"))]
#[case("insert into public.todos (task) values ('x')", json!("42501"))]
fn no_identity_sees_no_rows(#[case] sql: &str, #[case] expected: serde_json::Value) {
    Scene::shared().visitor_gets(&[sql], &expected);
}

/// attack: 81
#[rstest]
#[case("select task from only public.todos where user_id = '{bob}'")]
#[case("select task from public.todos where ctid = '(0,1)'")]
#[case("select task from public.todos tablesample system (100) where task <> 'own'")]
#[case("select task from public.todos where task <> 'own' for update skip locked")]
#[case("select t.task from public.todos t right join public.todos u on t.id <> u.id where t.task is not null")]
#[case("select task from public.todos where user_id = '{bob}' or true except select 'own'")]
#[case(
    "with recursive r as (select task from public.todos union select task from public.todos)
        select * from r where task <> 'own'"
)]
#[case("update public.todos set task = 'x' where user_id = '{bob}' returning task")]
#[case("update public.todos t set task = 'own' from public.todos u where u.user_id = '{bob}' returning u.task")]
#[case("delete from public.todos using (values ('{bob}')) v (u) where user_id = u returning task")]
#[case(
    "merge into public.todos t using (values ('{bob}')) v (u) on t.user_id = u
        when matched then update set task = 'x' when not matched then do nothing"
)]
fn no_statement_reaches_the_rows_of_others(#[case] sql: &str) {
    let scene = Scene::shared();
    scene.mallory_gets(&[sql], &json!([]));
}

/// A view of hers has no more rights than she has.
/// attack: 107
#[rstest]
#[case("create temp view v as select * from public.todos")]
#[case("create temp view v with (security_barrier) as select * from public.todos")]
#[case("create temp view v with (security_invoker = false) as select * from public.todos")]
fn views(#[case] create: &str) {
    let scene = Scene::shared();
    scene.mallory_gets(&[create, "select task from v"], &json!([["own"]]));
    scene.mallory_gets(
        &[create, "update v set task = 'x' where user_id = '{bob}' returning task"],
        &json!([]),
    );
    scene.visitor_gets(&[create, "select task from v"], &json!([]));
}

/// attack: 81, 108
#[rstest]
#[case("insert into public.todos (user_id, task) values ('{bob}', 'forged')")]
#[case("insert into public.todos (user_id, task) select '{bob}', 'forged' returning task")]
#[case("update public.todos set user_id = '{bob}'")]
#[case(
    "merge into public.todos t using (values ('{bob}')) v (u) on t.user_id = u
        when matched then delete when not matched then insert (user_id, task) values ('{bob}', 'forged')"
)]
#[case("create temp table child () inherits (public.todos)")]
#[case("create publication spy for table public.todos")]
#[case("select pg_create_logical_replication_slot('spy', 'test_decoding')")]
#[case("truncate public.todos")]
#[case("alter table public.todos disable row level security")]
#[case("alter table public.todos owner to current_user")]
#[case("create policy open on public.todos using (true)")]
#[case("alter policy own_todos on public.todos using (true)")]
#[case("drop policy own_todos on public.todos")]
#[case(
    "create trigger spy before insert on public.todos for each row execute function suppress_redundant_updates_trigger()"
)]
#[case("create rule spy as on select to public.todos do instead select 1")]
#[case("create table public.mine (id int references public.todos)")]
#[case("create statistics public.s on user_id, task from public.todos")]
#[case("create materialized view public.m as select * from public.todos")]
#[case("select last_value from public.todos_id_seq")]
#[case("select nextval('public.todos_id_seq')")]
#[case("create schema mine")]
#[case("set row_security = off; select * from public.todos")]
fn statements_without_policies(#[case] sql: &str) {
    let statements: Vec<&str> = sql.split("; ").collect();
    Scene::shared().mallory_gets(&statements, &json!("42501"));
}

/// Through a function or a block COPY has no client either.
/// attack: 109
#[rstest]
#[case("copy public.todos to stdout")]
#[case("copy (select * from public.todos) to stdout")]
#[case("copy public.todos from stdin")]
fn copy(#[case] sql: &str) {
    let scene = Scene::shared();
    scene.mallory_gets(&[sql], &json!("0A000"));
    scene.mallory_gets(&[&format!("do $$ begin execute '{sql}'; end $$")], &json!("0A000"));
    scene.visitor_gets(&[&format!("do $$ begin {sql}; end $$")], &json!("0A000"));
}
