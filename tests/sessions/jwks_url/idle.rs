//! The cost of the worker: none without a URL. It never blocks a database.

use std::fs;
use std::time::Duration;

use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{Proxy, init, rows, run, user_id};

use crate::support::jwks_url::entry;
use crate::support::key_fetcher::{NAME, process, reload_after, stored_urls};

const PRELOAD: &str = "shared_preload_libraries = 'pg_session_jwt'";

/// How often a process has gone to sleep (proc(5)).
fn sleeps(process: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.unwrap().trim().parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn worker_without_urls_sleeps_and_stores_nothing() {
    let server = Server::start(PRELOAD);
    let database = server.database();
    // Sessions of the other modes do not wake it.
    let mut proxy = Proxy::new();
    let mut client = proxy.session_on(&server, &database);
    let inline = Provider::new("a");
    let mut of_inline = server.connect(&database, "postgres", "");
    run(
        &mut of_inline,
        &format!("set pg_session_jwt.providers = '[{}]'", inline.entry("")),
    );
    let worker = process(&server);
    // First it reads the catalog once.
    wait_until("the worker to have nothing to do", || {
        let before = sleeps(worker);
        std::thread::sleep(Duration::from_millis(300));
        sleeps(worker) == before
    });
    let before = sleeps(worker);
    for _ in 0..30 {
        std::thread::sleep(Duration::from_millis(100));
        init(&mut client, &proxy.token_of("alice"));
        init(&mut of_inline, &inline.token("alice"));
    }
    assert_eq!(sleeps(worker), before);
    let seen = rows(
        &mut client,
        &format!(
            "select datname, usename, state, query, wait_event_type, wait_event
               from pg_stat_activity where backend_type = '{NAME}'"
        ),
    );
    let shown: Vec<Option<&str>> = seen[0].iter().map(Option::as_deref).collect();
    assert_eq!(shown[0], None, "{shown:?}");
    assert_eq!(shown[4..], [Some("Extension"), Some("Extension")], "{shown:?}");
    assert_eq!(seen.len(), 1);
    assert!(!server.directory().join("data/pg_session_jwt").exists());
    assert!(!server.log().contains("key set"), "{}", server.log());
}

#[test]
fn databases_are_dropped_and_copied_while_it_runs() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let server = Server::start(PRELOAD);
    let database = server.database();
    let mut admin = server.connect(&database, "postgres", "");
    for round in 0..2 {
        for n in 0..3 {
            // After a reload the settings of databases are read in database postgres.
            run(&mut admin, "select pg_reload_conf()");
            run(&mut admin, &format!("create database copy{n} template postgres"));
            run(&mut admin, &format!("create database other{n} template template1"));
            run(&mut admin, "select pg_reload_conf()");
            run(&mut admin, &format!("drop database copy{n}"));
            run(&mut admin, &format!("drop database other{n}"));
        }
        if round == 0 {
            let providers = format!("set pg_session_jwt.providers = '[{}]'", entry("a", &keys.url()));
            reload_after(&mut admin, &format!("alter system {providers}"));
            keys.wait_for_requests(1);
        }
    }
    // A database whose sessions use the keys can be dropped after they disconnect.
    run(&mut admin, "create database used");
    let mut client = server.connect("used", "postgres", "");
    init(&mut client, &provider.token("alice"));
    drop(client);
    run(&mut admin, "drop database used");
    assert_eq!(stored_urls(&server), [keys.url()]);
}

#[test]
fn settings_are_read_without_database_postgres() {
    let server = Server::start(PRELOAD);
    let database = server.database();
    let mut admin = server.connect(&database, "postgres", "");
    let (first, second) = (Provider::new("a"), Provider::new("b"));
    for (provider, issuer, gone) in [
        (&first, "a", "alter database postgres allow_connections false"),
        (&second, "b", "drop database postgres"),
    ] {
        let keys = KeyServer::start(Answer::Body(provider.key_set()));
        run(&mut admin, gone);
        let providers = format!("set pg_session_jwt.providers = '[{}]'", entry(issuer, &keys.url()));
        reload_after(&mut admin, &format!("alter database {database} {providers}"));
        keys.wait_for_requests(1);
        let mut client = server.connect(&database, "postgres", "");
        init(&mut client, &provider.token("alice"));
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    }
}
