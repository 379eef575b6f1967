//! The claims that an identity contains.

use std::sync::LazyLock;

use pg_session_jwt_token::Identity;
use rstest::rstest;
use serde_json::Value;

use crate::sign::{ED25519, seconds, set, verify_now, verify_payload};

static LONG: LazyLock<String> = LazyLock::new(|| "x".repeat(40_000));
const UUID_TEXT: &str = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
const UUID: [u8; 16] = [
    0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0x0a, 0x11,
];

fn owned(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn every_claim_that_is_read_has_its_field() {
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
    assert_eq!(verify_now(token, &keys), Ok(expected));
}

#[test]
fn an_empty_claims_set_is_an_identity_without_a_user() {
    let anonymous = Identity {
        claims: "{}".to_owned(),
        ..Identity::default()
    };
    assert_eq!(anonymous.uid(), None);
    assert_eq!(verify_payload("{}"), Ok(anonymous));
}

#[rstest]
fn a_user_id_is_the_string_as_it_is(
    #[values("", " ", "a", "auth0|5", "älice", "a\u{a0}b", "\u{202e}a", "line\nfeed", "quote\"", "\u{1f600}", LONG.as_str())]
    sub: &str,
) {
    let identity = verify_payload(format!(r#"{{"sub":{}}}"#, Value::from(sub))).unwrap();
    assert_eq!((identity.user_id, identity.user_id_malformed), (owned(sub), false));
}

/// attack: 57
#[rstest]
fn a_user_id_that_is_no_string_is_none_and_malformed(
    #[values("null", "5", "5.0", "true", "[]", r#"["alice"]"#, "{}", "12345678901234567890123")] sub: &str,
) {
    let identity = verify_payload(format!(r#"{{"sub":{sub}}}"#)).unwrap();
    assert_eq!((identity.user_id, identity.user_id_malformed), (None, true), "{sub}");
}

#[test]
fn an_absent_user_id_is_not_malformed() {
    let absent = verify_payload(r#"{"SUB":"alice"}"#).unwrap();
    assert_eq!((absent.user_id, absent.user_id_malformed), (None, false));
}

#[rstest]
fn a_role_email_or_issuer_that_is_no_string_is_none(
    #[values("null", "5", "[]", r#"["postgres"]"#, "{}", "true")] value: &str,
) {
    let identity = verify_payload(format!(r#"{{"role":{value},"email":{value},"iss":{value}}}"#)).unwrap();
    assert_eq!(
        (identity.role, identity.email, identity.issuer),
        (None, None, None),
        "{value}"
    );
}

/// attack: 59
#[rstest]
#[case(format!(r#"{{"id":"{UUID_TEXT}"}}"#), true, Some(UUID))]
#[case(format!(r#"{{"id":"{}"}}"#, UUID_TEXT.to_uppercase()), true, None)]
#[case(format!(r#"{{"id":"{{{UUID_TEXT}}}"}}"#), true, None)]
#[case(r#"{"id":"org_2abc"}"#.to_owned(), true, None)]
#[case(r#"{"id":5}"#.to_owned(), true, None)]
#[case(r#"{"id":null}"#.to_owned(), true, None)]
#[case(format!(r#"{{"id":["{UUID_TEXT}"]}}"#), true, None)]
#[case("{}".to_owned(), true, None)]
#[case(format!(r#""{UUID_TEXT}""#), false, None)]
#[case(format!(r#"[{{"id":"{UUID_TEXT}"}}]"#), false, None)]
#[case("null".to_owned(), false, None)]
#[case("7".to_owned(), false, None)]
fn an_organization_is_an_object_and_its_id_a_uuid(#[case] o: String, #[case] has: bool, #[case] id: Option<[u8; 16]>) {
    let identity = verify_payload(format!(r#"{{"o":{o}}}"#)).unwrap();
    assert_eq!((identity.has_organization, identity.organization_id), (has, id), "{o}");
}

#[test]
fn other_claims_are_no_organization() {
    let other = verify_payload(format!(r#"{{"org":{{"id":"{UUID_TEXT}"}},"id":"{UUID_TEXT}"}}"#)).unwrap();
    assert_eq!((other.has_organization, other.organization_id), (false, None));
}

/// attack: 57
#[test]
fn a_uid_is_the_user_id_read_as_uuid() {
    let upper = UUID_TEXT.to_uppercase();
    for (sub, uid) in [(UUID_TEXT, Some(UUID)), (&upper, None), ("user_2abc", None), ("", None)] {
        assert_eq!(
            verify_payload(format!(r#"{{"sub":"{sub}"}}"#)).unwrap().uid(),
            uid,
            "{sub}"
        );
    }
}

#[test]
fn claims_from_a_trusted_party_are_read_without_their_dates() {
    let text = r#"{"sub":"alice","role":"authenticated","exp":"never","nbf":99999999999999,"iat":null,"jti":5}"#;
    let expected = Identity {
        user_id: owned("alice"),
        role: owned("authenticated"),
        claims: text.to_owned(),
        jti: Some(5),
        ..Identity::default()
    };
    assert_eq!(Identity::trusted(text), Ok(expected));
    // In such claims, a user id that is not a string counts as absent.
    let number = Identity {
        claims: r#"{"sub":5}"#.to_owned(),
        ..Identity::default()
    };
    assert_eq!(Identity::trusted(r#"{"sub":5}"#), Ok(number));
    for text in ["null", "[]", "7", r#""sub""#, r#"[{"sub":"alice"}]"#] {
        let anonymous = Identity {
            claims: text.to_owned(),
            ..Identity::default()
        };
        assert_eq!(Identity::trusted(text), Ok(anonymous), "{text}");
    }
    assert!(Identity::trusted("").is_err());
    let nul = Identity::trusted(r#"{"sub":"a\u0000"}"#).unwrap_err();
    assert!(nul.starts_with("a string contains U+0000"), "{nul}");
}
