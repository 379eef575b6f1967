//! RFC 7518 §3, RFC 8037 §3.1: each algorithm's signatures, and the forgeries that its verifiers have been known to take.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use pg_session_jwt_token::{Error, KeySet};
use rstest::rstest;

use crate::sign::{ED25519, HMAC, P256, P384, RSA, Signer, part, pinned, set, verify_now};

const CLAIMS: &str = r#"{"sub":"alice"}"#;

/// Order of the group of P-256 (FIPS 186-5, SP 800-186 §3.2.1.3).
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
/// Order of the prime subgroup of edwards25519, little-endian (RFC 8032 §5.1).
const ED25519_ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

fn bytes(hex: &str) -> Vec<u8> {
    let digits = (0..hex.len()).step_by(2);
    digits
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// A token of alice's with this signature.
fn signed(alg: &str, signature: &[u8]) -> String {
    format!("{}.{}", signing_input(alg), part(signature))
}

fn signing_input(alg: &str) -> String {
    format!("{}.{}", part(format!(r#"{{"alg":"{alg}"}}"#)), part(CLAIMS))
}

/// The signer of an algorithm, and the set of its one key.
fn signer_of(alg: &str) -> (&'static Signer, KeySet) {
    let signer: &Signer = match alg {
        "EdDSA" => &ED25519,
        "ES256" => &P256,
        "ES384" => &P384,
        _ if alg.starts_with("HS") => &HMAC,
        _ => &RSA,
    };
    (signer, set(&[signer.jwk("")]).unwrap())
}

#[rstest]
fn every_algorithm_verifies_its_own_signature(
    #[values(
        "EdDSA", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "HS256", "HS384", "HS512"
    )]
    alg: &str,
) {
    let (signer, keys) = signer_of(alg);
    let identity = verify_now(signer.token(alg, CLAIMS), &keys);
    assert_eq!(
        identity.map(|identity| identity.user_id),
        Ok(Some("alice".to_owned())),
        "{alg}"
    );
}

#[rstest]
fn a_bit_more_or_less_anywhere_is_rejected(
    #[values(
        "EdDSA", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "HS256", "HS384", "HS512"
    )]
    alg: &str,
) {
    let (signer, keys) = signer_of(alg);
    let input = signing_input(alg);
    let signature = signer.sign(alg, input.as_bytes());
    for at in [0, signature.len() / 2, signature.len() - 1] {
        let mut bad = signature.clone();
        bad[at] ^= 1;
        assert_eq!(
            verify_now(signed(alg, &bad), &keys),
            Err(Error::Signature),
            "{alg} {at}"
        );
    }
    let bob = format!("{}.{}", part(format!(r#"{{"alg":"{alg}"}}"#)), part(r#"{"sub":"bob"}"#));
    assert_eq!(
        verify_now(format!("{bob}.{}", part(&signature)), &keys),
        Err(Error::Signature),
        "{alg}"
    );
    let spaced = format!("{}.{}", part(format!(r#"{{"alg": "{alg}"}}"#)), part(CLAIMS));
    assert_eq!(
        verify_now(format!("{spaced}.{}", part(&signature)), &keys),
        Err(Error::Signature),
        "{alg}"
    );
}

/// attack: 33, 39, 42
#[rstest]
fn a_signature_of_another_length_is_rejected(
    #[values(
        "EdDSA", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "HS256", "HS384", "HS512"
    )]
    alg: &str,
) {
    let (signer, keys) = signer_of(alg);
    let good = signer.sign(alg, signing_input(alg).as_bytes());
    let cut = good[..good.len() - 1].to_vec();
    let half = good[..good.len() / 2].to_vec();
    let longer = [&good[..], &[0]].concat();
    let shifted = [&[0], &good[..]].concat();
    let zeros = vec![0; good.len()];
    let ones = vec![0xFF; good.len()];
    let long = vec![1; 40_000];
    for bad in [Vec::new(), vec![0], cut, half, longer, shifted, zeros, ones, long] {
        assert_eq!(
            verify_now(signed(alg, &bad), &keys),
            Err(Error::Signature),
            "{alg} {} bytes",
            bad.len()
        );
    }
}

#[test]
fn another_key_of_the_same_kind_is_rejected() {
    let stranger = Signer::ed25519();
    assert_eq!(
        verify_now(stranger.token("EdDSA", CLAIMS), &pinned(&ED25519)),
        Err(Error::Signature)
    );
    let stranger = Signer::hmac(64);
    assert_eq!(
        verify_now(stranger.token("HS512", CLAIMS), &set(&[HMAC.jwk("")]).unwrap()),
        Err(Error::Signature)
    );
}

/// attack: 32
#[test]
fn ecdsa_values_outside_the_group_are_rejected() {
    let order = bytes(P256_ORDER);
    let one = [vec![0; 31], vec![1]].concat();
    let zero = vec![0; 32];
    let good = P256.sign("ES256", signing_input("ES256").as_bytes());
    let (r, s) = good.split_at(32);
    let values = [
        (&zero[..], &zero[..]),
        (r, &zero),
        (&zero, s),
        (&order, &order),
        (r, &order),
        (&order, s),
        (&one, &one),
        (&one, &zero),
        (&order, &one),
        (s, r),
        (&[0xFF; 32], &[0xFF; 32]),
    ];
    for (r, s) in values {
        let outcome = verify_now(signed("ES256", &[r, s].concat()), &pinned(&P256));
        assert_eq!(outcome, Err(Error::Signature), "{r:?} {s:?}");
    }
}

/// attack: 33
#[test]
fn an_ecdsa_signature_in_der_is_rejected() {
    let Signer::Ecdsa { pair, .. } = &*P256 else {
        unreachable!()
    };
    let pkcs8 = pair.to_pkcs8v1().unwrap();
    let der = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
    assert_eq!(der.public_key().as_ref(), pair.public_key().as_ref());
    let signature = der
        .sign(&SystemRandom::new(), signing_input("ES256").as_bytes())
        .unwrap();
    assert_eq!(
        verify_now(signed("ES256", signature.as_ref()), &pinned(&P256)),
        Err(Error::Signature)
    );
}

/// ECDSA itself takes (r, n - s) for (r, s), so a token has two texts: nothing may be keyed on its text.
/// attack: 31
#[test]
fn the_negated_ecdsa_signature_is_the_same_identity() {
    let good = P256.sign("ES256", signing_input("ES256").as_bytes());
    let (r, s) = good.split_at(32);
    let mut negated = bytes(P256_ORDER);
    let mut borrow = 0;
    for (digit, subtrahend) in negated.iter_mut().zip(s).rev() {
        let difference = i16::from(*digit) - i16::from(*subtrahend) - borrow;
        borrow = i16::from(difference < 0);
        *digit = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    let keys = pinned(&P256);
    let twin = verify_now(signed("ES256", &[r, &negated[..]].concat()), &keys);
    assert_eq!(twin, verify_now(signed("ES256", &good), &keys));
    assert_eq!(twin.unwrap().claims, CLAIMS);
}

/// RFC 8032 §5.1.7: S must be below the order, or every signature would have a second text.
/// attack: 35
#[test]
fn an_ed25519_signature_with_the_order_added_is_rejected() {
    let mut signature = ED25519.sign("EdDSA", signing_input("EdDSA").as_bytes());
    let mut carry = 0;
    for (digit, addend) in signature[32..].iter_mut().zip(bytes(ED25519_ORDER)) {
        let sum = u16::from(*digit) + u16::from(addend) + carry;
        carry = sum >> 8;
        *digit = sum.to_le_bytes()[0];
    }
    assert_eq!(carry, 0);
    assert_eq!(
        verify_now(signed("EdDSA", &signature), &pinned(&ED25519)),
        Err(Error::Signature)
    );
}

/// attack: 39
#[test]
fn rsa_values_that_need_no_private_key_are_rejected() {
    let Signer::Rsa(pair) = &*RSA else { unreachable!() };
    let modulus = pair.public_key().modulus().big_endian_without_leading_zero().to_vec();
    let mut below = modulus.clone();
    below[255] -= 1;
    let one = [vec![0; 255], vec![1]].concat();
    for alg in ["RS256", "PS256"] {
        for value in [&one, &below, &modulus] {
            assert_eq!(
                verify_now(signed(alg, value), &pinned(&RSA)),
                Err(Error::Signature),
                "{alg}"
            );
        }
    }
}
