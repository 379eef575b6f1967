//! SQL that tries to leave its transaction, its role or its identity.

use std::sync::{LazyLock, Mutex, PoisonError};

use rstest::rstest;
use serde_json::json;
use testkit::server::Server;

use crate::running::Gateway;
use crate::{ALICE, BOB, SERVER, create_login, database, database_of, settings, token};

/// attack: 75
#[rstest]
#[case("commit")]
#[case("/* a */ -- b\n ; END")]
#[case("rollback")]
#[case("abort")]
#[case("begin")]
#[case("start transaction")]
#[case("prepare transaction 'a'")]
#[case("commit prepared 'a'")]
#[case("rollback and chain")]
fn transaction_control_is_rejected(#[case] sql: &str) {
    let gateway = Gateway::start(&SERVER, &database(), &["--max-connections=1"]);
    let alice = token(ALICE, 600);
    let alice = gateway.with(&alice);
    assert_eq!(alice.error(sql), "2D000");
    let insert = "insert into todos (task) values ('a')";
    let (status, body) = alice.batch(&[insert, sql, insert]);
    assert_eq!(
        (status, &body["code"], &body["queryIndex"]),
        (400, &json!("2D000"), &json!(1))
    );
    assert_eq!(alice.rows("select count(*) from todos"), json!([["0"]]));
}

/// A procedure or a DO block cannot end the gateway's transaction.
/// attack: 93, 140
#[rstest]
#[case("do $$ begin commit; end $$")]
#[case("do $$ begin rollback; end $$")]
#[case("call pg_temp.ends()")]
fn a_block_cannot_commit(#[case] sql: &str) {
    let gateway = Gateway::start(&SERVER, &database(), &["--max-connections=1"]);
    let alice = token(ALICE, 600);
    let alice = gateway.with(&alice);
    let create = "create procedure pg_temp.ends() language plpgsql as 'begin commit; end'";
    let (status, body) = alice.batch(&["insert into todos (task) values ('a')", create, sql]);
    assert_eq!((status, &body["code"]), (400, &json!("2D000")));
    assert_eq!(alice.rows("select count(*) from todos"), json!([["0"]]));
}

/// attack: 104, 109
#[rstest]
#[case("select 1; select 2", "42601")]
#[case("copy todos from stdin", "0A000")]
#[case("copy (select 1) to stdout", "0A000")]
#[case("listen a", "0A000")]
#[case("vacuum", "25001")]
#[case("create database a", "25001")]
#[case("discard all", "25001")]
#[case("select 1 \u{0}", "22032")]
fn statements_that_do_not_fit(#[case] sql: &str, #[case] code: &str) {
    let gateway = Gateway::start(&SERVER, &database(), &["--max-connections=1"]);
    let alice = token(ALICE, 600);
    let alice = gateway.with(&alice);
    assert_eq!(alice.error(sql), code);
    assert_eq!(alice.rows("select auth.user_id()"), json!([[ALICE]]));
}

/// The next request on the same connection to PostgreSQL is the next person's alone.
/// attack: 64, 70, 84
#[rstest]
#[case("reset role")]
#[case("set role anonymous")]
#[case("set session authorization default")]
#[case("select set_config('role', 'none', false)")]
#[case("select set_config('pg_session_jwt.jwt', '', false)")]
#[case("do $$ begin reset role; perform set_config('search_path', 'pg_temp', false); end $$")]
#[case("set session characteristics as transaction read only")]
#[case("set statement_timeout = '1min'")] // a shorter one could cancel this request's COMMIT
#[case("set client_encoding = 'LATIN1'")]
#[case("set pg_session_jwt.jwt = ''")]
#[case("reset all")]
fn the_next_request_is_the_next_persons(#[case] sql: &str) {
    let gateway = Gateway::start(&SERVER, &database(), &["--max-connections=1"]);
    let (alice, bob) = (token(ALICE, 600), token(BOB, 600));
    let (alice, bob) = (gateway.with(&alice), gateway.with(&bob));
    alice.query("insert into todos (task) values ('a')", &[]);
    let who = "select current_user, auth.user_id(), current_setting('transaction_read_only'), current_setting('client_encoding'),
               current_setting('statement_timeout'), current_setting('search_path'), pg_backend_pid() from
               (select count(*) from todos) counted";
    let before = bob.rows(who);
    assert_eq!(alice.query(sql, &[]).0, 200);
    assert_eq!(bob.rows(who), before);
    assert_eq!(before[0][1], json!(BOB));
    assert_eq!(bob.rows("select from todos"), json!([]));
}

/// Within the request, too, a user who leaves the role is only the login, which has nothing.
/// attack: 70
#[test]
fn the_login_has_nothing() {
    let gateway = Gateway::start(&SERVER, &database(), &["--max-connections=1"]);
    let alice = token(ALICE, 600);
    let (status, body) = gateway
        .with(&alice)
        .batch(&["reset role", "select count(*) from todos"]);
    assert_eq!((status, &body["code"]), (400, &json!("42501")));
    let (status, body) = gateway.with(&alice).batch(&["reset role", "select current_user"]);
    assert_eq!((status, &body["results"][1]["rows"]), (200, &json!([["jwt_gateway"]])));
}

