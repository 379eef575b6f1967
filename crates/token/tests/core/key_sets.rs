//! RFC 7517 §5: the usable keys of a set are used; the others are skipped and reported with the reason.

use pg_session_jwt_token::algorithm::Algorithm;
use pg_session_jwt_token::key_problem::reasons;
use pg_session_jwt_token::keys::Key;
use pg_session_jwt_token::limits::MAX_KEY_SET_BYTES;
use pg_session_jwt_token::{Error, Excerpt, KeyProblem, KeySet};

use crate::sign::{ED25519, HMAC, P256, P384, RSA, problems, set, without_position};

fn not_a_set(problem: &str) -> Option<Error> {
    let problem = problem.to_owned();
    Some(Error::KeyNotJson { problem })
}

/// attack: 8, 45
#[test]
fn unusable_members_are_skipped_and_reported_by_index() {
    let keys = set(&[
        ED25519.jwk(r#""use":"enc","kid":"0""#),
        ED25519.jwk(r#""kid":"1""#),
        RSA.jwk(r#""alg":"RSA-OAEP","kid":"2""#),
        r#"{"kty":"AKP","alg":"ML-DSA-44","kid":"3"}"#.to_owned(),
        P256.jwk(r#""kid":"4","key_ops":["verify"]"#),
        "7".to_owned(),
        P384.jwk(r#""kid":"6","d":"AA""#),
        r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#.to_owned(),
        "null".to_owned(),
        HMAC.jwk(r#""kid":"9""#),
    ])
    .unwrap();
    let expected = [
        (0, KeyProblem::Use),
        (2, KeyProblem::Algorithm),
        (3, KeyProblem::KeyType),
        (5, KeyProblem::NotAnObject),
        (6, KeyProblem::Private("d")),
        (7, KeyProblem::Curve),
        (8, KeyProblem::NotAnObject),
    ];
    assert_eq!(keys.skipped(), expected);
    for (kid, alg) in [
        ("1", Algorithm::EdDSA),
        ("4", Algorithm::ES256),
        ("9", Algorithm::HS256),
    ] {
        assert!(keys.select(Some(kid), alg).is_ok(), "{kid}");
    }
    for kid in ["0", "2", "3", "6"] {
        assert!(keys.select(Some(kid), Algorithm::EdDSA).is_err(), "{kid}");
    }
}

/// attack: 45
#[test]
fn a_set_without_a_usable_key_is_rejected() {
    assert_eq!(problems(set(&[])), []);
    assert_eq!(problems(set(&["{}".to_owned()])), [KeyProblem::Member("kty")]);
    let enc = RSA.jwk(r#""use":"enc""#);
    assert_eq!(
        problems(set(&[enc.clone(), "[]".to_owned(), enc])),
        [KeyProblem::Use, KeyProblem::NotAnObject, KeyProblem::Use]
    );
}

#[test]
fn a_set_is_an_object_with_an_array_of_keys() {
    let missing = not_a_set("it has no array \"keys\"");
    for text in [
        "{}",
        r#"{"keys":null}"#,
        r#"{"keys":{}}"#,
        r#"{"keys":"[]"}"#,
        r#"{"Keys":[]}"#,
    ] {
        assert_eq!(KeySet::from_jwks(text).err(), missing, "{text}");
    }
    assert_eq!(KeySet::from_jwks("[]").err(), not_a_set("it is not an object"));
    for text in ["", "<html></html>"] {
        let rejected = KeySet::from_jwks(text).err();
        assert!(
            matches!(rejected, Some(Error::KeyNotJson { .. })),
            "{text}: {rejected:?}"
        );
    }
    let jwk = ED25519.jwk("");
    let more = format!(r#" {{ "status_code": 200, "request_id": "r", "keys": [ {jwk} ], "x": [[]] }} "#);
    assert!(KeySet::from_jwks(&more).is_ok());
    let twice = format!(r#"{{"keys":[{jwk}],"keys":[]}}"#);
    let rejected = KeySet::from_jwks(&twice).err().map(without_position);
    assert_eq!(rejected, not_a_set("an object has the same member twice"));
}

/// attack: 46
#[test]
fn a_set_has_at_most_100_keys() {
    let keys: Vec<String> = (0..101).map(|kid| ED25519.jwk(&format!(r#""kid":"{kid}""#))).collect();
    let hundred = set(&keys[..100]).unwrap();
    assert!(hundred.select(Some("99"), Algorithm::EdDSA).is_ok());
    assert_eq!(set(&keys).err(), not_a_set("it has more than 100 keys"));
    let unusable = vec!["1".to_owned(); 101];
    assert_eq!(set(&unusable).err(), not_a_set("it has more than 100 keys"));
    assert_eq!(problems(set(&unusable[..100])), vec![KeyProblem::NotAnObject; 100]);
}

#[test]
fn a_text_of_256_kib_is_read_and_a_byte_more_is_not() {
    assert_eq!(MAX_KEY_SET_BYTES, 262_144);
    let jwk = ED25519.jwk("");
    let padded = |text: &str, bytes: usize| format!("{}{text}", " ".repeat(bytes - text.len()));
    assert!(Key::from_public_jwk(&padded(&jwk, 262_144)).is_ok());
    let too_long = Some(Error::KeySetTooLong { bytes: 262_145 });
    assert_eq!(Key::from_public_jwk(&padded(&jwk, 262_145)).err(), too_long);
    let jwks = format!(r#"{{"keys":[{jwk}]}}"#);
    assert!(KeySet::from_jwks(&padded(&jwks, 262_144)).is_ok());
    assert_eq!(KeySet::from_jwks(&padded(&jwks, 262_145)).err(), too_long);
}

#[test]
fn a_set_that_others_can_read_has_no_symmetric_key() {
    let jwks = format!(
        r#"{{"keys":[{},{}]}}"#,
        HMAC.jwk(r#""kid":"a""#),
        ED25519.jwk(r#""kid":"b""#)
    );
    let keys = KeySet::from_public_jwks(&jwks).unwrap();
    assert_eq!(keys.skipped(), [(0, KeyProblem::Symmetric)]);
    assert!(keys.select(Some("b"), Algorithm::EdDSA).is_ok());
    assert!(keys.select(Some("a"), Algorithm::HS256).is_err());
    let alone = format!(r#"{{"keys":[{}]}}"#, HMAC.jwk(""));
    assert_eq!(problems(KeySet::from_public_jwks(&alone)), [KeyProblem::Symmetric]);
    assert!(KeySet::from_jwks(&alone).is_ok());
}

#[test]
fn every_member_is_reported_with_its_names_and_its_problem() {
    let keys = set(&[
        RSA.jwk(r#""kid":"a","alg":"RS256","use":"sig""#),
        RSA.jwk(r#""kid":"b","alg":"RSA-OAEP","use":"enc""#),
        r#"{"kty":7,"kid":"c\u202e"}"#.to_owned(),
        "[]".to_owned(),
        P256.jwk(""),
    ])
    .unwrap();
    let text = |text: &Option<Excerpt>| text.as_ref().map_or("-".to_owned(), Excerpt::to_string);
    let reported: Vec<_> = keys
        .members
        .iter()
        .map(|member| {
            let problem = member
                .problem
                .as_ref()
                .map_or("usable".to_owned(), KeyProblem::to_string);
            format!(
                "{} {} {} {problem}",
                text(&member.kid),
                text(&member.kty),
                text(&member.alg)
            )
        })
        .collect();
    assert_eq!(
        reported,
        [
            "a RSA RS256 usable",
            "b RSA RSA-OAEP its \"use\" is not \"sig\"",
            "c\\u{202e} - - its \"kty\" is not a string",
            "- - - it is not an object",
            "- EC - usable",
        ]
    );
    assert_eq!(
        reasons(&keys.members),
        "key 2, kid \"b\": its \"use\" is not \"sig\"; key 3, kid \"c\\u{202e}\": its \"kty\" is not a string; \
         key 4: it is not an object"
    );
    assert_eq!(reasons(&[]), "the set is empty");
    let many = vec![keys.members[3].clone(); 5];
    assert!(
        reasons(&many).ends_with("key 3: it is not an object; and 2 more"),
        "{}",
        reasons(&many)
    );
}
