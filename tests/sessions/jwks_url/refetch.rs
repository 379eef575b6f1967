//! Keys that no longer fit: a token that they reject has them fetched again, within a limit, and is verified once more.

use std::time::Instant;

use testkit::key_server::{Answer, KeyServer};
use testkit::loading::ordinary_user;
use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{init, now, rejection, rejects, user_id};
use testkit::signer::{HMAC, P256, RSA, Signer};

use crate::support::jwks_faults::presenting;
use crate::support::jwks_url::{entry, server_with};
use crate::support::key_fetcher::rejects_init;

fn claims(sub: &str) -> String {
    format!(r#"{{"iss":"a","sub":"{sub}","exp":{}}}"#, now() + 60)
}

fn set(signer: &Signer, more: &str) -> String {
    format!(r#"{{"keys":[{}]}}"#, signer.jwk(more))
}

/// attack: 133
#[test]
fn key_that_changed_under_its_kid_is_fetched() {
    let (old, new) = (Provider::new("a"), Provider::new("a"));
    let keys = KeyServer::start(Answer::Body(old.key_set()));
    let server = server_with(&[entry("a", &keys.url())], "");
    let mut living = server.connect("template1", "postgres", "");
    init(&mut living, &old.token("alice"));
    keys.answer(Answer::Body(new.key_set()));
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &new.token("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    assert_eq!(keys.requests(), 2);
    // The identity of the replaced key has ended.
    rejects(
        &mut living,
        "select auth.user_id()",
        "28000",
        messages::INVALID_SIGNATURE,
    );
}

#[test]
fn keys_without_kid_or_of_another_algorithm_are_fetched() {
    let signers = [Signer::ed25519(), Signer::ed25519(), Signer::p256(), Signer::ed25519()];
    let algs = ["EdDSA", "EdDSA", "ES256", "EdDSA"];
    for (kid, header) in [("", ""), (r#""kid":"k1""#, r#","kid":"k1""#)] {
        let keys = KeyServer::start(Answer::Body(set(&signers[0], kid)));
        let server = server_with(&[entry("a", &keys.url())], "");
        let mut client = server.connect("template1", "postgres", "");
        // A new key, another algorithm, and an old one again. The third of these fetches waits for the limit.
        for (index, (signer, alg)) in signers.iter().zip(algs).enumerate() {
            keys.answer(Answer::Body(set(signer, kid)));
            let header = format!(r#"{{"alg":"{alg}"{header}}}"#);
            init(&mut client, &signer.token_with_header(alg, header, claims(alg)));
            assert_eq!(user_id(&mut client).as_deref(), Some(alg));
            assert_eq!(keys.requests(), index + 1);
        }
    }
}

#[test]
fn set_that_was_fetched_again_is_tried_once() {
    let (provider, mallory) = (Provider::new("a"), Provider::new("a"));
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let server = server_with(&[entry("a", &keys.url())], "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &provider.token("alice"));
    // A third key: the forged token fits neither set.
    let other = Provider::new("a");
    keys.answer(Answer::Body(other.key_set()));
    rejects_init(
        &mut client,
        &mallory.token("mallory"),
        "28000",
        messages::INVALID_SIGNATURE,
    );
    assert_eq!(keys.requests(), 2);
    init(&mut client, &other.token("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    assert_eq!(keys.requests(), 2);
}

#[test]
fn provider_that_changes_twice_is_not_locked_out() {
    let providers = ["k1", "k2", "k3"].map(|kid| Provider::with_kid("a", kid));
    let keys = KeyServer::start(Answer::Nothing);
    keys.answer(Answer::Body(providers[0].key_set()));
    let server = server_with(&[entry("a", &keys.url())], "");
    let mut client = server.connect("template1", "postgres", "");
    for (index, provider) in providers.iter().enumerate() {
        keys.answer(Answer::Body(provider.key_set()));
        init(&mut client, &provider.token(&format!("user {index}")));
        assert_eq!(user_id(&mut client), Some(format!("user {index}")));
        assert_eq!(keys.requests(), index + 1);
    }
}

/// attack: 9
#[test]
fn tokens_that_no_key_set_can_help_fetch_nothing() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let server = server_with(&[entry("a", &keys.url())], "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &provider.token("alice"));
    let rejected = |token: &str, sqlstate: &str, message: &str| {
        let mut client = server.connect("template1", "postgres", "");
        rejects_init(&mut client, token, sqlstate, message);
    };
    for alg in ["HS256", "HS384", "HS512"] {
        for (kid, message) in [("k1", messages::ALGORITHM_MISMATCH), ("k2", messages::NO_KEY_OF_TOKEN)] {
            let header = format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
            rejected(
                &HMAC.token_with_header(alg, header, claims("mallory")),
                "28000",
                message,
            );
        }
        rejected(&HMAC.token(alg, claims("mallory")), "28000", messages::NAMES_NO_KEY);
    }
    let unsigned = P256.token_with_header("ES256", r#"{"alg":"none","kid":"k2"}"#, claims("mallory"));
    rejected(&unsigned, "28000", messages::ALGORITHM_NOT_SUPPORTED);
    let expired = provider.token_with(r#""sub":"mallory","exp":1"#);
    rejected(&expired, "28000", messages::EXPIRED);
    rejected(&Provider::new("b").token("mallory"), "28000", messages::UNKNOWN_ISSUER);
    assert_eq!(keys.requests(), 1);
}

#[test]
fn algorithm_that_the_provider_excludes_fetches_nothing() {
    let keys = KeyServer::start(Answer::Body(set(&RSA, r#""kid":"k1""#)));
    let url = keys.url();
    let entry = format!(r#"{{"issuer":"a","jwks_url":"{url}","algorithms":"PS256"}}"#);
    let server = server_with(&[entry], "");
    let mut client = server.connect("template1", "postgres", "");
    let token = |alg: &str| {
        let header = format!(r#"{{"alg":"{alg}","kid":"k1"}}"#);
        RSA.token_with_header(alg, header, claims(alg))
    };
    init(&mut client, &token("PS256"));
    for alg in ["RS256", "PS384"] {
        rejects_init(&mut client, &token(alg), "28000", messages::ALGORITHM_MISMATCH);
    }
    assert_eq!(user_id(&mut client).as_deref(), Some("PS256"));
    assert_eq!(keys.requests(), 1);
}

/// The number in "... in at most N s.", at the end of a DETAIL.
fn next_fetch(detail: &str) -> Option<i64> {
    let (_, rest) = detail.split_once("The keys of the provider can be fetched again in at most ")?;
    rest.strip_suffix(" s.")?.parse().ok()
}

#[test]
fn flood_of_bad_tokens_costs_one_request_in_half_a_minute() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let server = server_with(&[entry("a", &keys.url())], "");
    let database = server.database();
    let user = ordinary_user(&server, &database);
    let mut clients = [(); 3].map(|()| server.connect(&database, &user, ""));
    init(&mut clients[0], &provider.token("alice"));
    let started = Instant::now();
    let mut rejected_early = 0;
    for n in 0..300 {
        let (bad, message, hint) = match n % 2 {
            0 => (Provider::new("a"), messages::INVALID_SIGNATURE, None),
            _ => (
                Provider::with_kid("a", "made up"),
                messages::NO_KEY_OF_TOKEN,
                Some("Present a new token; the provider may have retired the key."),
            ),
        };
        let rejected = rejection(&mut clients[n % 3], &presenting(&bad.token("mallory")));
        assert_eq!(
            (rejected.sqlstate.as_str(), rejected.message.as_str()),
            ("28000", message)
        );
        match rejected.detail.as_deref().and_then(next_fetch) {
            Some(seconds) => {
                rejected_early += 1;
                assert!((1..=31).contains(&seconds), "{seconds}");
                assert_eq!(
                    rejected.hint.as_deref(),
                    Some("If the provider has changed its keys, present the token again after that time.")
                );
            }
            None => assert_eq!(rejected.hint.as_deref(), hint),
        }
    }
    // One for the first fetch, and what the limit allows in the time that this machine took.
    let most = 1 + 6 + usize::try_from(started.elapsed().as_secs() / 30).unwrap();
    assert!((3..=most).contains(&keys.requests()), "{}", keys.requests());
    assert!(rejected_early > 0);
    assert_eq!(user_id(&mut clients[0]).as_deref(), Some("alice"));
    init(&mut clients[1], &provider.token("bob"));
}
