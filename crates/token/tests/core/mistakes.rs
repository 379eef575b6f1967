//! Common mistakes of those who configure a provider or present a token: each error says what it is.

use pg_session_jwt_token::key_document::Document;
use pg_session_jwt_token::keys::Key;
use pg_session_jwt_token::{Error, Excerpt, KeySet};
use rstest::rstest;

use crate::providers::{list, one, token, verify_now};
use crate::sign::ED25519;

#[rstest]
#[case(Error::Empty, "The token is empty.")]
#[case(Error::BearerScheme, "It still begins with Bearer.")]
#[case(
    Error::NotCompact { parts: 1 },
    "A JWT has three parts with dots between them; this token has one part: an opaque token."
)]
#[case(
    Error::NotCompact { parts: 2 },
    "A JWT has three parts with dots between them; this token has 2 parts."
)]
#[case(
    Error::NotCompact { parts: 5 },
    "A JWT has three parts with dots between them; this token has five parts: an encrypted token."
)]
#[case(
    Error::IssuerSlash { iss: Excerpt::new("https://a/") },
    "The JWT has iss=\"https://a/\", which differs from the issuer that is set by a slash at the end."
)]
#[case(Error::AmbiguousProvider { first: 0, second: 2 }, "Providers 1 and 3 both accept it.")]
#[case(Error::AudienceType { is_array: true }, "A member of \"aud\" is not a string.")]
fn the_detail_says_what_it_is(#[case] error: Error, #[case] detail: &str) {
    assert_eq!(error.detail().as_deref(), Some(detail));
}

#[rstest]
#[case("sub", "'sub' (Subject) must be a string")]
#[case("oid", "'oid' (User ID) must be a string")]
#[case("\u{202e}", "'\\u{202e}' (User ID) must be a string")]
fn the_user_id_claim_has_its_own_name(#[case] claim: &str, #[case] message: &str) {
    assert_eq!(Error::user_id(claim).to_string(), message);
}

#[test]
fn two_providers_that_accept_a_token_are_named() {
    let keys = format!(r#"{{"keys":[{}]}}"#, ED25519.jwk(r#""kid":"k1""#));
    let provider = |audience: &str| format!(r#"{{"issuer":"a","audience":"{audience}","jwks":{keys}}}"#);
    let providers = list(&format!("[{},{},{}]", provider("x"), provider("y"), provider("x")));
    let token = token(&ED25519, "EdDSA", "k1", r#"{"iss":"a","aud":"x"}"#);
    let expected = Err(Error::AmbiguousProvider { first: 0, second: 2 });
    assert_eq!(verify_now(&token, &providers), expected);
}

/// attack: 16
#[rstest]
#[case(r#"["x",1]"#, true)]
#[case(r#"[["x"]]"#, true)]
#[case(r#"["x",null]"#, true)]
#[case("null", false)]
#[case("1", false)]
#[case(r#"{"x":"x"}"#, false)]
fn the_audience_is_a_string_or_an_array_of_strings(#[case] aud: &str, #[case] is_array: bool) {
    let providers = one(r#""issuer":"a","audience":["x","y"]"#);
    let of = |aud: &str| token(&ED25519, "EdDSA", "k1", &format!(r#"{{"iss":"a","aud":{aud}}}"#));
    let expected = Err(Error::AudienceType { is_array });
    assert_eq!(verify_now(&of(aud), &providers), expected, "{aud}");
}

/// attack: 55
#[rstest]
#[case("https://a", "https://a/", true)]
#[case("https://a/", "https://a", true)]
#[case("https://a//", "https://a/", false)]
#[case("https://A", "https://a/", false)]
#[case("https://b", "https://a/", false)]
fn an_issuer_with_another_slash_at_the_end(#[case] iss: &str, #[case] issuer: &str, #[case] is_slash: bool) {
    let providers = one(&format!(r#""issuer":"{issuer}""#));
    let iss = Excerpt::new(iss);
    let expected = if is_slash {
        Error::IssuerSlash { iss: iss.clone() }
    } else {
        Error::UnknownIssuer { iss: Some(iss.clone()) }
    };
    let token = token(&ED25519, "EdDSA", "k1", &format!(r#"{{"iss":"{iss}"}}"#));
    assert_eq!(verify_now(&token, &providers), Err(expected));
}

#[rstest]
#[case(ED25519.jwk(""), Document::Key)]
#[case(r#"{"kty":"RSA","keys":{}}"#, Document::Key)]
#[case(r#"{"issuer":"https://a/","jwks_uri":"https://a/jwks"}"#, Document::Discovery)]
fn another_document_in_place_of_a_set_is_named(#[case] text: impl AsRef<str>, #[case] found: Document) {
    let expected = Error::OtherDocument {
        found,
        wanted: Document::KeySet,
    };
    assert_eq!(KeySet::from_jwks(text.as_ref()).err(), Some(expected.clone()));
    assert_eq!(KeySet::from_public_jwks(text.as_ref()).err(), Some(expected));
}

#[rstest]
#[case(set_text(), Document::KeySet)]
#[case(r#"{"keys":[]}"#, Document::KeySet)]
#[case(r#"{"issuer":"https://a/","jwks_uri":"https://a/jwks"}"#, Document::Discovery)]
fn another_document_in_place_of_a_key_is_named(#[case] text: impl AsRef<str>, #[case] found: Document) {
    let expected = Error::OtherDocument {
        found,
        wanted: Document::Key,
    };
    assert_eq!(Key::from_public_jwk(text.as_ref()).err(), Some(expected));
}

fn set_text() -> String {
    format!(r#"{{"keys":[{}]}}"#, ED25519.jwk(""))
}
