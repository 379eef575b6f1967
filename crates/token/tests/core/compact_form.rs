//! RFC 7515 §7.1 and §2: three parts of canonical base64url, at most 64 KiB, and nothing around them.

use pg_session_jwt_token::limits::MAX_TOKEN_BYTES;
use pg_session_jwt_token::{Error, Part};
use rstest::rstest;

use crate::sign::{ED25519, HMAC, is_not_json, part, pinned, set, verify_now};

const HEADER: &str = r#"{"alg":"EdDSA"}"#;
const CLAIMS: &str = r#"{"sub":"alice"}"#;

fn rejection(token: impl AsRef<[u8]>) -> Option<Error> {
    verify_now(token, &pinned(&ED25519)).err()
}

fn not_base64url(part: Part) -> Option<Error> {
    Some(Error::NotBase64Url { part })
}

#[test]
fn a_good_token_is_an_identity() {
    let identity = verify_now(ED25519.token("EdDSA", CLAIMS), &pinned(&ED25519)).unwrap();
    assert_eq!(identity.user_id.as_deref(), Some("alice"));
    assert_eq!(identity.claims, CLAIMS);
}

/// attack: 15, 28
#[rstest]
#[case(|_: &str| "eyJhbGciOiJFZERTQSJ9".to_owned(), 1)]
#[case(|token: &str| token.rsplit_once('.').unwrap().0.to_owned(), 2)]
#[case(|_: &str| ".".to_owned(), 2)]
#[case(|token: &str| format!("{token}."), 4)]
#[case(|token: &str| format!(".{token}"), 4)]
#[case(|_: &str| "...".to_owned(), 4)]
// An encrypted token.
#[case(|token: &str| format!("{token}.{}.{}", part("iv"), part("tag")), 5)]
#[case(|_: &str| format!(r#"{{"payload":"{}"}}"#, part(CLAIMS)), 1)]
#[case(|token: &str| token.replace('.', "%2E"), 1)]
#[case(|token: &str| token.replace('.', "\u{ff0e}"), 1)]
#[case(|token: &str| token.replace('.', "\u{3002}"), 1)]
fn any_number_of_parts_but_three_is_rejected(#[case] change: fn(&str) -> String, #[case] parts: usize) {
    let token = change(&ED25519.token("EdDSA", CLAIMS));
    assert_eq!(rejection(&token), Some(Error::NotCompact { parts }), "{token}");
}

/// attack: 28
#[test]
fn an_empty_text_is_rejected() {
    assert_eq!(rejection(""), Some(Error::Empty));
}

/// attack: 28
#[test]
fn an_empty_part_is_rejected() {
    let token = ED25519.token("EdDSA", CLAIMS);
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    assert!(is_not_json(rejection(".."), Part::Header));
    assert!(is_not_json(rejection(format!(".{payload}.{signature}")), Part::Header));
    assert!(is_not_json(rejection(ED25519.token("EdDSA", "")), Part::Payload));
    assert_eq!(rejection(format!("{header}..{signature}")), Some(Error::Signature));
    assert_eq!(rejection(format!("{header}.{payload}.")), Some(Error::Signature));
}

/// attack: 29
#[rstest]
fn nothing_may_precede_the_token(
    #[values(" ", "\n", "\t", "\u{feff}", "Bearer", "Bearer:", "JWT ", "\"", "=", "\0")] before: &str,
) {
    let token = ED25519.token("EdDSA", CLAIMS);
    assert_eq!(
        rejection(format!("{before}{token}")),
        not_base64url(Part::Header),
        "{before:?}"
    );
}

/// attack: 29
#[rstest]
fn the_scheme_of_an_http_header_is_not_a_part_of_the_token(
    #[values("Bearer ", "bearer ", "BEARER  ", "Bearer\t", "Bearer\n")] scheme: &str,
    #[values("", "opaque", "a.b.c")] token: &str,
) {
    assert_eq!(rejection(format!("{scheme}{token}")), Some(Error::BearerScheme));
    let good = ED25519.token("EdDSA", CLAIMS);
    assert_eq!(rejection(format!("{scheme}{good}")), Some(Error::BearerScheme));
}

/// attack: 29
#[rstest]
fn nothing_may_follow_the_token(
    #[values(" ", "\n", "\r\n", "\t", "\u{feff}", "\"", "=", "==", "\0", "\u{a0}")] after: &str,
) {
    let token = ED25519.token("EdDSA", CLAIMS);
    assert_eq!(
        rejection(format!("{token}{after}")),
        not_base64url(Part::Signature),
        "{after:?}"
    );
}

/// attack: 29
#[rstest]
fn nothing_may_surround_a_dot(#[values(" ", "\n", "\r\n", "\u{feff}", "=")] between: &str) {
    let token = ED25519.token("EdDSA", CLAIMS);
    let (signing_input, signature) = token.rsplit_once('.').unwrap();
    let in_header = ED25519.seal("EdDSA", &format!("{}{between}.{}", part(HEADER), part(CLAIMS)));
    assert_eq!(rejection(in_header), not_base64url(Part::Header), "{between:?}");
    let in_payload = ED25519.seal("EdDSA", &format!("{}.{between}{}", part(HEADER), part(CLAIMS)));
    assert_eq!(rejection(in_payload), not_base64url(Part::Payload), "{between:?}");
    let in_signature = format!("{signing_input}.{between}{signature}");
    assert_eq!(rejection(in_signature), not_base64url(Part::Signature), "{between:?}");
}

