//! Slow providers: a session waits a limited time, and only for its own provider.

use std::time::{Duration, Instant};

use testkit::key_server::{Answer, KeyServer};
use testkit::provider::Provider;
use testkit::session::{init, rejects, run, user_id};

use crate::support::jwks_faults::{Fault, NOT_AVAILABLE, before_and_after_a_good_set, presenting, wait_until_good};
use crate::support::jwks_url::{entry, server_with};

#[test]
fn slow_answer_is_rejected() {
    before_and_after_a_good_set(&[
        Fault::new("", |_, _| Answer::Slow),
        Fault::new("", |_, _| Answer::Silence),
    ]);
}

#[test]
fn silent_provider_does_not_delay_other_providers() {
    let (silent, other) = (Provider::new("silent"), Provider::new("other"));
    let silence = KeyServer::start(Answer::Silence);
    let keys = KeyServer::start(Answer::Body(other.key_set()));
    let entries = [entry("silent", &silence.url()), entry("other", &keys.url())];
    let server = server_with(&entries, "");
    let mut client = server.connect("template1", "postgres", "");
    silence.wait_for_requests(1);
    let started = Instant::now();
    init(&mut client, &other.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    // Nor is a rotation, which the worker fetches while it waits for the other one.
    let new = Provider::with_kid("other", "k2");
    keys.answer(Answer::Body(new.key_set()));
    init(&mut client, &new.token("bob"));
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(silence.requests(), 1);

    let token = presenting(&silent.token("mallory"));
    let started = Instant::now();
    rejects(&mut client, &token, NOT_AVAILABLE.0, NOT_AVAILABLE.1);
    assert!(started.elapsed() < Duration::from_secs(14), "{:?}", started.elapsed());
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    wait_until_good(&mut client, "other");
}

#[test]
fn a_session_that_waits_can_be_cancelled() {
    let silence = KeyServer::start(Answer::Silence);
    let server = server_with(&[entry("a", &silence.url())], "");
    let mut client = server.connect("template1", "postgres", "");
    run(&mut client, "set statement_timeout = '200ms'");
    let started = Instant::now();
    rejects(
        &mut client,
        &presenting(&Provider::new("a").token("mallory")),
        "57014",
        "canceling statement due to statement timeout",
    );
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(user_id(&mut client), None);
}
