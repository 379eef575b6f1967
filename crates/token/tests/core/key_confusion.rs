//! RFC 8725 §2.1, §3.1: one key has one family. What the header says can only agree with the key.

use pg_session_jwt_token::Error;
use pg_session_jwt_token::algorithm::Algorithm;
use rstest::rstest;

use crate::sign::{ED25519, HMAC, P256, P384, P521, RSA, RSAS, Signer, pinned, set, verify_now};

const CLAIMS: &str = r#"{"sub":"mallory"}"#;
const HMACS: [(&str, Algorithm); 3] = [
    ("HS256", Algorithm::HS256),
    ("HS384", Algorithm::HS384),
    ("HS512", Algorithm::HS512),
];

/// attack: 4
#[rstest]
fn a_mac_keyed_with_the_public_key_is_rejected(#[values(&*ED25519, &*P256, &*P384, &*P521, &*RSA)] signer: &Signer) {
    let pinned = pinned(signer);
    let of_one = set(&[signer.jwk(r#""kid":"a""#)]).unwrap();
    for secret in signer.public_texts() {
        let forger = Signer::Hmac(secret);
        for (name, alg) in HMACS {
            let mismatch = Err(Error::AlgorithmMismatch { alg });
            assert_eq!(verify_now(forger.token(name, CLAIMS), &pinned), mismatch);
            let named = forger.token_with_header(name, format!(r#"{{"alg":"{name}","kid":"a"}}"#), CLAIMS);
            assert_eq!(verify_now(named, &of_one), mismatch);
            let nameless = verify_now(forger.token(name, CLAIMS), &of_one);
            assert_eq!(nameless, Err(Error::AmbiguousKey { candidates: 0 }));
        }
    }
}

/// attack: 5
#[test]
fn a_key_with_an_algorithm_verifies_no_other() {
    for (own, _) in RSAS {
        let keys = set(&[RSA.jwk(&format!(r#""kid":"a","alg":"{own}""#))]).unwrap();
        for (name, alg) in RSAS {
            let header = format!(r#"{{"alg":"{name}","kid":"a"}}"#);
            let outcome = verify_now(RSA.token_with_header(name, header, CLAIMS), &keys);
            if own == name {
                assert_eq!(outcome.unwrap().claims, CLAIMS);
            } else {
                assert_eq!(
                    outcome,
                    Err(Error::AlgorithmMismatch { alg }),
                    "key {own}, header {name}"
                );
            }
        }
    }
    for (own, _) in HMACS {
        let keys = set(&[HMAC.jwk(&format!(r#""kid":"a","alg":"{own}""#))]).unwrap();
        for (name, alg) in HMACS.into_iter().filter(|(name, _)| *name != own) {
            let header = format!(r#"{{"alg":"{name}","kid":"a"}}"#);
            let outcome = verify_now(HMAC.token_with_header(name, header, CLAIMS), &keys);
            assert_eq!(
                outcome,
                Err(Error::AlgorithmMismatch { alg }),
                "key {own}, header {name}"
            );
        }
    }
}

/// attack: 6
#[rstest]
#[case(&*P256, "ES256")]
#[case(&*P384, "ES384")]
#[case(&*P521, "ES512")]
#[case(&*ED25519, "EdDSA")]
fn a_curve_has_one_algorithm(#[case] signer: &Signer, #[case] own: &str) {
    let others = [
        ("ES256", Algorithm::ES256),
        ("ES384", Algorithm::ES384),
        ("ES512", Algorithm::ES512),
        ("EdDSA", Algorithm::EdDSA),
    ];
    for (name, alg) in others.into_iter().chain(RSAS).filter(|(name, _)| *name != own) {
        let outcome = verify_now(signer.token(name, CLAIMS), &pinned(signer));
        assert_eq!(
            outcome,
            Err(Error::AlgorithmMismatch { alg }),
            "key {own}, header {name}"
        );
    }
}

/// attack: 5
#[test]
fn a_signature_of_another_algorithm_than_the_header_names_is_wrong() {
    let keys = pinned(&RSA);
    for (real, _) in RSAS {
        for (claimed, _) in RSAS.into_iter().filter(|(claimed, _)| *claimed != real) {
            let header = format!(r#"{{"alg":"{claimed}"}}"#);
            let outcome = verify_now(RSA.token_with_header(real, header, CLAIMS), &keys);
            assert_eq!(outcome, Err(Error::Signature), "signed {real}, header {claimed}");
        }
    }
    let keys = set(&[HMAC.jwk("")]).unwrap();
    for (real, _) in HMACS {
        for (claimed, _) in HMACS.into_iter().filter(|(claimed, _)| *claimed != real) {
            let header = format!(r#"{{"alg":"{claimed}"}}"#);
            let outcome = verify_now(HMAC.token_with_header(real, header, CLAIMS), &keys);
            assert_eq!(outcome, Err(Error::Signature), "signed {real}, header {claimed}");
        }
    }
}