/// attack: 20
#[test]
fn a_token_must_be_utf8() {
    let good = ED25519.token("EdDSA", CLAIMS).into_bytes();
    for (index, part) in [
        (5, Part::Header),
        (30, Part::Payload),
        (good.len() - 5, Part::Signature),
    ] {
        let mut token = good.clone();
        token[index] = 0xFF;
        assert_eq!(rejection(&token), not_base64url(part));
    }
    assert_eq!(rejection([0xFF]), Some(Error::NotCompact { parts: 1 }));
}

/// attack: 30
#[test]
fn padding_is_rejected_in_every_part() {
    let header = format!("{HEADER} ");
    let claims = format!("{CLAIMS} ");
    let padded = ED25519.seal("EdDSA", &format!("{}==.{}", part(&header), part(CLAIMS)));
    assert_eq!(rejection(padded), not_base64url(Part::Header));
    let padded = ED25519.seal("EdDSA", &format!("{}.{}==", part(HEADER), part(&claims)));
    assert_eq!(rejection(padded), not_base64url(Part::Payload));
    let token = ED25519.token("EdDSA", CLAIMS);
    assert_eq!(rejection(format!("{token}==")), not_base64url(Part::Signature));
}

/// attack: 30
#[test]
fn the_alphabet_of_plain_base64_is_rejected() {
    // '?' and '>' at these positions give '_' and '-'.
    let header = r#"{"alg":"EdDSA","x":"???>>>"}"#;
    assert!(part(header).contains('_') && part(header).contains('-'));
    let plain = |text: &str| part(text).replace('_', "/").replace('-', "+");
    let token = ED25519.seal("EdDSA", &format!("{}.{}", plain(header), part(CLAIMS)));
    assert_eq!(rejection(token), not_base64url(Part::Header));
    let token = ED25519.seal("EdDSA", &format!("{}.{}", part(HEADER), plain(r#"{"sub":  "???>>>"}"#)));
    assert_eq!(rejection(token), not_base64url(Part::Payload));
    let token = ED25519.token("EdDSA", CLAIMS);
    assert_eq!(
        rejection(format!("{}/", &token[..token.len() - 1])),
        not_base64url(Part::Signature)
    );
    assert_eq!(
        rejection(format!("{}+", &token[..token.len() - 1])),
        not_base64url(Part::Signature)
    );
}

/// attack: 30
#[test]
fn bits_that_no_byte_uses_must_be_zero_in_every_part() {
    let header = format!("{HEADER} ");
    let claims = format!("{CLAIMS} ");
    assert_eq!((header.len() % 3, claims.len() % 3), (1, 1));
    for bits in 1..16 {
        let token = ED25519.seal("EdDSA", &format!("{}.{}", loosened(&part(&header), bits), part(CLAIMS)));
        assert_eq!(rejection(token), not_base64url(Part::Header), "{bits}");
        let token = ED25519.seal("EdDSA", &format!("{}.{}", part(HEADER), loosened(&part(&claims), bits)));
        assert_eq!(rejection(token), not_base64url(Part::Payload), "{bits}");
        // 64 bytes leave four bits over, too.
        let token = loosened(&ED25519.token("EdDSA", CLAIMS), bits);
        assert_eq!(rejection(token), not_base64url(Part::Signature), "{bits}");
    }
}

/// The same base64url with these four bits instead of the zeros at its end.
fn loosened(text: &str, bits: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (body, last) = text.split_at(text.len() - 1);
    let value = ALPHABET.iter().position(|byte| *byte == last.as_bytes()[0]).unwrap();
    assert_eq!(value % 16, 0, "{text} has no unused bits");
    format!("{body}{}", char::from(ALPHABET[value + bits]))
}

#[test]
fn a_length_that_base64_cannot_have_is_rejected() {
    let token = ED25519.token("EdDSA", CLAIMS);
    assert_eq!(rejection(&token[..token.len() - 1]), not_base64url(Part::Signature));
    let token = ED25519.seal("EdDSA", &format!("{}.{}A", part(HEADER), part(CLAIMS)));
    assert_eq!(rejection(token), not_base64url(Part::Payload));
}

/// attack: 26
#[test]
fn a_token_of_64_kib_is_accepted_and_a_byte_more_is_rejected() {
    let longest = token_of(MAX_TOKEN_BYTES);
    assert_eq!(
        verify_now(&longest, &pinned(&ED25519)).map(|identity| identity.claims.len()),
        Ok(49_071)
    );
    assert_eq!(rejection(token_of(65_537)), Some(Error::TokenTooLong { bytes: 65_537 }));
    assert_eq!(
        rejection(vec![b'.'; 1 << 20]),
        Some(Error::TokenTooLong { bytes: 1 << 20 })
    );
}

/// A good token of this length.
fn token_of(bytes: usize) -> String {
    let token = |padding: usize, spaces: usize| {
        let header = format!("{HEADER}{}", " ".repeat(spaces));
        let claims = format!(r#"{{"sub":"{}"}}"#, "a".repeat(padding));
        ED25519.token_with_header("EdDSA", header, claims)
    };
    let near = (bytes - token(0, 0).len()) * 3 / 4;
    (0..3)
        .flat_map(|spaces| (near - 4..near + 4).map(move |padding| (padding, spaces)))
        .map(|(padding, spaces)| token(padding, spaces))
        .find(|token| token.len() == bytes)
        .unwrap()
}

#[test]
fn a_payload_is_not_read_before_its_signature() {
    let keys = set(&[HMAC.jwk("")]).unwrap();
    let token = HMAC.token("HS256", "not JSON");
    let (signing_input, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{signing_input}.{}", part([0; 32]));
    assert_eq!(verify_now(forged, &keys), Err(Error::Signature));
}
