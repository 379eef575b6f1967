//! Unusual callers of the functions: operators, aggregates, domains, triggers, stored expressions.

use rstest::rstest;
use serde_json::{Value, json};

use super::scene::{MALLORY, Scene, WHO};

/// The same token function, called in an unusual way, accepts her token and rejects the forged one.
/// attack: 93
#[rstest]
#[case(
    "create operator pg_temp.@@@ (rightarg = text, function = auth.jwt_session_init)",
    "select operator(pg_temp.@@@) '{}'::text"
)]
#[case(
    "create operator pg_temp.@@@ (leftarg = text, rightarg = boolean, function = auth.jwt_session_init)",
    "select '{}'::text operator(pg_temp.@@@) true"
)]
#[case(
    "create aggregate pg_temp.last_token(text) (sfunc = textcat, stype = text, finalfunc = auth.jwt_session_init)",
    "select pg_temp.last_token(t) from (values ('{}'), ('')) t(t)"
)]
#[case(
    "create domain pg_temp.taken as text check (auth.jwt_session_init(value) is not null)",
    "select '{}'::pg_temp.taken"
)]
#[case(
    "create domain pg_temp.taken as text check (auth.jwt_session_init(value) is not null)",
    "do $x$ declare t pg_temp.taken := '{}'; begin t := t; end $x$"
)]
#[case("select 1", "select * from auth.jwt_session_init('{}')")]
#[case(
    "select 1",
    "select * from rows from (auth.jwt_session_init('{}'), auth.status()) with ordinality"
)]
#[case("select 1", "values (auth.jwt_session_init('{}')), (null)")]
#[case("select 1", "select case when auth.jwt_session_init('{}') is null then 1 end")]
#[case("select 1", "select auth.jwt_session_init('{}') from generate_series(1, 3)")]
fn unusual_calls(#[case] create: &str, #[case] call: &str) {
    let scene = Scene::shared();
    scene.visitor_gets(
        &[create, &call.replace("{}", "{hers}"), WHO],
        &json!([[MALLORY, "own"]]),
    );
    let forged = call.replace("{}", "{forged}");
    scene.visitor_gets(&[create, &forged], &json!("28000"));
    scene.mallory_gets(&[create, &forged], &json!("28000"));
}

/// attack: 93
#[rstest]
#[case("create aggregate pg_temp.a(boolean) (sfunc = auth.jwt_session_init, stype = text, initcond = 'x')", json!("42804"))]
#[case("create cast (text as void) with function auth.jwt_session_init(text)", json!("42809"))]
#[case("select auth.jwt_session_init(variadic array['{hers}'])", json!("42883"))]
#[case("select auth.user_id() over ()", json!("42809"))]
#[case("call auth.user_id()", json!("42809"))]
#[case("select 1 order by auth.jwt_session_init('{hers}')", json!("42883"))]
#[case("create temp table g (x text generated always as (auth.user_id()) stored)", json!("42P17"))]
#[case("create index on t ((auth.user_id()))", json!("42P17"))]
#[case("create index on t (x) where auth.user_id() = x", json!("42P17"))]
#[case("create temp table u (x text) partition by list ((auth.user_id()))", json!("42P17"))]
#[case("create trigger x before insert on t for each row execute function auth.user_id()", json!("42P17"))]
#[case("select auth.user_id() from generate_series(1, 2) group by rollup (auth.user_id()) order by 1", json!([[MALLORY], [null]]))]
#[case("select count(*) from auth.status() s, lateral auth.status() u", json!([["1"]]))]
#[case("insert into t values ('{bob}')", json!("23514"))]
#[case("insert into t default values returning x", json!([[MALLORY]]))]
#[case("select '{bob}'::pg_temp.hers", json!("23514"))]
#[case("select '{mallory}'::pg_temp.hers", json!([[MALLORY]]))]
fn stored_expressions(#[case] sql: &str, #[case] expected: Value) {
    let create = [
        "create temp table t (x text default auth.user_id(), check (x = auth.user_id()))",
        "create domain pg_temp.hers as text check (auth.user_id() = value)",
    ];
    Scene::shared().mallory_gets(&[&create[..], &[sql]].concat(), &expected);
}

/// A deferred trigger presents a token within the gateway's COMMIT.
/// attack: 93
#[rstest]
#[case("('{hers}', true)", json!([]))]
#[case("('{hers}', false)", json!([]))]
#[case("('{hers}', false), ('{forged}', false)", json!("28000"))]
fn a_token_at_commit(#[case] row: &str, #[case] expected: Value) {
    let insert = format!("insert into t values {row}");
    let statements = [
        "create temp table t (token text, is_local boolean)",
        "create function pg_temp.take() returns trigger language plpgsql as
             'begin perform auth.jwt_session_init(new.token, new.is_local); return null; end'",
        "create constraint trigger late after insert on t deferrable initially deferred
             for each row execute function pg_temp.take()",
        &insert,
    ];
    Scene::shared().visitor_gets(&statements, &expected);
}
