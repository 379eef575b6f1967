//! Slow providers: a session waits a limited time, and only for its own provider.

use std::io::Write as _;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::provider::Provider;
use testkit::session::{init, rejects, run, user_id};

use crate::support::jwks_faults::{
    Fault, NOT_AVAILABLE, NOT_FETCHED, before_and_after_a_good_set, condition, presenting, wait_until_good,
};
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

/// The other side decides how many steps TLS takes, and needs no certificate for the first ones.
#[test]
fn bytes_that_drip_below_tls_have_the_time_of_one_attempt() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://127.0.0.1:{}/keys", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                // The head of a handshake record of 16 KiB, and then its bytes.
                let mut sent = stream.write_all(b"\x16\x03\x03\x40\x00");
                while sent.is_ok() {
                    thread::sleep(Duration::from_millis(300));
                    sent = stream.write_all(b"\x02");
                }
            });
        }
    });
    let server = server_with(&[entry("a", &url)], "");
    let mut client = server.connect("template1", "postgres", "");
    let mut told = String::new();
    wait_until("the error", || {
        told = condition(&mut client, "a").1;
        ![NOT_FETCHED, ""].contains(&told.as_str())
    });
    assert!(told.contains("timeout"), "{told}");
}
