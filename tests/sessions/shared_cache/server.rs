//! The size of the cache, servers without it, and their restart.

use testkit::server::{SHARED, Server};
use testkit::session::{one, rejects, rows, run, user_id};

use crate::shared_cache::support::{CACHED, CONF, ELSEWHERE, HERE, NEW, Session, origin, trusted};

/// The bytes that the server has reserved for the cache.
fn reserved(server: &Server) -> Option<i64> {
    let mut client = server.connect("postgres", "postgres", "");
    let size = "select max(size) from pg_shmem_allocations where name = 'pg_session_jwt_verified_tokens'";
    one(&mut client, size)
}

#[test]
fn the_default_is_8_mb_and_only_a_start_changes_it() {
    assert_eq!(reserved(&CACHED), Some(8 * 1024 * 1024));
    let mut client = CACHED.connect("template1", "postgres", "");
    let shown = "select setting, unit, context, boot_val, min_val, max_val from pg_settings
                 where name = 'pg_session_jwt.shared_cache'";
    let expected = ["8192", "kB", "postmaster", "8192", "0", "1048576"].map(|text| Some(text.to_owned()));
    assert_eq!(rows(&mut client, shown), [expected]);
    rejects(
        &mut client,
        "set pg_session_jwt.shared_cache = 0",
        "55P02",
        "parameter \"pg_session_jwt.shared_cache\" cannot be changed without restarting the server",
    );
}

#[test]
fn a_cache_of_any_size_works_and_0_is_none() {
    for (size, bytes, expected) in [
        ("0", None, NEW),
        ("1kB", Some(1024), NEW),
        ("17", Some(17 * 1024), NEW),
        ("18", Some(18 * 1024), ELSEWHERE),
        ("'100001kB'", Some(100_001 * 1024), ELSEWHERE),
    ] {
        let server = Server::start(&format!("{CONF}\npg_session_jwt.shared_cache = {size}"));
        assert_eq!(reserved(&server), bytes, "{size}");
        let (provider, database) = trusted(&server);
        let token = provider.token("alice");
        let mut session = Session::new(&server, &database);
        assert_eq!(session.origin(&token), NEW);
        assert_eq!(session.origin(&token), HERE);
        assert_eq!(origin(&server, &database, &token), expected, "{size}");
    }
}

#[test]
fn a_restart_empties_the_cache() {
    let mut server = Server::start(CONF);
    let (provider, database) = trusted(&server);
    let token = provider.token("alice");
    for expected in [NEW, ELSEWHERE] {
        assert_eq!(origin(&server, &database, &token), expected);
    }
    server.restart();
    for expected in [NEW, ELSEWHERE] {
        assert_eq!(origin(&server, &database, &token), expected);
    }
}

#[test]
fn without_preloading_there_is_no_cache() {
    let server = Server::start("log_min_messages = debug1\npg_session_jwt.shared_cache = 4096");
    let (provider, database) = trusted(&server);
    let token = provider.token("alice");
    for _ in 0..2 {
        let mut session = Session::new(&server, &database);
        assert_eq!(session.origin(&token), NEW);
        assert_eq!(user_id(&mut session.client).as_deref(), Some("alice"));
        // One configuration fits both.
        let shown = "select current_setting('pg_session_jwt.shared_cache')";
        assert_eq!(one::<String>(&mut session.client, shown), "4MB");
    }
    assert_eq!(reserved(&server), None);
    assert!(!server.log().contains("WARNING"), "{}", server.log());
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    run(&mut client, "select auth.user_id()");
    rejects(
        &mut client,
        "set pg_session_jwt.shared_cache = 0",
        "55P02",
        "parameter \"pg_session_jwt.shared_cache\" cannot be changed now",
    );
}

/// PostgreSQL reports an invalid value of an extension's setting, and starts with the default.
#[test]
fn a_size_out_of_range_is_not_applied() {
    for size in ["-1", "1048577", "'2GB'", "'x'"] {
        let server = Server::start(&format!("{CONF}\npg_session_jwt.shared_cache = {size}"));
        let log = server.log();
        let warning = log.lines().find(|line| line.contains("WARNING")).unwrap_or_default();
        assert!(warning.contains("\"pg_session_jwt.shared_cache\""), "{size}: {warning}");
        assert_eq!(reserved(&server), Some(8 * 1024 * 1024), "{size}");
    }
}
