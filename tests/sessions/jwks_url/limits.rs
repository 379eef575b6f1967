//! Limits: the size of a provider's answer, the frequency of requests, and the keys that are used.

use std::thread;
use std::time::Instant;

use testkit::key_server::{Answer, KeyServer};
use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{init, one, rejects, rows, user_id};
use testkit::signer::Signer;

use crate::support::jwks_faults::{Fault, NOT_AVAILABLE, before_and_after_a_good_set, presenting, wait_until_good};
use crate::support::jwks_url::{entry, server_with};

const MAX_BYTES: usize = 256 * 1024;
const MAX_KEYS: usize = 100;

/// The provider's key set, padded with spaces.
fn of_length(provider: &Provider, bytes: usize) -> Answer {
    let set = provider.key_set();
    let spaces = " ".repeat(bytes - set.len());
    Answer::Body(set + &spaces)
}

/// The provider's key, and others with other names.
fn of_keys(provider: &Provider, keys: usize) -> Answer {
    let mut jwks: Vec<String> = (1..keys)
        .map(|number| Signer::ed25519().jwk(&format!(r#""kid":"other{number}""#)))
        .collect();
    jwks.push(provider.jwk());
    Answer::Body(format!(r#"{{"keys":[{}]}}"#, jwks.join(",")))
}

#[test]
fn a_set_at_the_limits_is_accepted() {
    let (long, many) = (Provider::new("long"), Provider::new("many"));
    let long_set = KeyServer::start(of_length(&long, MAX_BYTES));
    let many_keys = KeyServer::start(of_keys(&many, MAX_KEYS));
    let entries = [entry("long", &long_set.url()), entry("many", &many_keys.url())];
    let server = server_with(&entries, "");
    let mut client = server.connect("template1", "postgres", "");
    for provider in [&long, &many] {
        init(&mut client, &provider.token("alice"));
    }
    let usable = "select count(*) from auth.providers() where usable and issuer = 'many'";
    assert_eq!(one::<i64>(&mut client, usable), 100);
}

#[test]
fn set_beyond_the_limits_is_rejected() {
    let too_long = "response has more than 262144 bytes";
    before_and_after_a_good_set(&[
        Fault::new(too_long, |it, _| of_length(it, MAX_BYTES + 1)),
        Fault::new(too_long, |it, _| of_length(it, 10 * MAX_BYTES)),
        Fault::new(too_long, |_, _| Answer::Endless),
        Fault::new(&messages::not_a_key("it has more than 100 keys"), |it, _| {
            of_keys(it, MAX_KEYS + 1)
        }),
    ]);
}

#[test]
fn symmetric_key_of_a_url_is_not_used() {
    let (provider, secret) = (Provider::new("a"), Signer::hmac(32));
    let set = format!(
        r#"{{"keys":[{},{}]}}"#,
        secret.jwk(r#""kid":"secret","alg":"HS256""#),
        provider.jwk()
    );
    let keys = KeyServer::start(Answer::Body(set));
    let alone = KeyServer::start(Answer::Body(format!(
        r#"{{"keys":[{}]}}"#,
        secret.jwk(r#""kid":"secret""#)
    )));
    let server = server_with(&[entry("a", &keys.url()), entry("b", &alone.url())], "");
    let mut client = server.connect("template1", "postgres", "");
    let sign = |header: &str, issuer: &str| {
        let payload = format!(r#"{{"iss":"{issuer}","sub":"mallory"}}"#);
        presenting(&secret.token_with_header("HS256", header, payload))
    };
    // Tokens with an HMAC wait for no set.
    init(&mut client, &provider.token("alice"));
    let named = r#"{"alg":"HS256","kid":"secret"}"#;
    rejects(&mut client, &sign(named, "a"), "28000", messages::NO_KEY_OF_TOKEN);
    let unnamed = r#"{"alg":"HS256"}"#;
    rejects(&mut client, &sign(unnamed, "a"), "28000", messages::NAMES_NO_KEY);
    rejects(&mut client, &sign(named, "b"), NOT_AVAILABLE.0, NOT_AVAILABLE.1);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    wait_until_good(&mut client, "a");
    let shown = rows(
        &mut client,
        "select issuer, kid, kty, usable, reason, last_error from auth.providers()",
    );
    let symmetric = "it is a symmetric key; anyone who can read it can sign";
    let none = messages::no_usable_key(&format!("key 1, kid \"secret\": {symmetric}"));
    let expected = [
        ["a", "secret", "oct", "f", symmetric, ""],
        ["a", "k1", "OKP", "t", "", ""],
        ["b", "secret", "oct", "f", symmetric, &none],
    ];
    let shown: Vec<Vec<&str>> = shown
        .iter()
        .map(|row| row.iter().map(|value| value.as_deref().unwrap_or("")).collect())
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn many_sessions_refetch_a_set_within_the_limit() {
    let (good, bad) = (Provider::new("good"), Provider::new("bad"));
    let good_keys = KeyServer::start(Answer::Body(good.key_set()));
    let bad_keys = KeyServer::start(Answer::Body(bad.key_set()));
    let entries = [entry("good", &good_keys.url()), entry("bad", &bad_keys.url())];
    let server = server_with(&entries, "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &good.token("alice"));
    init(&mut client, &bad.token("alice"));
    assert_eq!((good_keys.requests(), bad_keys.requests()), (1, 1));
    bad_keys.answer(Answer::Status(500));
    let started = Instant::now();
    thread::scope(|scope| {
        for session in 0..10 {
            let (mut client, issuer) = (
                server.connect("template1", "postgres", ""),
                ["good", "bad"][session % 2],
            );
            scope.spawn(move || {
                for number in 0..10 {
                    let kid = format!("{session}-{number}");
                    let token = Provider::with_kid(issuer, &kid).token("mallory");
                    rejects(&mut client, &presenting(&token), "28000", messages::NO_KEY_OF_TOKEN);
                }
                assert_eq!(user_id(&mut client), None);
            });
        }
    });
    // One more fetch at least, and as many as the limit allows in this time; a failed fetch has three attempts.
    let most = 6 + usize::try_from(started.elapsed().as_secs() / 30).unwrap();
    assert!((2..=1 + most).contains(&good_keys.requests()));
    assert!((4..=1 + 3 * most).contains(&bad_keys.requests()));
    init(&mut client, &good.token("bob"));
    init(&mut client, &bad.token("bob"));
}

#[test]
fn max_age_is_honored_between_a_minute_and_an_hour() {
    let said = [
        ("", 300),
        ("Cache-Control: public\r\n", 300),
        ("Cache-Control: max-age=soon\r\n", 300),
        ("Cache-Control: max-age=3600\r\n", 3600),
        ("Cache-Control: max-age=999999\r\n", 3600),
        ("Cache-Control: max-age=99999999999999999999\r\n", 3600),
        ("Cache-Control: max-age=600\r\n", 600),
        ("cache-control: PUBLIC,  Max-Age=\"600\" , must-revalidate\r\n", 600),
        ("Cache-Control: public\r\nCache-Control: max-age=600\r\n", 600),
        // The time for which a cache has stored it counts.
        ("Cache-Control: max-age=600\r\nAge: 100\r\n", 500),
        ("Age: 3000\r\nCache-Control: max-age=3600\r\n", 600),
        ("Cache-Control: max-age=3600\r\nAge: 99999999999999999999\r\n", 60),
        ("Cache-Control: max-age=600\r\nAge: -1\r\n", 600),
        ("Age: 100\r\n", 300),
        ("Cache-Control: max-age=60\r\n", 60),
        ("Cache-Control: max-age=10\r\n", 60),
        ("Cache-Control: max-age=0\r\n", 60),
        ("Cache-Control: no-store\r\n", 60),
        ("Cache-Control: max-age=3600, no-cache\r\n", 60),
    ];
    let set = Provider::new("a").key_set();
    let keys = said.map(|(header, _)| KeyServer::start(Answer::With(header, set.clone())));
    let entries: Vec<String> = keys.iter().map(|it| entry(&it.url(), &it.url())).collect();
    let server = server_with(&entries, "");
    let mut client = server.connect("template1", "postgres", "");
    for (keys, (header, age)) in keys.iter().zip(said) {
        wait_until_good(&mut client, &keys.url());
        let seconds = format!(
            "select extract(epoch from next_refresh - fetched_at)::float8 from auth.providers() where issuer = '{}'",
            keys.url()
        );
        let seconds: f64 = one(&mut client, &seconds);
        let age = f64::from(age);
        assert!((age..age + 3.0).contains(&seconds), "{header:?}: {seconds}");
    }
}
