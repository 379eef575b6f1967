//! Keys of a set that share a name or their material.

use pg_session_jwt_token::algorithm::Algorithm;
use pg_session_jwt_token::{Error, KeyProblem};

use crate::sign::{ED25519, P256, P521, RSA, Signer, problems, set, verify_now};

/// attack: 12
#[test]
fn of_two_keys_with_one_kid_and_one_algorithm_neither_is_used() {
    let other = Signer::ed25519();
    let keys = set(&[
        ED25519.jwk(r#""kid":"a""#),
        P256.jwk(r#""kid":"b""#),
        other.jwk(r#""kid":"a""#),
        RSA.jwk(r#""kid":"c""#),
        Signer::rsa().jwk(r#""kid":"c","alg":"PS512""#),
    ])
    .unwrap();
    let duplicate = KeyProblem::DuplicateKeyId;
    assert_eq!(
        keys.skipped(),
        [
            (0, duplicate.clone()),
            (2, duplicate.clone()),
            (3, duplicate.clone()),
            (4, duplicate)
        ]
    );
    assert!(keys.select(Some("b"), Algorithm::ES256).is_ok());
    let alone = set(&[ED25519.jwk(r#""kid":"a""#), other.jwk(r#""kid":"a""#)]);
    assert_eq!(problems(alone), vec![KeyProblem::DuplicateKeyId; 2]);
}

#[test]
fn a_secret_with_the_bytes_of_a_public_key_is_another_key() {
    let Signer::Ed25519(pair) = &*ED25519 else {
        unreachable!()
    };
    let secret = Signer::Hmac(aws_lc_rs::signature::KeyPair::public_key(pair).as_ref().to_vec());
    for pair in [[&*ED25519, &secret], [&secret, &*ED25519]] {
        let keys = set(&pair.map(|signer| signer.jwk(r#""kid":"a""#))).unwrap();
        assert_eq!(keys.skipped(), []);
        let outcome = |signer: &Signer, alg: &str| {
            let header = format!(r#"{{"alg":"{alg}","kid":"a"}}"#);
            verify_now(signer.token_with_header(alg, header, "{}"), &keys).map(|identity| identity.claims)
        };
        assert_eq!(outcome(&ED25519, "EdDSA"), Ok("{}".to_owned()));
        assert_eq!(outcome(&secret, "HS256"), Ok("{}".to_owned()));
        let stranger = Signer::hmac(32);
        assert_eq!(outcome(&stranger, "HS256"), Err(Error::Signature));
        assert_eq!(
            outcome(&P256, "ES256"),
            Err(Error::AlgorithmMismatch { alg: Algorithm::ES256 })
        );
    }
}

/// Some providers give the keys of one rotation one name.
/// attack: 4, 12
#[test]
fn keys_with_one_kid_are_selected_by_the_algorithm() {
    let other = Signer::rsa();
    let keys = set(&[
        RSA.jwk(r#""kid":"a","alg":"RS256""#),
        other.jwk(r#""kid":"a","alg":"PS256""#),
        P256.jwk(r#""kid":"a""#),
        Signer::ed25519().jwk(r#""kid":"a","use":"enc""#),
    ])
    .unwrap();
    assert_eq!(keys.skipped(), [(3, KeyProblem::Use)]);
    for (signer, alg, verifies) in [
        (&*RSA, "RS256", true),
        (&other, "PS256", true),
        (&*P256, "ES256", true),
        (&*RSA, "PS256", false),
        (&other, "RS256", false),
    ] {
        let header = format!(r#"{{"alg":"{alg}","kid":"a"}}"#);
        let outcome = verify_now(signer.token_with_header(alg, header, "{}"), &keys);
        let expected = if verifies {
            Ok("{}".to_owned())
        } else {
            Err(Error::Signature)
        };
        assert_eq!(outcome.map(|identity| identity.claims), expected, "{alg}");
    }
    let header = r#"{"alg":"RS512","kid":"a"}"#;
    let outcome = verify_now(RSA.token_with_header("RS512", header, "{}"), &keys);
    assert_eq!(outcome, Err(Error::AlgorithmMismatch { alg: Algorithm::RS512 }));
}

#[test]
fn a_modulus_with_another_exponent_is_another_key() {
    let jwk = RSA.jwk(r#""kid":"a""#);
    let other = jwk.replace(r#""e":"AQAB""#, r#""e":"Aw""#);
    assert_ne!(jwk, other);
    assert_eq!(problems(set(&[jwk, other])), vec![KeyProblem::DuplicateKeyId; 2]);
}

#[test]
fn an_unusable_twin_takes_no_kid_away() {
    let keys = set(&[RSA.jwk(r#""kid":"a","use":"enc""#), ED25519.jwk(r#""kid":"a""#)]).unwrap();
    assert_eq!(keys.skipped(), [(0, KeyProblem::Use)]);
    assert!(keys.select(Some("a"), Algorithm::EdDSA).is_ok());
}

#[test]
fn the_same_key_listed_twice_is_one_key() {
    let named = ED25519.jwk(r#""kid":"a""#);
    let token = ED25519.token("EdDSA", "{}");
    let p521 = P521.jwk(r#""kid":"b""#);
    assert_eq!(set(&[p521.clone(), p521.clone()]).unwrap().skipped(), []);
    let other = Signer::p521().jwk(r#""kid":"b""#);
    assert_eq!(problems(set(&[p521, other])), vec![KeyProblem::DuplicateKeyId; 2]);
    for jwks in [[ED25519.jwk(""), ED25519.jwk("")], [named.clone(), named]] {
        let keys = set(&jwks).unwrap();
        assert_eq!(keys.skipped(), []);
        assert_eq!(
            verify_now(&token, &keys).map(|identity| identity.claims),
            Ok("{}".to_owned())
        );
    }
}

#[test]
fn a_key_listed_once_for_each_algorithm_verifies_each() {
    let keys = set(&[
        RSA.jwk(r#""kid":"a","alg":"RS256""#),
        RSA.jwk(r#""kid":"a","alg":"PS384""#),
    ])
    .unwrap();
    assert_eq!(keys.skipped(), []);
    for alg in ["RS256", "PS384"] {
        let header = format!(r#"{{"alg":"{alg}","kid":"a"}}"#);
        let outcome = verify_now(RSA.token_with_header(alg, header, "{}"), &keys);
        assert_eq!(outcome.map(|identity| identity.claims), Ok("{}".to_owned()), "{alg}");
    }
    let header = r#"{"alg":"RS512","kid":"a"}"#;
    let outcome = verify_now(RSA.token_with_header("RS512", header, "{}"), &keys);
    assert_eq!(outcome, Err(Error::AlgorithmMismatch { alg: Algorithm::RS512 }));
}
