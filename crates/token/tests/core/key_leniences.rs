//! Harmless forms of keys that providers and libraries really write. docs/jwks.md lists them with their reasons. Each has a
//! test on both sides of its border:
//!
//! | form | accepted | rejected |
//! |---|---|---|
//! | `null` and `[]` | [`null_and_an_empty_list_are_no_value`] | [`nor_for_what_a_key_needs`], `key_members` |
//! | a byte order mark | [`a_byte_order_mark_before_a_set_is_ignored`] | the same |
//! | base64 | [`members_may_be_base64_with_or_without_padding`] | [`no_other_text_is_base64`] |
//! | zeros of a coordinate | [`a_coordinate_may_lack_its_leading_zeros_or_have_one_more`] | the same, `curve_keys` |
//! | zeros of an RSA key | `rsa_keys` | `rsa_keys` |
//! | a number as `kid` | [`a_kid_that_is_a_number_is_named_as_it_is_written`] | the same, `key_members` |
//! | one `kid` several times, one key several times | `twin_keys` | `twin_keys` |
//! | unusable keys | `key_sets`, `provider_shapes` | `key_reasons` |
//! | `x5c` | `certificates` | `certificates`, `certificate_forms` |
//! | a negative `nbf` or `iat` in a token | `dates` | `dates` |
//! | `"b64": true` in a token | `header` | `header` |

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pg_session_jwt_token::algorithm::Algorithm;
use pg_session_jwt_token::keys::Key;
use pg_session_jwt_token::{Error, KeyProblem, KeySet};
use rstest::rstest;

use crate::sign::{ED25519, HMAC, P256, RSA, Signer, set, verify_now};

fn problem(jwk: &str) -> Option<KeyProblem> {
    match Key::from_public_jwk(jwk) {
        Ok(_) => None,
        Err(Error::Key(problem)) => Some(problem),
        Err(other) => panic!("{other:?}"),
    }
}

/// Whether this key verifies a token of the signer.
#[track_caller]
fn verifies(signer: &Signer, alg: &str, jwk: &str) {
    let keys = set(&[jwk.to_owned()]).unwrap();
    assert!(verify_now(signer.token(alg, "{}"), &keys).is_ok(), "{jwk}");
}

#[rstest]
fn null_and_an_empty_list_are_no_value(
    #[values("d", "p", "oth", "use", "alg", "kid", "key_ops", "x5c")] member: &str,
    #[values("null", "[]")] value: &str,
) {
    verifies(&ED25519, "EdDSA", &ED25519.jwk(&format!(r#""{member}":{value}"#)));
}

/// A member that is required is then missing.
#[rstest]
fn nor_for_what_a_key_needs(#[values("null", "[]")] value: &str) {
    let x = r#"{"kty":"OKP","crv":"Ed25519","x":"#;
    assert_eq!(problem(&format!("{x}{value}}}")), Some(KeyProblem::Member("x")));
    assert_eq!(
        problem(&format!(r#"{{"kty":{value}}}"#)),
        Some(KeyProblem::Member("kty"))
    );
}

#[test]
fn a_byte_order_mark_before_a_set_is_ignored() {
    let jwks = format!(r#"{{"keys":[{}]}}"#, ED25519.jwk(""));
    assert!(KeySet::from_jwks(&format!("\u{feff}{jwks}")).is_ok());
    for text in [
        format!("\u{feff}\u{feff}{jwks}"),
        format!(" \u{feff}{jwks}"),
        format!("{jwks}\u{feff}"),
    ] {
        assert!(
            matches!(KeySet::from_jwks(&text).err(), Some(Error::KeyNotJson { .. })),
            "{text:?}"
        );
    }
}

/// Another alphabet or padding is another text of the same bytes.
#[test]
fn members_may_be_base64_with_or_without_padding() {
    for (signer, alg) in [
        (&*RSA, "RS256"),
        (&*P256, "ES256"),
        (&*ED25519, "EdDSA"),
        (&*HMAC, "HS256"),
    ] {
        let jwk = signer.jwk("");
        let other: String = jwk
            .split('"')
            .map(|part| match URL_SAFE_NO_PAD.decode(part) {
                Ok(bytes) if bytes.len() >= 32 => STANDARD.encode(bytes),
                _ => part.to_owned(),
            })
            .collect::<Vec<_>>()
            .join("\"");
        verifies(signer, alg, &other);
        verifies(signer, alg, &other.replace('=', ""));
    }
}

#[rstest]
#[case("A")]
#[case("AA A")]
#[case("AA=A")]
#[case("=AA")]
#[case("AB")]
#[case("AA\\n")]
#[case("A.A")]
#[case("%41A")]
fn no_other_text_is_base64(#[case] x: &str) {
    let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#);
    assert_eq!(problem(&jwk), Some(KeyProblem::NotBase64Url("x")));
}

/// A key whose x begins with a zero byte, as one of 256 does, and of P-521 one of two.
#[rstest]
#[case("P-256", "ES256", 32, Signer::p256)]
#[case("P-521", "ES512", 66, Signer::p521)]
fn a_coordinate_may_lack_its_leading_zeros_or_have_one_more(
    #[case] curve: &str,
    #[case] alg: &str,
    #[case] length: usize,
    #[case] new: fn() -> Signer,
) {
    let jwk = |x: &[u8], y: &[u8]| {
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        format!(r#"{{"kty":"EC","crv":"{curve}","x":"{x}","y":"{y}"}}"#)
    };
    let (signer, point) = std::iter::repeat_with(new)
        .find_map(|signer| {
            let Signer::Ecdsa { pair, .. } = &signer else {
                unreachable!()
            };
            let point = aws_lc_rs::signature::KeyPair::public_key(pair).as_ref()[1..].to_vec();
            (point[0] == 0).then_some((signer, point))
        })
        .unwrap();
    let (x, y) = point.split_at(length);
    for x in [x, &x[1..], &[&[0], x].concat()] {
        verifies(&signer, alg, &jwk(x, y));
    }
    let longer = [&[1], x].concat();
    let expected = KeyProblem::Length {
        member: "x",
        expected: length,
    };
    assert_eq!(problem(&jwk(&longer, y)), Some(expected.clone()));
    assert_eq!(problem(&jwk(&[], y)), Some(expected));
}

#[test]
fn a_kid_that_is_a_number_is_named_as_it_is_written() {
    let keys = set(&[ED25519.jwk(r#""kid":17"#)]).unwrap();
    assert!(keys.select(Some("17"), Algorithm::EdDSA).is_ok());
    assert_eq!(
        keys.members[0].kid.as_ref().map(ToString::to_string).as_deref(),
        Some("17")
    );
    for kid in ["017", "17.0", "1", ""] {
        assert!(keys.select(Some(kid), Algorithm::EdDSA).is_err(), "{kid}");
    }
    // In a token it must be a string (RFC 7515 §4.1.4).
    let token = ED25519.token_with_header("EdDSA", r#"{"alg":"EdDSA","kid":17}"#, "{}");
    assert_eq!(
        verify_now(token, &keys).err(),
        Some(Error::HeaderMember { member: "kid" })
    );
}
