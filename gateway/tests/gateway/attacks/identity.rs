//! Becoming another user: by roles, after a failure or a rollback, or as the next user of the connection.

use rstest::rstest;
use serde_json::{Value, json};

use super::scene::{MALLORY, Scene, WHO, forged};
use crate::{BOB, token};

/// The answer of `WHO` to mallory.
fn mallory() -> Value {
    json!([[MALLORY, "own"]])
}

/// An identity for the session ends with the request.
/// attack: 68, 84
#[rstest]
#[case("select auth.jwt_session_init('{hers}')")]
#[case("select auth.jwt_session_init('{hers}', false)")]
#[case("select set_config('pg_session_jwt.jwt', '{hers}', false)")]
#[case("set session pg_session_jwt.jwt = '{hers}'")]
#[case("do $$ begin perform auth.jwt_session_init('{hers}'); end $$")]
fn a_session_left_logged_in(#[case] sql: &str) {
    let scene = Scene::shared();
    scene.mallory_gets(&[sql, WHO], &mallory());
    scene.visitor_gets(&[sql, WHO], &mallory());
    // Nor does it outlast an error.
    scene.visitor_gets(&[sql, "select 1 / 0"], &json!("22012"));
}

/// attack: 67, 73
#[rstest]
#[case(&["savepoint s", "select auth.jwt_session_init('{other}')", "rollback to s", WHO], mallory())]
#[case(&["savepoint s", "select auth.jwt_session_init('{other}')", "release s", WHO], json!([["other", null]]))]
#[case(&["savepoint s", "select auth.jwt_session_init('{other}', true)", "savepoint t", "reset all", "rollback to s", WHO], mallory())]
#[case(&["savepoint s", "reset pg_session_jwt.jwt", "rollback to s", WHO], mallory())]
#[case(&["savepoint s", "set role anonymous", "rollback to s", WHO], mallory())]
#[case(&["do $$ begin perform auth.jwt_session_init('{other}'); raise 'x'; exception when others then end $$", WHO], mallory())]
fn a_rollback_restores_her_identity(#[case] statements: &[&str], #[case] expected: Value) {
    Scene::shared().mallory_gets(statements, &expected);
}

/// attack: 73
#[rstest]
#[case(&["savepoint s", "select auth.jwt_session_init('{hers}')", "rollback to s", WHO])]
#[case(&["savepoint s", "select auth.jwt_session_init('{hers}', true)", "rollback to s", "release s", WHO])]
#[case(&["do $$ begin perform auth.jwt_session_init('{hers}'); raise 'x'; exception when others then end $$", WHO])]
fn a_rollback_restores_no_identity(#[case] statements: &[&str]) {
    Scene::shared().visitor_gets(statements, &json!([[null, null]]));
}

/// attack: 66, 74
#[rstest]
#[case("perform auth.jwt_session_init('{forged}')")]
#[case("perform auth.jwt_session_init('{forged}', true)")]
#[case("perform set_config('pg_session_jwt.jwt', '{forged}', true)")]
#[case("execute 'set pg_session_jwt.jwt = ''{forged}'''")]
#[case("begin perform auth.jwt_session_init('{forged}'); exception when division_by_zero then end")]
fn a_swallowed_rejection_changes_nothing(#[case] statement: &str) {
    let scene = Scene::shared();
    let swallowed = format!("do $$ begin {statement}; exception when others then end $$");
    scene.mallory_gets(&[&swallowed, WHO], &mallory());
    scene.visitor_gets(&[&swallowed, WHO], &json!([[null, null]]));
}

/// attack: 70
#[rstest]
#[case(&["set role postgres"], json!("42501"))]
#[case(&["set role pg_read_all_data"], json!("42501"))]
#[case(&["set session authorization postgres"], json!("42501"))]
#[case(&["set session authorization authenticated"], json!("42501"))]
#[case(&["select set_config('role', 'postgres', false)"], json!("42501"))]
#[case(&["update pg_settings set setting = 'postgres' where name = 'role'"], json!([]))]
#[case(&["set role anonymous", WHO], json!("42501"))]
#[case(&["reset role", WHO], json!("42501"))]
#[case(&["set role none", WHO], json!("42501"))]
#[case(&["set role anonymous", "set role authenticated", WHO], json!([[MALLORY, "own"]]))]
#[case(&["reset role", "set role authenticated", WHO], json!([[MALLORY, "own"]]))]
#[case(&["set session authorization default", "set role authenticated", WHO], json!([[MALLORY, "own"]]))]
fn roles(#[case] statements: &[&str], #[case] expected: Value) {
    Scene::shared().mallory_gets(statements, &expected);
}

/// attack: 71
#[rstest]
#[case("create function pg_temp.spy() returns text language sql security definer
            as $$ select string_agg(task, ' ') from public.todos $$", "select pg_temp.spy()", json!([["own"]]))]
#[case("create function pg_temp.become() returns text language plpgsql security definer set search_path = pg_catalog
            as $$ begin perform auth.jwt_session_init('{forged}'); return auth.user_id(); end $$", "select pg_temp.become()", json!("28000"))]
#[case("select 1", "select public.asked_by()", json!([[format!("postgres for {MALLORY}")]]))]
fn definer_functions(#[case] create: &str, #[case] call: &str, #[case] expected: Value) {
    Scene::shared().mallory_gets(&[create, call], &expected);
}

/// The login is the gateway's for every token.
/// attack: 114
#[test]
fn the_login_is_no_identity() {
    let scene = Scene::shared();
    let asked = "select session_user, auth.user_id()";
    scene.mallory_gets(&[asked], &json!([["jwt_gateway", MALLORY]]));
    scene.visitor_gets(&[asked], &json!([["jwt_gateway", null]]));
    scene.visitor_gets(&["reset role", asked], &json!([["jwt_gateway", null]]));
}

/// Nothing runs before or after a rejected token.
/// attack: 88
#[test]
fn a_rejected_token_stops_the_request() {
    let scene = Scene::shared();
    let insert = "insert into public.todos (task) values ('lost')";
    let present = "select auth.jwt_session_init('{forged}')";
    scene.mallory_gets(&[insert, present], &json!("28000"));
    scene.mallory_gets(&[present, insert], &json!("28000"));
    scene.mallory_gets(
        &[insert, "set pg_session_jwt.jwt = '{forged}'", insert],
        &json!("28000"),
    );
    let forged = forged();
    for role in ["authenticated", "anonymous"] {
        let answer = scene.answer(&scene.gateway.client(role, Some(&forged)), &["reset all", insert]);
        assert_eq!(answer, json!("28000"));
    }
    scene.mallory_gets(&[WHO], &mallory());
}

/// A token is its bearer's, until its `exp` and the leeway. So tokens live for minutes.
/// attack: 83
#[test]
fn a_stolen_token() {
    let scene = Scene::shared();
    let (stolen, late) = (token(BOB, 60), token(BOB, -60));
    let bob = json!([[BOB, "secret hidden"]]);
    assert_eq!(scene.answer(&scene.gateway.with(&stolen), &[WHO]), bob);
    assert_eq!(scene.answer(&scene.gateway.with(&late), &[WHO]), json!("28000"));
    scene.mallory_gets(&[&format!("select auth.jwt_session_init('{late}')")], &json!("28000"));
}
