//! What the worker sends, and answers that are compressed, truncated, or ask it to wait.

use testkit::key_server::{Answer, KeyServer};
use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{init, one, rejection, user_id};

use crate::support::jwks_faults::{Fault, before_and_after_a_good_set, condition, presenting, wait_until_good};
use crate::support::jwks_url::{entry, server_with};

#[test]
fn request_asks_for_an_uncompressed_key_set() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::With("Content-Encoding: Identity\r\n", provider.key_set()));
    let server = server_with(&[entry("a", &keys.url())], "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &provider.token("alice"));
    let head = keys.heads().remove(0).to_ascii_lowercase();
    let lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines[0], "get /keys http/1.1");
    for line in [
        "accept: application/jwk-set+json, application/json",
        "accept-encoding: identity",
    ] {
        assert!(lines.contains(&line), "{head}");
    }
}

#[test]
fn compressed_and_truncated_answers_replace_no_set() {
    let chunked = |body: &str| {
        let length = body.len();
        Answer::Raw(format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n"
        ))
    };
    before_and_after_a_good_set(&[
        Fault::new(
            "response is compressed (gzip), although \"identity\" was requested",
            |it, _| Answer::With("Content-Encoding: gzip\r\n", it.key_set()),
        ),
        Fault::new(
            "response is compressed (br), although \"identity\" was requested",
            |it, _| Answer::With("Content-Encoding: identity\r\nContent-Encoding: br\r\n", it.key_set()),
        ),
        // The last chunk is missing.
        Fault::new("", move |it, _| chunked(&it.key_set())),
        // The end of the connection is the end of the body.
        Fault::new(messages::NOT_A_KEY, |it, _| {
            let set = it.key_set();
            Answer::Raw(format!("HTTP/1.0 200 OK\r\n\r\n{}", &set[..set.len() - 1]))
        }),
    ]);
}

/// The seconds until the next fetch.
fn next_refresh(client: &mut postgres::Client) -> f64 {
    let seconds = "select extract(epoch from min(next_refresh) - now())::float8 from auth.providers()";
    one(client, seconds)
}

#[test]
fn provider_that_wants_a_pause_gets_one() {
    let (provider, other) = (Provider::new("a"), Provider::with_kid("a", "k2"));
    let year = |at: i64| format!("HTTP/1.1 503 Busy\r\nRetry-After: Fri, 01 Jan {at} 00:00:00 GMT\r\n");
    for (head, least) in [
        ("HTTP/1.1 429 Busy\r\nRetry-After: 600\r\n".to_owned(), 600.0),
        ("HTTP/1.1 503 Busy\r\nRetry-After: 600\r\n".to_owned(), 600.0),
        ("HTTP/1.1 429 Busy\r\nRetry-After: 999999\r\n".to_owned(), 3600.0),
        ("HTTP/1.1 429 Busy\r\n".to_owned(), 30.0),
        (year(2100), 3600.0),
    ] {
        let keys = KeyServer::start(Answer::Body(provider.key_set()));
        let server = server_with(&[entry("a", &keys.url())], "");
        let mut client = server.connect("template1", "postgres", "");
        init(&mut client, &provider.token("alice"));
        keys.answer(Answer::Raw(format!("{head}Content-Length: 0\r\n\r\n")));
        // One attempt, and no further request for any token.
        for _ in 0..3 {
            let rejected = rejection(&mut client, &presenting(&other.token("mallory")));
            assert_eq!(rejected.message, messages::NO_KEY_OF_TOKEN);
        }
        assert_eq!(keys.requests(), 2, "{head}");
        let (usable, error) = condition(&mut client, "a");
        assert!(
            usable && error.starts_with("server returned HTTP status "),
            "{head}: {error}"
        );
        let seconds = next_refresh(&mut client);
        assert!((least - 25.0..=least + 1.0).contains(&seconds), "{head}: {seconds}");
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
        // An administrator need not wait.
        keys.answer(Answer::Body(other.key_set()));
        assert!(one::<bool>(&mut client, "select auth.refresh_providers()"));
        init(&mut client, &other.token("bob"));
        assert_eq!(keys.requests(), 3);
    }
}

#[test]
fn a_time_that_has_passed_is_no_pause() {
    let (provider, other) = (Provider::new("a"), Provider::with_kid("a", "k2"));
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let server = server_with(&[entry("a", &keys.url())], "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &provider.token("alice"));
    let past = "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT";
    keys.answer(Answer::Raw(format!(
        "HTTP/1.1 503 Busy\r\n{past}\r\nContent-Length: 0\r\n\r\n"
    )));
    rejection(&mut client, &presenting(&other.token("bob")));
    assert!(next_refresh(&mut client) <= 10.0);
    keys.answer(Answer::Body(other.key_set()));
    init(&mut client, &other.token("bob"));
    wait_until_good(&mut client, "a");
}
