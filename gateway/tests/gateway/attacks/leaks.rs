//! Reading data of others: the token in errors and plans, rows that policies hide, and files of the server.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::forgeries::HEADER;

use super::scene::{MALLORY, Scene, victim};
use crate::{BOB, token};

/// Asserts that a text contains neither the payload nor the signature of a token.
#[track_caller]
pub fn hides(shown: &str, token: &str) {
    for part in token.split('.').skip(1).filter(|part| part.len() > 20) {
        let line = shown.lines().find(|line| line.contains(part)).unwrap_or_default();
        assert!(line.is_empty(), "{:.200}", line);
    }
}

/// attack: 47, 98
#[rstest]
#[case("{\"sub\":\"hidden\"}")]
#[case("{\"sub\":\"hidden\",\"exp\":\"hidden\"}")]
#[case("{\"sub\":\"hidden\"")]
#[case("{\"sub\":\"hidden\",\"hidden\":1e999999}")]
#[case("{\"sub\":\"hidden\",\"x\":\"hidden\\u0000\"}")]
#[case("{\"iss\":\"https://id.example/\",\"aud\":\"other\",\"sub\":\"hidden\"}")]
#[case("{\"iss\":\"https://id.example/\",\"aud\":\"todos\",\"sub\":\"hidden\",\"exp\":1}")]
fn no_rejection_shows_the_token(#[case] payload: &str) {
    let scene = Scene::shared();
    let token = victim().signed(HEADER, payload);
    let deep = "create function pg_temp.deep(token text) returns void language plpgsql as
                $$ begin execute 'select auth.jwt_session_init($1)' using token; end $$";
    let queries = |sql: &str| json!({"queries": [{"query": deep}, {"query": sql, "params": [token]}]});
    let answers = [
        scene.gateway.with(&token).query("select 1", &[]),
        scene.gateway.client("anonymous", Some(&token)).query("select 1", &[]),
        scene.mallory().post(&queries("select auth.jwt_session_init($1)"), &[]),
        scene
            .mallory()
            .post(&queries("select set_config('pg_session_jwt.jwt', $1, true)"), &[]),
        scene.mallory().post(&queries("select pg_temp.deep($1)"), &[]),
    ];
    for (status, body) in answers {
        let told = body.to_string();
        assert_eq!(status, 400, "{told}");
        hides(&told, &token);
        assert!(!told.contains("hidden"), "{told}");
    }
    scene.unharmed();
}

/// attack: 102
#[rstest]
#[case("explain (analyze, verbose, settings, costs off) select * from public.todos")]
#[case("explain (analyze, verbose, settings, format json) select * from public.todos where user_id = '{mallory}'")]
#[case("explain (analyze, verbose, settings) update public.todos set task = task")]
#[case("explain (analyze) select auth.user_id(), auth.session()")]
fn a_plan_shows_neither_token_nor_rows_of_others(#[case] explain: &str) {
    let scene = Scene::shared();
    let plan = scene.answer(&scene.mallory(), &[explain]).to_string();
    assert!(plan.to_lowercase().contains("actual"), "{plan}");
    hides(&plan, &scene.sql("{hers}"));
    assert!(!plan.contains("secret") && !plan.contains(BOB), "{plan}");
    scene.mallory_gets(
        &["explain analyze select auth.jwt_session_init('{forged}')"],
        &json!("28000"),
    );
}

/// attack: 94
#[rstest]
#[case("select * from public.todos where pg_temp.leak(task)")]
#[case("select * from public.todos where task operator(pg_temp.~~~) 'x'")]
#[case("select * from public.todos where pg_temp.leak(task) and user_id = '{bob}'")]
#[case("select count(*) from public.todos t, public.todos u where pg_temp.leak(u.task) or t.id = u.id")]
#[case("select * from public.todos order by pg_temp.leak(task)")]
#[case("update public.todos set task = task where pg_temp.leak(task)")]
#[case("delete from public.todos where pg_temp.leak(task) and false")]
#[case("merge into public.todos t using (select 1) s on pg_temp.leak(t.task) when matched then do nothing")]
#[case("select pg_temp.leak(secret) from public.docs where pg_temp.leak(secret)")]
fn a_leaky_function_sees_only_her_rows(#[case] sql: &str) {
    let statements = [
        "create temp table leaked (task text)",
        "create function pg_temp.leak(seen text) returns boolean language plpgsql cost 0.0000001 as
             'begin insert into leaked values (seen); return true; end'",
        "create function pg_temp.leaks(text, text) returns boolean language sql as 'select pg_temp.leak($1)'",
        "create operator pg_temp.~~~ (leftarg = text, rightarg = text, function = pg_temp.leaks)",
        sql,
        "select count(*) from leaked where task not in ('own', '7')",
    ];
    Scene::shared().mallory_gets(&statements, &json!([["0"]]));
}

