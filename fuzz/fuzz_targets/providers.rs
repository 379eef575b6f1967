//! Arbitrary text as `pg_session_jwt.providers`: no panic, no secret in a public setting, and no identity from a token that
//! none of its keys has signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pg_session_jwt_token::NumericDate;
use pg_session_jwt_token::discovery::Discovery;
use pg_session_jwt_token::validity::TokenId;
use pg_session_jwt_token::provider::{KeySource, MAX_PROVIDERS, parse, parse_public, urls};
use pg_session_jwt_token::{Error, Validity, key_url, verify_provider_token};

#[path = "../shapes.rs"]
#[allow(dead_code, reason = "each target has its kind of shapes")]
mod shapes;

/// `{"alg":"EdDSA"}`, `{"alg":"ES256"}`, `{"alg":"RS256"}` and `{"alg":"HS256"}`.
const HEADERS: [&str; 4] = [
    "eyJhbGciOiJFZERTQSJ9",
    "eyJhbGciOiJFUzI1NiJ9",
    "eyJhbGciOiJSUzI1NiJ9",
    "eyJhbGciOiJIUzI1NiJ9",
];

/// `{"iss":"a","aud":"b","sub":"c"}`.
const PAYLOAD: &str = "eyJpc3MiOiJhIiwiYXVkIjoiYiIsInN1YiI6ImMifQ";

fuzz_target!(init: shapes::write(&shapes::providers()), |text: &str| {
    let parsed = parse(text);
    let public = parse_public(text);
    let Ok(list) = parsed else {
        assert!(public.is_err());
        return;
    };
    let has_secret = |source: &KeySource| matches!(source, KeySource::Inline(set) if set.has_secret());
    assert_eq!(public.is_ok(), !list.iter().any(|provider| has_secret(&provider.source)));
    assert!(!list.is_empty() && list.len() <= MAX_PROVIDERS);
    for provider in &list {
        assert!(provider.issuer.is_some() || !provider.audience.is_empty());
    }
    for url in urls(&list) {
        match Discovery::from_name(&url) {
            Some(discovery) => assert!(discovery.documents().iter().all(|url| key_url::check(url).is_ok())),
            None => assert!(key_url::check(&url).is_ok()),
        }
    }
    let validity = Validity {
        now: NumericDate::from_micros(1_800_000_000_000_000),
        leeway: 60,
        jti: TokenId::Any,
    };
    let keys = |index: usize| match list.get(index).map(|provider| &provider.source) {
        Some(KeySource::Inline(set)) => Ok(set.as_ref()),
        _ => Err(Error::NoKeys),
    };
    for header in HEADERS {
        let token = format!("{header}.{PAYLOAD}.{}", "A".repeat(86));
        assert!(verify_provider_token(token.as_bytes(), &list, keys, &validity).is_err());
    }
});
