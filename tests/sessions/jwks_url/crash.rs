//! The worker stops or crashes: sessions continue or reconnect, and the worker restarts.

use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{init, one, rejects, run, user_id};

use crate::support::jwks_url::{entry, server_with};
use crate::support::key_fetcher::{process, process_after, reload_after, stored_urls};

#[test]
fn killed_worker_restarts_the_server_and_keys_survive() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let (port, url) = (keys.port(), keys.url());
    let server = server_with(&[entry("a", &url)], "");
    let mut living = server.connect("template1", "postgres", "");
    init(&mut living, &provider.token("alice"));
    drop(keys);
    let mut worker = process(&server);
    for _ in 0..2 {
        server.kill(worker);
        // PostgreSQL's rule for any process with access to shared memory.
        living.batch_execute("select 1").unwrap_err();
        worker = process_after(&server, worker);
        living = server.connect("template1", "postgres", "");
        init(&mut living, &provider.token("bob"));
        assert_eq!(user_id(&mut living).as_deref(), Some("bob"));
        assert_eq!(stored_urls(&server), [url.as_str()]);
    }
    // The worker continues with the new shared memory, and sessions see what it fetches.
    let rotated = Provider::with_kid("a", "k2");
    let keys = KeyServer::start_at(port, Answer::Body(rotated.key_set()));
    run(&mut living, "select pg_reload_conf()");
    keys.wait_for_requests(1);
    wait_until("the new key", || {
        one::<String>(&mut living, "select string_agg(kid, ' ') from auth.providers()") == "k2"
    });
    rejects(&mut living, "select auth.user_id()", "28000", messages::NO_KEY_OF_TOKEN);
    init(&mut living, &rotated.token("carol"));
    assert_eq!(user_id(&mut living).as_deref(), Some("carol"));
}

#[test]
fn terminated_worker_restarts_and_sessions_continue() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let server = server_with(&[entry("a", &keys.url())], "");
    let mut living = server.connect("template1", "postgres", "");
    init(&mut living, &provider.token("alice"));
    let session = one::<i32>(&mut living, "select pg_backend_pid()");
    let mut worker = process(&server);
    for requests in 2..4 {
        assert!(one::<bool>(
            &mut living,
            &format!("select pg_terminate_backend({worker}, 30000)")
        ));
        assert_eq!(user_id(&mut living).as_deref(), Some("alice"));
        worker = process_after(&server, worker);
        keys.wait_for_requests(requests);
        init(&mut living, &provider.token("alice"));
        assert_eq!(user_id(&mut living).as_deref(), Some("alice"));
    }
    assert_eq!(one::<i32>(&mut living, "select pg_backend_pid()"), session);
    assert_eq!(keys.requests(), 3);
    // Its later fetches reach the same sessions.
    let rotated = Provider::with_kid("a", "k2");
    keys.answer(Answer::Body(rotated.key_set()));
    run(&mut living, &format!("select pg_terminate_backend({worker}, 30000)"));
    process_after(&server, worker);
    init(&mut living, &rotated.token("bob"));
    assert_eq!(user_id(&mut living).as_deref(), Some("bob"));
    // The new worker fetches when it starts, and once more if the unknown kid arrived meanwhile.
    assert!((4..=5).contains(&keys.requests()), "{}", keys.requests());
}

#[test]
fn worker_terminated_during_a_fetch_fetches_again() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Silence);
    let server = server_with(&[entry("a", &keys.url())], "");
    keys.wait_for_requests(1);
    let worker = process(&server);
    keys.answer(Answer::Body(provider.key_set()));
    let mut client = server.connect("template1", "postgres", "");
    assert!(one::<bool>(
        &mut client,
        &format!("select pg_terminate_backend({worker}, 30000)")
    ));
    process_after(&server, worker);
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(keys.requests(), 2);
}

#[test]
fn session_reports_that_the_worker_is_not_running() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let server = server_with(&[entry("a", &keys.url())], "max_worker_processes = 0");
    let mut client = server.connect("template1", "postgres", "");
    let present = format!("select auth.jwt_session_init('{}')", provider.token("alice"));
    rejects(&mut client, &present, "55000", messages::KEYS_NOT_AVAILABLE);
    let expected =
        "the background worker that fetches it is not running; see max_worker_processes and the server's log";
    assert_eq!(
        one::<String>(&mut client, "select last_error from auth.providers()"),
        expected
    );
}

#[test]
fn role_urls_wait_for_a_session_without_a_second_worker() {
    let (first, second) = (Provider::new("a"), Provider::new("b"));
    let [of_server, of_role] = [&first, &second].map(|it| KeyServer::start(Answer::Body(it.key_set())));
    // PostgreSQL's own launcher of logical replication has the other one.
    let server = server_with(&[entry("a", &of_server.url())], "max_worker_processes = 2");
    let mut living = server.connect("template1", "postgres", "");
    init(&mut living, &first.token("alice"));
    let mut admin = server.connect("postgres", "postgres", "");
    let providers = format!("pg_session_jwt.providers = '[{}]'", entry("b", &of_role.url()));
    run(&mut admin, "create role other login");
    reload_after(&mut admin, &format!("alter role other set {providers}"));
    let said =
        "the settings of databases and roles could not be read; the URLs in them are fetched when a session needs them";
    wait_until("the worker to give up", || server.log().matches(said).count() == 2);
    assert_eq!(user_id(&mut living).as_deref(), Some("alice"));
    assert_eq!(of_role.requests(), 0);
    let mut client = server.connect("template1", "other", "");
    init(&mut client, &second.token("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    assert_eq!((of_server.requests(), of_role.requests()), (1, 1));
}