/// Her own row is the only one that a condition reads.
/// attack: 94, 139
#[test]
fn a_condition_that_fails_tells_only_of_her_row() {
    let scene = Scene::shared();
    let (status, body) = scene.mallory().query(
        "select * from public.todos where task::int is null or task <> 'own'",
        &[],
    );
    assert_eq!((status, &body["code"]), (400, &json!("22P02")));
    let told = body.to_string();
    assert!(told.contains("own") && !told.contains("secret"), "{told}");
    let divided = "select task from public.todos where 1 / (case when task = 'secret' then 0 else 1 end) = 1";
    scene.mallory_gets(&[divided], &json!([["own"]]));
}

/// attack: 101, 105, 106, 110, 130
#[rstest]
#[case("select * from pg_backend_memory_contexts")]
#[case("select pg_log_backend_memory_contexts(pg_backend_pid())")]
#[case("select * from pg_ls_logdir()")]
#[case("select pg_read_file('log')")]
#[case("select pg_read_binary_file('/proc/self/environ')")]
#[case("select lo_import('/etc/passwd')")]
#[case("select lo_create(0)")]
#[case("select lo_from_bytea(0, 'x')")]
#[case("do $$ begin copy (select 1) to program 'true'; end $$")]
#[case("do $$ begin copy (select 1) to '/tmp/pg_session_jwt'; end $$")]
#[case("load '/tmp/mallory.so'")]
#[case("create function pg_temp.f() returns int language c as '/tmp/mallory.so'")]
#[case("create function pg_temp.f() returns internal language internal as 'user_id_wrapper'")]
#[case("create foreign data wrapper w")]
#[case("create language other handler plpgsql_call_handler")]
#[case("select * from pg_authid")]
#[case("select * from pg_statistic")]
#[case("select * from pg_user_mappings, pg_shadow")]
#[case("set log_statement = 'all'")]
#[case("select pg_cancel_backend(pg_backend_pid())")]
#[case("select pg_terminate_backend(pg_backend_pid())")]
#[case("select * from auth.check()")]
#[case("select * from auth.providers()")]
#[case("select pg_promote()")]
#[case("select pg_switch_wal()")]
fn ways_around_a_session(#[case] sql: &str) {
    let scene = Scene::shared();
    scene.mallory_gets(&[sql], &json!("42501"));
    scene.mallory_gets(&["reset role", sql], &json!("42501"));
}

/// attack: 103
#[rstest]
#[case("select count(*) from pg_stats where tablename = 'todos'", json!([["0"]]))]
#[case("select last_value from pg_sequences where sequencename = 'todos_id_seq'", json!([[null]]))]
#[case("insert into public.todos (id, task) values (1, 'x')", json!("428C9"))]
// An end user may lock what she may update, until her request ends.
#[case("lock table public.todos in access exclusive mode", json!([]))]
fn statistics_and_locks(#[case] sql: &str, #[case] expected: Value) {
    Scene::shared().mallory_gets(&[sql], &expected);
}

/// A transaction under way shows its locks, and neither its SQL nor its token.
/// attack: 95, 110
#[test]
fn another_session_shows_nothing() {
    let scene = Scene::shared();
    let second = Scene::shared();
    let bob = token(BOB, 600);
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| {
            second
                .gateway
                .with(&bob)
                .rows("select auth.user_id(), pg_sleep(0.6), 'secret'")
        });
        std::thread::sleep(std::time::Duration::from_millis(200));
        let seen = "select a::text from pg_stat_activity a where usename = 'jwt_gateway' or query <> ''";
        for role in ["set role authenticated", "reset role"] {
            let (status, body) = scene.mallory().batch(&[role, seen]);
            assert_eq!(status, 200, "{body}");
            let shown = body.to_string();
            assert!(shown.contains("jwt_gateway") && !shown.contains("secret"), "{shown}");
            hides(&shown, &bob);
        }
        sleeper.join().unwrap();
    });
    scene.mallory_gets(&["select auth.user_id()"], &json!([[MALLORY]]));
}
