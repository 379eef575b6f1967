//! The entries and evictions of the shared cache.

use testkit::provider::{Provider, database_on};
use testkit::server::Server;
use testkit::session::{init, run};

use super::support::{CONF, of_server};

fn counts(server: &Server) -> [f64; 2] {
    ["cache_entries", "cache_evictions"].map(|statistic| of_server(server, statistic, "is null"))
}

#[test]
fn entries_and_evictions_are_exact() {
    // One set of eight.
    let server = Server::start(&format!("{CONF}\npg_session_jwt.shared_cache = 18"));
    assert_eq!(counts(&server), [0.0, 0.0]);
    let provider = Provider::new("a");
    let database = database_on(&server, &[provider.entry("")], "");
    let mut client = server.connect(&database, "postgres", "");
    for (users, expected) in [
        (0..3, [3.0, 0.0]),
        (3..8, [8.0, 0.0]),
        (8..9, [8.0, 1.0]),
        (9..13, [8.0, 5.0]),
    ] {
        for user in users {
            let token = provider.token(&format!("user {user}"));
            init(&mut client, &token);
            init(&mut client, &token);
        }
        assert_eq!(counts(&server), expected);
    }
    run(&mut client, "select auth.reset_stats()");
    assert_eq!(counts(&server), [8.0, 0.0]);
}

#[test]
fn without_a_cache_both_are_0() {
    let server = Server::start(&format!("{CONF}\npg_session_jwt.shared_cache = 0"));
    let provider = Provider::new("a");
    let database = database_on(&server, &[provider.entry("")], "");
    init(&mut server.connect(&database, "postgres", ""), &provider.token("alice"));
    assert_eq!(counts(&server), [0.0, 0.0]);
}
