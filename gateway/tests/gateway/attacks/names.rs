//! Names that resolve to other objects than expected.

use rstest::rstest;
use serde_json::{Value, json};

use super::scene::{MALLORY, Scene, WHO};

/// attack: 89, 90, 92, 118
#[rstest]
#[case("pg_temp", WHO, json!([[MALLORY, "own"]]))]
#[case("pg_temp, auth, public", WHO, json!([[MALLORY, "own"]]))]
#[case("pg_temp, pg_catalog, public", WHO, json!([[MALLORY, "own"]]))]
#[case("auth, pg_temp", WHO, json!([[MALLORY, "own"]]))]
// Not even by its bare name: PostgreSQL finds no function in the temporary schema.
#[case("pg_temp, auth", "select user_id()", json!([[MALLORY]]))]
fn a_policy_keeps_its_meaning(#[case] path: &str, #[case] sql: &str, #[case] expected: Value) {
    let statements = [
        "create function pg_temp.user_id() returns text language sql as $$ select '{bob}'::text $$",
        "create function pg_temp.equal(text, text) returns boolean language sql as 'select true'",
        "create operator pg_temp.= (leftarg = text, rightarg = text, function = pg_temp.equal)",
        "create function pg_temp.jwt_session_init(text, boolean) returns void language sql as 'select'",
        "create function pg_temp.set_config(text, text, boolean) returns text language sql as $$ select ''::text $$",
        &format!("set search_path = {path}"),
        sql,
    ];
    Scene::shared().mallory_gets(&statements, &expected);
}

/// attack: 89
#[rstest]
#[case("create temp table todos as select '{bob}' as user_id, 'forged' as task", "select task from todos", json!([["forged"]]))]
#[case("create temp table todos as select '{bob}' as user_id, 'forged' as task", "select task from public.todos", json!([["own"]]))]
#[case("create temp view todos as select * from public.todos", "select task from todos", json!([["own"]]))]
#[case("create temp table pg_class (relrowsecurity boolean)", WHO, json!([[MALLORY, "own"]]))]
fn a_temporary_object_hides_a_name_only_from_her(#[case] create: &str, #[case] sql: &str, #[case] expected: Value) {
    Scene::shared().mallory_gets(&[create, sql], &expected);
}

/// attack: 90, 91, 116, 118, 127, 128
#[rstest]
#[case("create function auth.user_id(x text default '{bob}') returns text language sql as 'select x'")]
#[case("create function auth.jwt_session_init(x unknown) returns void language sql as 'select'")]
#[case("create function auth.jwt_session_init(x varchar) returns void language sql as 'select'")]
#[case("create or replace function auth.user_id() returns text language sql as $$ select '{bob}'::text $$")]
#[case("create procedure auth.init(x int default 1) language sql as 'select'")]
#[case("create table auth.users (id int)")]
#[case("create view auth.user_id as select '{bob}'")]
#[case("create type auth.user_id as (x int)")]
#[case("create operator auth.= (leftarg = text, rightarg = text, function = texteq)")]
#[case("create function public.user_id() returns text language sql as $$ select '{bob}'::text $$")]
#[case("alter function auth.user_id() rename to was_user_id")]
#[case("alter function auth.user_id() owner to current_user")]
#[case("alter function auth.user_id() set schema public")]
#[case("alter function auth.user_id() immutable")]
#[case("alter function auth.user_id() leakproof")]
#[case("alter function auth.user_id() set pg_session_jwt.jwt = ''")]
#[case("drop function auth.user_id() cascade")]
#[case("comment on function auth.user_id() is 'x'")]
#[case("create schema auth")]
#[case("alter schema auth rename to was_auth")]
#[case("alter schema auth owner to current_user")]
#[case("drop schema auth cascade")]
#[case("drop extension pg_session_jwt cascade")]
#[case("alter extension pg_session_jwt set schema public")]
#[case("alter extension pg_session_jwt update")]
#[case("alter extension pg_session_jwt drop function auth.user_id()")]
#[case("drop owned by postgres")]
#[case("reassign owned by postgres to authenticated")]
#[case("create event trigger spy on ddl_command_end execute function auth.user_id()")]
fn nothing_of_the_extension_can_be_changed(#[case] sql: &str) {
    let scene = Scene::shared();
    scene.mallory_gets(&[sql], &json!("42501"));
    scene.mallory_gets(&["reset role", sql], &json!("42501"));
}

/// A GRANT without the right to it is a mere warning for those who have the privilege themselves.
/// attack: 90, 130
#[test]
fn nothing_of_the_extension_can_be_granted() {
    let scene = Scene::shared();
    let privileges = "select (select nspacl::text from pg_namespace where nspname = 'auth'),
                             (select string_agg(coalesce(proacl, acldefault('f', proowner))::text, ' ' order by oid)
                              from pg_proc where pronamespace = 'auth'::regnamespace)";
    let before = scene.answer(&scene.mallory(), &[privileges]);
    for sql in [
        "grant all on schema auth to current_user",
        "grant execute on function auth.user_id() to anonymous",
    ] {
        scene.mallory_gets(&[sql, privileges], &before);
    }
    for sql in [
        "grant execute on function auth.providers() to current_user",
        "grant execute on function auth.check() to public",
    ] {
        scene.mallory_gets(&[sql], &json!("42501"));
    }
    scene.mallory_gets(
        &[
            "revoke execute on function auth.user_id() from authenticated",
            privileges,
        ],
        &before,
    );
}