/// A second token is verified like the first. A person who has two can act as both, as with two requests.
/// attack: 67, 83
#[test]
fn a_second_token_in_the_request() {
    let gateway = Gateway::start(&SERVER, &database(), &["--max-connections=1"]);
    let (alice, bob) = (token(ALICE, 600), token(BOB, 600));
    let with_bobs = format!("select auth.jwt_session_init('{bob}')");
    let (status, body) = gateway.with(&alice).batch(&[&with_bobs, "select auth.user_id()"]);
    assert_eq!((status, &body["results"][1]["rows"]), (200, &json!([[BOB]])));
    assert_eq!(
        gateway.with(&alice).error("select auth.jwt_session_init('a.b.c')"),
        "28000"
    );
    assert_eq!(gateway.with(&alice).rows("select auth.user_id()"), json!([[ALICE]]));
    assert_eq!(
        gateway.client("anonymous", None).rows("select auth.user_id()"),
        json!([[null]])
    );
}

/// Settings that a person stores for the login are not those of the next connection. This server is not shared: they are
/// settings of the login in all databases.
/// attack: 62
#[rstest]
#[case("search_path = evil")]
#[case("role = anonymous")]
#[case("statement_timeout = 1")]
#[case("idle_session_timeout = 1")]
#[case("default_transaction_read_only = on")]
#[case("client_encoding = 'LATIN1'")]
fn planted_settings_are_removed(#[case] setting: &str) {
    static ONE_BY_ONE: Mutex<()> = Mutex::new(());
    static OWN: LazyLock<(Server, String)> = LazyLock::new(|| {
        let server = Server::start(&settings());
        create_login(&server);
        let database = database_of(&server);
        (server, database)
    });
    let _turn = ONE_BY_ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (server, database) = &*OWN;
    let alice = token(ALICE, 600);
    let state = "select current_setting('search_path'), current_setting('statement_timeout'), current_user,
                 current_setting('transaction_read_only'), current_setting('client_encoding')";
    let before = {
        let gateway = Gateway::start(server, database, &["--max-connections=1"]);
        let before = gateway.with(&alice).rows(state);
        for scope in ["", &format!("in database {database}")] {
            let plant =
                format!("do $$ begin reset role; execute $s$alter role jwt_gateway {scope} set {setting}$s$; end $$");
            let (status, body) = gateway.with(&alice).query(&plant, &[]);
            assert_eq!(status, 200, "{body}");
        }
        before
    };
    let gateway = Gateway::start(server, database, &["--max-connections=1"]);
    assert_eq!(gateway.with(&alice).rows(state), before);
    let mut admin = server.connect(database, "postgres", "");
    let left = "select string_agg(array_to_string(setconfig, ','), ';') from pg_db_role_setting
                where setrole = 'jwt_gateway'::regrole";
    let left: String = admin.query_one(left, &[]).unwrap().get(0);
    assert_eq!(left, "track_activities=off,log_parameter_max_length=0");
}

/// What one person could do to the others as the login is closed by setup.sql.
/// attack: 105, 106, 110
#[rstest]
#[case("perform pg_terminate_backend(0)", "42501")]
#[case("perform pg_cancel_backend(0)", "42501")]
#[case("perform lo_create(0)", "42501")]
#[case("perform lo_from_bytea(0, '')", "42501")]
#[case("create table public.t ()", "42501")]
#[case("create schema s", "42501")]
#[case("create role r", "42501")]
#[case("set role postgres", "42501")]
#[case("set session authorization postgres", "42501")]
#[case("alter role jwt_gateway superuser", "42501")]
#[case("alter role jwt_gateway rename to x", "0A000")]
#[case("grant authenticated to anonymous", "42501")]
#[case("copy (select 1) to program 'true'", "42501")]
fn the_login_can_do_nothing(#[case] sql: &str, #[case] code: &str) {
    let gateway = Gateway::start(&SERVER, &database(), &["--max-connections=1"]);
    let block = format!("do $$ begin reset role; {sql}; end $$");
    assert_eq!(gateway.with(&token(ALICE, 600)).error(&block), code);
}

/// attack: 95
#[test]
fn the_sql_of_others_is_not_shown() {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let (alice, bob) = (token(ALICE, 600), token(BOB, 600));
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| gateway.with(&alice).query("select pg_sleep(1), 'secret'", &[]).0);
        std::thread::sleep(std::time::Duration::from_millis(300));
        let seen = "select count(*) from pg_stat_activity where usename = 'jwt_gateway' and query like '%secret%'";
        let (status, body) = gateway.with(&bob).batch(&["reset role", seen]);
        assert_eq!((status, &body["results"][1]["rows"]), (200, &json!([["0"]])));
        assert_eq!(sleeper.join().unwrap(), 200);
    });
}
