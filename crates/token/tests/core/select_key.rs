//! The key that a header identifies (RFC 7515 §4.1.4): the named one, or the only one that fits; never "try them all".

use pg_session_jwt_token::algorithm::Algorithm;
use pg_session_jwt_token::keys::Key;
use pg_session_jwt_token::{Error, Excerpt, KeySet};
use rstest::rstest;

use crate::sign::{ED25519, HMAC, P256, RSA, Signer, set, verify_now};

/// The kid of the key that is chosen.
fn chosen(keys: &KeySet, kid: Option<&str>, alg: Algorithm) -> Result<Option<String>, Error> {
    keys.select(kid, alg).map(|key| key.kid.clone())
}

fn unknown(kid: &str) -> Result<Option<String>, Error> {
    Err(Error::UnknownKeyId { kid: Excerpt::new(kid) })
}

fn ambiguous(candidates: usize) -> Result<Option<String>, Error> {
    Err(Error::AmbiguousKey { candidates })
}

fn named(kid: &str) -> Result<Option<String>, Error> {
    Ok(Some(kid.to_owned()))
}

#[rstest]
fn a_kid_names_its_key(#[values("a", "b", "c")] kid: &str) {
    let jwks = [
        ED25519.jwk(r#""kid":"a""#),
        Signer::ed25519().jwk(r#""kid":"b""#),
        P256.jwk(r#""kid":"c""#),
    ];
    let keys = set(&jwks).unwrap();
    assert_eq!(chosen(&keys, Some(kid), Algorithm::EdDSA), named(kid));
}

#[rstest]
fn an_unknown_kid_names_no_key(#[values("", "d", "A", "a ", "ab")] kid: &str) {
    let jwks = [
        ED25519.jwk(r#""kid":"a""#),
        Signer::ed25519().jwk(r#""kid":"b""#),
        P256.jwk(r#""kid":"c""#),
    ];
    let keys = set(&jwks).unwrap();
    assert_eq!(chosen(&keys, Some(kid), Algorithm::EdDSA), unknown(kid));
}

/// attack: 11
#[rstest]
fn an_unknown_kid_is_rejected_even_where_one_key_fits(#[values(r#""kid":"a""#, "")] more: &str) {
    let token = ED25519.token_with_header("EdDSA", r#"{"alg":"EdDSA","kid":"x"}"#, "{}");
    let keys = set(&[ED25519.jwk(more)]).unwrap();
    assert_eq!(
        verify_now(&token, &keys),
        Err(Error::UnknownKeyId { kid: Excerpt::new("x") })
    );
}

#[test]
fn without_kid_the_only_key_that_fits_is_taken() {
    let jwks = [
        ED25519.jwk(r#""kid":"a""#),
        P256.jwk(""),
        RSA.jwk(r#""kid":"c","alg":"RS256""#),
        HMAC.jwk(r#""kid":"d""#),
        Signer::hmac(32).jwk(r#""kid":"e""#),
    ];
    let keys = set(&jwks).unwrap();
    assert_eq!(chosen(&keys, None, Algorithm::EdDSA), named("a"));
    assert_eq!(chosen(&keys, None, Algorithm::ES256), Ok(None));
    assert_eq!(chosen(&keys, None, Algorithm::RS256), named("c"));
    assert_eq!(chosen(&keys, None, Algorithm::HS512), named("d"));
    for (alg, candidates) in [(Algorithm::ES384, 0), (Algorithm::PS256, 0), (Algorithm::HS256, 2)] {
        assert_eq!(chosen(&keys, None, alg), ambiguous(candidates), "{alg:?}");
    }
}

/// attack: 11, 46
#[test]
fn without_kid_two_keys_that_fit_are_one_too_many() {
    let jwks = [
        ED25519.jwk(r#""kid":"a""#),
        Signer::ed25519().jwk(r#""kid":"b""#),
        Signer::ed25519().jwk(""),
    ];
    assert_eq!(
        verify_now(ED25519.token("EdDSA", "{}"), &set(&jwks[..2]).unwrap()),
        Err(Error::AmbiguousKey { candidates: 2 })
    );
    assert_eq!(
        verify_now(ED25519.token("EdDSA", "{}"), &set(&jwks).unwrap()),
        Err(Error::AmbiguousKey { candidates: 3 })
    );
}

#[test]
fn a_key_given_by_itself_needs_no_name() {
    let nameless = KeySet::pinned(Key::from_public_jwk(&ED25519.jwk("")).unwrap());
    for kid in [None, Some(""), Some("anything")] {
        assert_eq!(chosen(&nameless, kid, Algorithm::EdDSA), Ok(None), "{kid:?}");
    }
    let with_name = KeySet::pinned(Key::from_public_jwk(&ED25519.jwk(r#""kid":"a""#)).unwrap());
    assert_eq!(chosen(&with_name, None, Algorithm::EdDSA), named("a"));
    assert_eq!(chosen(&with_name, Some("a"), Algorithm::EdDSA), named("a"));
    assert_eq!(chosen(&with_name, Some("b"), Algorithm::EdDSA), unknown("b"));
    // A token with another algorithm is rejected for that reason, not for a missing key.
    let mismatch = Err(Error::AlgorithmMismatch { alg: Algorithm::ES256 });
    assert_eq!(verify_now(P256.token("ES256", "{}"), &with_name), mismatch);
    assert_eq!(verify_now(P256.token("ES256", "{}"), &nameless), mismatch);
}

#[test]
fn a_set_of_one_is_no_key_given_by_itself() {
    let keys = set(&[ED25519.jwk("")]).unwrap();
    assert_eq!(chosen(&keys, None, Algorithm::EdDSA), Ok(None));
    assert_eq!(chosen(&keys, None, Algorithm::ES256), ambiguous(0));
    assert_eq!(chosen(&keys, Some("a"), Algorithm::EdDSA), unknown("a"));
}
