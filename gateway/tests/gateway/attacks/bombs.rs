//! Statements that try to exhaust the server: too many, too deep, endless.

use rstest::rstest;
use serde_json::json;
use testkit::server::major;

use super::scene::{MALLORY, Scene, WHO};

// Row by row: a function in FROM would return all rows before the first is inspected.
/// attack: 111
#[rstest]
#[case(
    "select count(*) from (select generate_series(1, 2000000000) i) endless where auth.jwt_session_init('{hers}') is null"
)]
#[case(
    "select count(*) from (select generate_series(1, 2000000000) i) endless where auth.session() ->> i::text is not null"
)]
#[case(
    "select count(*) from (select generate_series(1, 2000000000) i) endless where (select issuer from auth.status() where i > 0) is null"
)]
#[case("do $$ begin loop perform set_config('pg_session_jwt.jwt', '{hers}', true); end loop; end $$")]
#[case(
    "do $$ begin loop
            begin perform auth.jwt_session_init('{forged}'); exception when others then end;
        end loop; end $$"
)]
fn a_loop_can_be_cancelled(#[case] sql: &str) {
    let scene = Scene::shared();
    scene.mallory_gets(&["set statement_timeout = '100ms'", sql], &json!("57014"));
    scene.mallory_gets(&[WHO], &json!([[MALLORY, "own"]]));
}

/// attack: 73
#[test]
fn deeply_nested_subtransactions() {
    let scene = Scene::shared();
    let deeper = "create function pg_temp.deeper(depth int) returns void language plpgsql as $$
        begin
            perform auth.jwt_session_init('{other}', depth % 2 = 0);
            if depth > 0 then perform pg_temp.deeper(depth - 1); else raise 'bottom'; end if;
        exception when raise_exception then
            if depth < 200 then raise 'up'; end if;
        end $$";
    scene.mallory_gets(&[deeper, "select pg_temp.deeper(200)", WHO], &json!([[MALLORY, "own"]]));
    let savepoints: Vec<String> = (0..400)
        .flat_map(|i| {
            let present = format!("select auth.jwt_session_init('{{other}}', {})", i % 2 == 0);
            [format!("savepoint s{i}"), present]
        })
        .collect();
    let savepoints: Vec<&str> = savepoints.iter().map(String::as_str).collect();
    let back = [&savepoints[..], &["rollback to s0", WHO]].concat();
    scene.mallory_gets(&back, &json!([[MALLORY, "own"]]));
    scene.visitor_gets(&back, &json!([[null, null]]));
    scene.mallory_gets(&[&savepoints[..], &["select 1 / 0"]].concat(), &json!("22012"));
}

/// attack: 111
#[rstest]
#[case("create function pg_temp.down(n int) returns int language plpgsql as
        $$ begin perform auth.user_id(), auth.session(), count(*) from public.todos; return pg_temp.down(n + 1); end $$")]
#[case(
    "create function pg_temp.down(n int) returns int language plpgsql as
        $$ begin perform auth.jwt_session_init('{hers}', true); return pg_temp.down(n + 1); end $$"
)]
fn endless_recursion(#[case] create: &str) {
    Scene::shared().mallory_gets(&[create, "select pg_temp.down(0)"], &json!("54001"));
}

/// attack: 142
#[rstest]
#[case("auth.user_id() = user_id", " and ", json!([["1"]]))]
#[case("(select auth.user_id() = user_id)", " and ", json!([["1"]]))]
#[case("(select auth.user_id() = user_id || '{}')", " or ", json!([["0"]]))]
#[case("user_id in (select auth.user_id())", " and ", json!([["1"]]))]
fn very_many_conditions(#[case] condition: &str, #[case] joined_by: &str, #[case] expected: serde_json::Value) {
    // PostgreSQL 19 itself plans 2000 sub-selects in 7 seconds, which 17 plans in 40 ms: it compares the names of all of them.
    let count = if major() >= 19 { 500 } else { 2000 };
    let conditions: Vec<String> = (0..count).map(|i| condition.replace("{}", &i.to_string())).collect();
    let sql = format!("select count(*) from public.todos where {}", conditions.join(joined_by));
    Scene::shared().mallory_gets(&["set statement_timeout = '10s'", &sql], &expected);
}
