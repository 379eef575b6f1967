//! Fetches of key sets, and those that have failed.

use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::provider::Provider;
use testkit::session::{init, one, run};

use super::support::of_server;
use crate::support::jwks_url::{entry, server_with};

#[test]
fn fetches_are_counted_by_their_url() {
    let (a, b) = (Provider::new("a"), Provider::new("b"));
    let [keys, other] = [&a, &b].map(|provider| KeyServer::start(Answer::Body(provider.key_set())));
    let server = server_with(&[entry("a", &keys.url()), entry("b", &other.url())], "");
    let counts = |keys: &KeyServer| {
        ["fetches", "failed_fetches"].map(|statistic| of_server(&server, statistic, &format!("= '{}'", keys.url())))
    };
    let mut client = server.connect("template1", "postgres", "");
    for provider in [&a, &b] {
        init(&mut client, &provider.token("alice"));
    }
    wait_until("the first fetches", || [&keys, &other].map(counts) == [[1.0, 0.0]; 2]);
    keys.answer(Answer::Status(500));
    let refresh = "select auth.refresh_providers()";
    assert!(!one::<bool>(&mut client, refresh));
    assert_eq!([&keys, &other].map(counts), [[2.0, 1.0], [2.0, 0.0]]);
    keys.answer(Answer::Body(a.key_set()));
    assert!(one::<bool>(&mut client, refresh));
    assert_eq!([&keys, &other].map(counts), [[3.0, 1.0], [3.0, 0.0]]);
    run(&mut client, "select auth.reset_stats()");
    assert_eq!([&keys, &other].map(counts), [[0.0, 0.0]; 2]);
    assert!(one::<bool>(&mut client, refresh));
    assert_eq!([&keys, &other].map(counts), [[1.0, 0.0]; 2]);
}
