//! RFC 7515 §7.1 and §2: three parts of canonical base64url, at most 64 KiB, and nothing around them.

use pg_session_jwt_token::compact::MAX_TOKEN_BYTES;
use pg_session_jwt_token::{Error, Part};

use crate::sign::{ED25519, HMAC, judge, part, pinned, set};

const HEADER: &str = r#"{"alg":"EdDSA"}"#;
const CLAIMS: &str = r#"{"sub":"alice"}"#;

fn refusal(token: impl AsRef<[u8]>) -> Option<Error> {
    judge(token, &pinned(&ED25519)).err()
}

fn not_base64url(part: Part) -> Option<Error> {
    Some(Error::NotBase64Url { part })
}

#[test]
fn a_good_token_is_an_identity() {
    let identity = judge(ED25519.token("EdDSA", CLAIMS), &pinned(&ED25519)).unwrap();
    assert_eq!(identity.user_id.as_deref(), Some("alice"));
    assert_eq!(identity.claims, CLAIMS);
}

/// attack: 15, 28
#[test]
fn any_number_of_parts_but_three_is_refused() {
    let token = ED25519.token("EdDSA", CLAIMS);
    let jwe = format!("{token}.{}.{}", part("iv"), part("tag"));
    let cases = [
        (String::new(), 1),
        ("eyJhbGciOiJFZERTQSJ9".to_owned(), 1),
        (token.rsplit_once('.').unwrap().0.to_owned(), 2),
        (".".to_owned(), 2),
        (format!("{token}."), 4),
        (format!(".{token}"), 4),
        ("...".to_owned(), 4),
        (jwe, 5),
        (format!(r#"{{"payload":"{}"}}"#, part(CLAIMS)), 1),
        (token.replace('.', "%2E"), 1),
        (token.replace('.', "\u{ff0e}"), 1),
        (token.replace('.', "\u{3002}"), 1),
    ];
    for (token, parts) in cases {
        assert_eq!(refusal(&token), Some(Error::NotCompact { parts }), "{token}");
    }
}

/// attack: 28
#[test]
fn an_empty_part_is_refused() {
    let token = ED25519.token("EdDSA", CLAIMS);
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let empty = |part| Error::NotJson {
        part,
        problem: "EOF while parsing a value at line 1 column 0".to_owned(),
    };
    assert_eq!(refusal(".."), Some(empty(Part::Header)));
    assert_eq!(refusal(format!(".{payload}.{signature}")), Some(empty(Part::Header)));
    assert_eq!(refusal(ED25519.token("EdDSA", "")), Some(empty(Part::Payload)));
    assert_eq!(refusal(format!("{header}..{signature}")), Some(Error::Signature));
    assert_eq!(refusal(format!("{header}.{payload}.")), Some(Error::Signature));
}

/// attack: 29
#[test]
fn nothing_may_stand_before_or_after_the_token() {
    let token = ED25519.token("EdDSA", CLAIMS);
    for before in [" ", "\n", "\t", "\u{feff}", "Bearer ", "JWT ", "\"", "=", "\0"] {
        assert_eq!(
            refusal(format!("{before}{token}")),
            not_base64url(Part::Header),
            "{before:?}"
        );
    }
    for after in [" ", "\n", "\r\n", "\t", "\u{feff}", "\"", "=", "==", "\0", "\u{a0}"] {
        assert_eq!(
            refusal(format!("{token}{after}")),
            not_base64url(Part::Signature),
            "{after:?}"
        );
    }
}

/// attack: 29
#[test]
fn nothing_may_stand_around_a_dot() {
    let token = ED25519.token("EdDSA", CLAIMS);
    let (signing_input, signature) = token.rsplit_once('.').unwrap();
    for between in [" ", "\n", "\r\n", "\u{feff}", "="] {
        let in_header = ED25519.seal("EdDSA", &format!("{}{between}.{}", part(HEADER), part(CLAIMS)));
        assert_eq!(refusal(in_header), not_base64url(Part::Header), "{between:?}");
        let in_payload = ED25519.seal("EdDSA", &format!("{}.{between}{}", part(HEADER), part(CLAIMS)));
        assert_eq!(refusal(in_payload), not_base64url(Part::Payload), "{between:?}");
        let in_signature = format!("{signing_input}.{between}{signature}");
        assert_eq!(refusal(in_signature), not_base64url(Part::Signature), "{between:?}");
    }
}

/// attack: 20
#[test]
fn what_is_not_utf8_is_refused() {
    let good = ED25519.token("EdDSA", CLAIMS).into_bytes();
    for (place, part) in [
        (5, Part::Header),
        (30, Part::Payload),
        (good.len() - 5, Part::Signature),
    ] {
        let mut token = good.clone();
        token[place] = 0xFF;
        assert_eq!(refusal(&token), not_base64url(part));
    }
    assert_eq!(refusal([0xFF]), Some(Error::NotCompact { parts: 1 }));
}

/// attack: 30
#[test]
fn padding_is_refused_in_every_part() {
    let header = format!("{HEADER} ");
    let claims = format!("{CLAIMS} ");
    let padded = ED25519.seal("EdDSA", &format!("{}==.{}", part(&header), part(CLAIMS)));
    assert_eq!(refusal(padded), not_base64url(Part::Header));
    let padded = ED25519.seal("EdDSA", &format!("{}.{}==", part(HEADER), part(&claims)));
    assert_eq!(refusal(padded), not_base64url(Part::Payload));
    let token = ED25519.token("EdDSA", CLAIMS);
    assert_eq!(refusal(format!("{token}==")), not_base64url(Part::Signature));
}

/// attack: 30
#[test]
fn the_alphabet_of_plain_base64_is_refused() {
    // '?' and '>' in these places give '_' and '-'.
    let header = r#"{"alg":"EdDSA","x":"???>>>"}"#;
    assert!(part(header).contains('_') && part(header).contains('-'));
    let plain = |text: &str| part(text).replace('_', "/").replace('-', "+");
    let token = ED25519.seal("EdDSA", &format!("{}.{}", plain(header), part(CLAIMS)));
    assert_eq!(refusal(token), not_base64url(Part::Header));
    let token = ED25519.seal("EdDSA", &format!("{}.{}", part(HEADER), plain(r#"{"sub":  "???>>>"}"#)));
    assert_eq!(refusal(token), not_base64url(Part::Payload));
    let token = ED25519.token("EdDSA", CLAIMS);
    assert_eq!(
        refusal(format!("{}/", &token[..token.len() - 1])),
        not_base64url(Part::Signature)
    );
    assert_eq!(
        refusal(format!("{}+", &token[..token.len() - 1])),
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
        assert_eq!(refusal(token), not_base64url(Part::Header), "{bits}");
        let token = ED25519.seal("EdDSA", &format!("{}.{}", part(HEADER), loosened(&part(&claims), bits)));
        assert_eq!(refusal(token), not_base64url(Part::Payload), "{bits}");
        // 64 bytes leave four bits over, too.
        let token = loosened(&ED25519.token("EdDSA", CLAIMS), bits);
        assert_eq!(refusal(token), not_base64url(Part::Signature), "{bits}");
    }
}

/// The same base64url with these four bits in place of the zeros that end it.
fn loosened(text: &str, bits: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (body, last) = text.split_at(text.len() - 1);
    let value = ALPHABET.iter().position(|byte| *byte == last.as_bytes()[0]).unwrap();
    assert_eq!(value % 16, 0, "{text} has no unused bits");
    format!("{body}{}", char::from(ALPHABET[value + bits]))
}

#[test]
fn a_length_that_base64_cannot_have_is_refused() {
    let token = ED25519.token("EdDSA", CLAIMS);
    assert_eq!(refusal(&token[..token.len() - 1]), not_base64url(Part::Signature));
    let token = ED25519.seal("EdDSA", &format!("{}.{}A", part(HEADER), part(CLAIMS)));
    assert_eq!(refusal(token), not_base64url(Part::Payload));
}

/// attack: 26
#[test]
fn a_token_of_64_kib_is_accepted_and_a_byte_more_is_refused() {
    let longest = token_of(MAX_TOKEN_BYTES);
    assert_eq!(
        judge(&longest, &pinned(&ED25519)).map(|identity| identity.claims.len()),
        Ok(49_071)
    );
    assert_eq!(refusal(token_of(65_537)), Some(Error::TokenTooLong { bytes: 65_537 }));
    assert_eq!(
        refusal(vec![b'.'; 1 << 20]),
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
fn a_payload_is_not_looked_at_before_its_signature() {
    let keys = set(&[HMAC.jwk("")]).unwrap();
    let token = HMAC.token("HS256", "not JSON");
    let (signing_input, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{signing_input}.{}", part([0; 32]));
    assert_eq!(judge(forged, &keys), Err(Error::Signature));
}
