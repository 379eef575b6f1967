//! A provider that is down: when it is retried, and that its known keys stay valid meanwhile.

use std::time::{Duration, Instant};

use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{init, one, rejects, user_id};

use crate::support::jwks_faults::{NOT_AVAILABLE, condition, presenting, reload, wait_until_good};
use crate::support::jwks_url::{entry, server_with};

#[test]
fn unreachable_provider_is_retried_every_few_seconds() {
    let provider = Provider::new("a");
    let port = KeyServer::start(Answer::Nothing).port();
    let url = format!("http://127.0.0.1:{port}/keys");
    let server = server_with(&[entry("a", &url)], "");
    let mut client = server.connect("template1", "postgres", "");
    let present = presenting(&provider.token("alice"));
    let started = Instant::now();
    rejects(&mut client, &present, NOT_AVAILABLE.0, NOT_AVAILABLE.1);
    assert!(started.elapsed() < Duration::from_secs(14));
    let started = Instant::now();
    rejects(&mut client, &present, NOT_AVAILABLE.0, NOT_AVAILABLE.1);
    assert!(started.elapsed() < Duration::from_secs(4));
    let (usable, error) = condition(&mut client, "a");
    assert!(!usable && !error.is_empty());
    let due = "select next_refresh between now() and now() + interval '10 seconds' and fetched_at is null and
               reason = 'there are no keys' from auth.providers()";
    assert!(one::<bool>(&mut client, due));
    let keys = KeyServer::start_at(port, Answer::Body(provider.key_set()));
    wait_until("the next try", || client.batch_execute(&present).is_ok());
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(keys.requests(), 1);
}

#[test]
fn provider_failure_keeps_keys_and_a_reload_retries() {
    let (provider, new) = (Provider::new("a"), Provider::with_kid("a", "k2"));
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let (port, url) = (keys.port(), keys.url());
    let server = server_with(&[entry("a", &url)], "");
    let mut living = server.connect("template1", "postgres", "");
    init(&mut living, &provider.token("alice"));
    drop(keys);
    let mut client = server.connect("template1", "postgres", "");
    let present_new = presenting(&new.token("bob"));
    rejects(&mut client, &present_new, "28000", messages::NO_KEY_OF_TOKEN);
    let (usable, error) = condition(&mut client, "a");
    assert!(usable && !error.is_empty());
    init(&mut client, &provider.token("carol"));
    assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
    assert_eq!(user_id(&mut living).as_deref(), Some("alice"));
    let keys = KeyServer::start_at(port, Answer::Body(new.key_set()));
    reload(&server);
    let started = Instant::now();
    // Without it the next attempt would follow after 10 seconds. No token asks for one.
    wait_until_good(&mut client, "a");
    assert!(started.elapsed() < Duration::from_secs(9));
    init(&mut client, &new.token("bob"));
    assert_eq!(keys.requests(), 1);
}

#[test]
fn fetch_has_three_attempts() {
    let provider = Provider::new("a");
    let steps = vec![Answer::Status(503), Answer::Nothing, Answer::Body(provider.key_set())];
    let keys = KeyServer::start(Answer::Steps(steps));
    let server = server_with(&[entry("a", &keys.url())], "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &provider.token("alice"));
    wait_until_good(&mut client, "a");
    assert_eq!(keys.requests(), 3);
    assert!(!server.log().contains("cannot be fetched"));
}
