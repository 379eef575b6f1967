//! What an identity takes from a claims set, and what it leaves.

use pg_session_jwt_token::Identity;
use serde_json::Value;

use crate::sign::{ED25519, judge, judge_payload, seconds, set};

const UUID_TEXT: &str = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
const UUID: [u8; 16] = [
    0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0x0a, 0x11,
];

fn owned(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn every_claim_that_is_read_has_its_place() {
    let claims = format!(
        r#"{{"sub":"{UUID_TEXT}","iss":"https:\/\/issuer.example\/","aud":["a"],"role":"authenticated","email":"a@b.example",
            "o":{{"id":"{UUID_TEXT}","rol":"admin"}},"exp":1900000000,"nbf":1,"iat":2,"jti":42}}"#
    );
    let keys = set(&[ED25519.jwk(r#""kid":"k1""#)]).unwrap();
    let token = ED25519.token_with_header("EdDSA", r#"{"alg":"EdDSA","kid":"k1"}"#, &claims);
    let expected = Identity {
        user_id: owned(UUID_TEXT),
        user_id_malformed: false,
        issuer: owned("https://issuer.example/"),
        kid: owned("k1"),
        role: owned("authenticated"),
        email: owned("a@b.example"),
        claims,
        has_organization: true,
        organization_id: Some(UUID),
        expires: Some(seconds(1_900_000_000)),
        not_before: Some(seconds(1)),
        jti: Some(42),
    };
    assert_eq!(expected.uid(), Some(UUID));
    assert_eq!(judge(token, &keys), Ok(expected));
}

#[test]
fn an_empty_claims_set_is_an_identity_of_nobody() {
    let nobody = Identity {
        claims: "{}".to_owned(),
        ..Identity::default()
    };
    assert_eq!(nobody.uid(), None);
    assert_eq!(judge_payload("{}"), Ok(nobody));
}

#[test]
fn a_user_id_is_the_string_as_it_is() {
    for sub in [
        "",
        " ",
        "a",
        "auth0|5",
        "älice",
        "a\u{a0}b",
        "\u{202e}a",
        "line\nfeed",
        "quote\"",
        "\u{1f600}",
        &"x".repeat(40_000),
    ] {
        let identity = judge_payload(format!(r#"{{"sub":{}}}"#, Value::from(sub))).unwrap();
        assert_eq!((identity.user_id, identity.user_id_malformed), (owned(sub), false));
    }
}

/// attack: 57
#[test]
fn a_user_id_that_is_no_string_is_none_and_malformed() {
    for sub in [
        "null",
        "5",
        "5.0",
        "true",
        "[]",
        r#"["alice"]"#,
        "{}",
        "12345678901234567890123",
    ] {
        let identity = judge_payload(format!(r#"{{"sub":{sub}}}"#)).unwrap();
        assert_eq!((identity.user_id, identity.user_id_malformed), (None, true), "{sub}");
    }
    let absent = judge_payload(r#"{"SUB":"alice"}"#).unwrap();
    assert_eq!((absent.user_id, absent.user_id_malformed), (None, false));
}

#[test]
fn a_role_email_or_issuer_that_is_no_string_is_none() {
    for value in ["null", "5", "[]", r#"["postgres"]"#, "{}", "true"] {
        let identity = judge_payload(format!(r#"{{"role":{value},"email":{value},"iss":{value}}}"#)).unwrap();
        assert_eq!(
            (identity.role, identity.email, identity.issuer),
            (None, None, None),
            "{value}"
        );
    }
}

/// attack: 59
#[test]
fn an_organization_is_an_object_and_its_id_a_uuid() {
    let cases = [
        (format!(r#"{{"id":"{UUID_TEXT}"}}"#), true, Some(UUID)),
        (format!(r#"{{"id":"{}"}}"#, UUID_TEXT.to_uppercase()), true, None),
        (format!(r#"{{"id":"{{{UUID_TEXT}}}"}}"#), true, None),
        (r#"{"id":"org_2abc"}"#.to_owned(), true, None),
        (r#"{"id":5}"#.to_owned(), true, None),
        (r#"{"id":null}"#.to_owned(), true, None),
        (format!(r#"{{"id":["{UUID_TEXT}"]}}"#), true, None),
        ("{}".to_owned(), true, None),
        (format!(r#""{UUID_TEXT}""#), false, None),
        (format!(r#"[{{"id":"{UUID_TEXT}"}}]"#), false, None),
        ("null".to_owned(), false, None),
        ("7".to_owned(), false, None),
    ];
    for (o, has, id) in cases {
        let identity = judge_payload(format!(r#"{{"o":{o}}}"#)).unwrap();
        assert_eq!((identity.has_organization, identity.organization_id), (has, id), "{o}");
    }
    let other = judge_payload(format!(r#"{{"org":{{"id":"{UUID_TEXT}"}},"id":"{UUID_TEXT}"}}"#)).unwrap();
    assert_eq!((other.has_organization, other.organization_id), (false, None));
}

/// attack: 57
#[test]
fn a_uid_is_the_user_id_read_as_uuid() {
    let upper = UUID_TEXT.to_uppercase();
    for (sub, uid) in [(UUID_TEXT, Some(UUID)), (&upper, None), ("user_2abc", None), ("", None)] {
        assert_eq!(
            judge_payload(format!(r#"{{"sub":"{sub}"}}"#)).unwrap().uid(),
            uid,
            "{sub}"
        );
    }
}

#[test]
fn claims_that_somebody_else_checked_are_read_without_their_dates() {
    let text = r#"{"sub":"alice","role":"authenticated","exp":"never","nbf":99999999999999,"iat":null,"jti":5}"#;
    let expected = Identity {
        user_id: owned("alice"),
        role: owned("authenticated"),
        claims: text.to_owned(),
        jti: Some(5),
        ..Identity::default()
    };
    assert_eq!(Identity::trusted(text), Ok(expected));
    // There, a user id that is no string is no error but none.
    let number = Identity {
        claims: r#"{"sub":5}"#.to_owned(),
        ..Identity::default()
    };
    assert_eq!(Identity::trusted(r#"{"sub":5}"#), Ok(number));
    for text in ["null", "[]", "7", r#""sub""#, r#"[{"sub":"alice"}]"#] {
        let nobody = Identity {
            claims: text.to_owned(),
            ..Identity::default()
        };
        assert_eq!(Identity::trusted(text), Ok(nobody), "{text}");
    }
    assert_eq!(
        Identity::trusted(""),
        Err("EOF while parsing a value at line 1 column 0".to_owned())
    );
    assert_eq!(
        Identity::trusted(r#"{"sub":"a\u0000"}"#),
        Err("a string holds U+0000 at line 1 column 16".to_owned())
    );
}
