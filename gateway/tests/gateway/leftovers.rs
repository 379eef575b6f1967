//! What one request leaves on its connection to PostgreSQL, and the next, of another person, looks for.

use rstest::rstest;
use serde_json::{Value, json};

use crate::running::Gateway;
use crate::{ALICE, BOB, SERVER, database, token};

/// Each case: what alice leaves, what bob asks on the same connection, and the answer: rows, or an SQLSTATE.
/// attack: 78, 79, 87, 104
#[rstest]
#[case("set my.secret = 'a'", "select current_setting('my.secret', true)", json!([[""]]))]
#[case("create temporary table secret as select 1", "select * from pg_temp.secret", json!("42P01"))]
#[case("create function pg_temp.f() returns int language sql as 'select 1'", "select pg_temp.f()", json!("42883"))]
#[case("declare c cursor with hold for select 'a'", "fetch all from c", json!("34000"))]
#[case("prepare p as select 'a'", "execute p", json!("26000"))]
#[case("prepare p as select 'a'", "select count(*) from pg_prepared_statements", json!([["0"]]))]
#[case("select pg_advisory_lock(1)", "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()", json!([["0"]]))]
#[case("do $$ begin execute 'listen a'; end $$", "select count(*) from pg_listening_channels()", json!([["0"]]))]
#[case("insert into todos (task) values ('a')", "select lastval()", json!("55000"))]
#[case("insert into todos (task) values ('a')", "select currval('todos_id_seq')", json!("42501"))]
#[case("select setseed(0.5)", "select random() = 0.9851677175347999", json!([["f"]]))]
#[case("set role anonymous", "select current_user", json!([["authenticated"]]))]
#[case("set session authorization jwt_gateway", "select current_user, session_user", json!([["authenticated", "jwt_gateway"]]))]
#[case("set search_path = pg_temp", "show search_path", json!([["\"$user\", public"]]))]
#[case("set timezone = 'Asia/Tokyo'", "select current_setting('timezone') = 'Asia/Tokyo'", json!([["f"]]))]
#[case("set client_min_messages = 'debug5'", "show client_min_messages", json!([["notice"]]))]
#[case("set pg_session_jwt.jwt = 'x'", "select auth.user_id()", json!([[BOB]]))]
#[case("select 1/0", "select auth.user_id()", json!([[BOB]]))]
#[case("insert into todos (task) values (null)", "select auth.user_id()", json!([[BOB]]))]
fn nothing_is_left(#[case] left: &str, #[case] asked: &str, #[case] expected: Value) {
    let gateway = Gateway::start(&SERVER, &database(), &["--max-connections=1"]);
    let (alice, bob) = (token(ALICE, 600), token(BOB, 600));
    let (alice, bob) = (gateway.with(&alice), gateway.with(&bob));
    let before = bob.rows("select pg_backend_pid()");
    alice.query(left, &[]);
    let (status, body) = bob.query(asked, &[]);
    let answer = if status == 200 { &body["rows"] } else { &body["code"] };
    assert_eq!(*answer, expected, "{body}");
    assert_eq!(bob.rows("select pg_backend_pid()"), before, "another connection");
}

/// The same seed gives other numbers, because each request begins with a seed of the gateway.
#[test]
fn random_numbers_do_not_repeat() {
    let gateway = Gateway::start(&SERVER, &database(), &["--max-connections=1"]);
    let alice = token(ALICE, 600);
    let alice = gateway.with(&alice);
    let mut numbers: Vec<Value> = (0..20).map(|_| alice.rows("select random()")).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), 20);
}
