//! A provider that is down, or whose answer is not a key set: no token is accepted by it, and no identity ends.
//!
//! A key set without a usable key differs, see [`withdrawn`](super::withdrawn).

use testkit::key_server::Answer;
use testkit::messages::{self, DISCOVERY_FOR_SET, KEY_FOR_SET};

use crate::support::jwks_faults::{Fault, before_and_after_a_good_set};

#[test]
fn invalid_key_set_admits_no_token_and_ends_no_identity() {
    let with = |jwk: &str, more: &str| format!(r#"{{"keys":[{},{more}}}]}}"#, jwk.trim_end_matches('}'));
    before_and_after_a_good_set(&[
        Fault::new("server returned HTTP status 404", |it, _| {
            Answer::StatusWith(404, it.key_set())
        }),
        Fault::new("server returned HTTP status 500", |it, _| {
            Answer::StatusWith(500, it.key_set())
        }),
        Fault::new("server returned HTTP status 201", |it, _| {
            Answer::StatusWith(201, it.key_set())
        }),
        Fault::new(messages::NOT_A_KEY, |_, _| Answer::Body("<html></html>".to_owned())),
        Fault::new(messages::NOT_A_KEY, |_, _| Answer::Body(String::new())),
        Fault::new(&messages::not_a_key("it has no array \"keys\""), |_, _| {
            Answer::Body(r#"{"Keys":[]}"#.to_owned())
        }),
        Fault::new(
            &format!("{KEY_FOR_SET} (It has \"kty\"; a key set has the array \"keys\")"),
            |it, _| Answer::Body(it.jwk()),
        ),
        Fault::new(
            &format!(
                "{DISCOVERY_FOR_SET} (It has \"jwks_uri\", the address of the key set); without \"jwks_url\", \"issuer\" \
                 alone leads to the keys"
            ),
            |_, _| Answer::Body(r#"{"issuer":"https://id.example/","jwks_uri":"https://id.example/keys"}"#.to_owned()),
        ),
        Fault::new("response is not UTF-8", |it, _| {
            let mut bytes = with(&it.jwk(), r#""name":"?""#).into_bytes();
            let place = bytes.iter().position(|byte| *byte == b'?').unwrap();
            bytes[place] = 0xff;
            Answer::Bytes(bytes)
        }),
        Fault::new("", |it, _| Answer::Cut(it.key_set())),
        Fault::new("", |_, _| Answer::Nothing),
    ]);
}
