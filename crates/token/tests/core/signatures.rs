//! RFC 7518 §3, RFC 8037 §3.1: each algorithm's signatures, and the forgeries that its verifiers have been known to take.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair,
};
use pg_session_jwt_token::{Error, KeySet};
use rstest::rstest;
use testkit::malleable::{P256_ORDER, P521_ORDER, bytes_of_hex, negated, with_ed25519_order};

use crate::sign::{ED25519, HMAC, P256, P384, P521, RSA, Signer, part, pinned, set, verify_now};

const CLAIMS: &str = r#"{"sub":"alice"}"#;

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
        "ES512" => &P521,
        _ if alg.starts_with("HS") => &HMAC,
        _ => &RSA,
    };
    (signer, set(&[signer.jwk("")]).unwrap())
}

#[rstest]
fn every_algorithm_verifies_its_own_signature(
    #[values(
        "EdDSA", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "HS256", "HS384",
        "HS512"
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
        "EdDSA", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "HS256", "HS384",
        "HS512"
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
        "EdDSA", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "HS256", "HS384",
        "HS512"
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
#[rstest]
#[case(&P256, "ES256", P256_ORDER)]
#[case(&P521, "ES512", P521_ORDER)]
fn ecdsa_values_outside_the_group_are_rejected(#[case] signer: &Signer, #[case] alg: &str, #[case] order: &str) {
    let order = bytes_of_hex(order);
    let length = order.len();
    let one = [vec![0; length - 1], vec![1]].concat();
    let (zero, ones) = (vec![0; length], vec![0xFF; length]);
    let good = signer.sign(alg, signing_input(alg).as_bytes());
    let (r, s) = good.split_at(length);
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
        (&ones, &ones),
    ];
    for (r, s) in values {
        let outcome = verify_now(signed(alg, &[r, s].concat()), &pinned(signer));
        assert_eq!(outcome, Err(Error::Signature), "{alg} {r:?} {s:?}");
    }
}

/// attack: 33
#[rstest]
#[case(&P256, "ES256", &ECDSA_P256_SHA256_ASN1_SIGNING)]
#[case(&P521, "ES512", &ECDSA_P521_SHA512_ASN1_SIGNING)]
fn an_ecdsa_signature_in_der_is_rejected(
    #[case] signer: &Signer,
    #[case] alg: &str,
    #[case] form: &'static EcdsaSigningAlgorithm,
) {
    let Signer::Ecdsa { pair, .. } = signer else {
        unreachable!()
    };
    let pkcs8 = pair.to_pkcs8v1().unwrap();
    let der = EcdsaKeyPair::from_pkcs8(form, pkcs8.as_ref()).unwrap();
    assert_eq!(der.public_key().as_ref(), pair.public_key().as_ref());
    let signature = der.sign(&SystemRandom::new(), signing_input(alg).as_bytes()).unwrap();
    assert_eq!(
        verify_now(signed(alg, signature.as_ref()), &pinned(signer)),
        Err(Error::Signature)
    );
}

/// ECDSA itself takes (r, n - s) for (r, s), so a token has two texts: nothing may be keyed on its text.
/// attack: 31
#[rstest]
#[case(&P256, "ES256", P256_ORDER)]
#[case(&P521, "ES512", P521_ORDER)]
fn the_negated_ecdsa_signature_is_the_same_identity(#[case] signer: &Signer, #[case] alg: &str, #[case] order: &str) {
    let good = signer.sign(alg, signing_input(alg).as_bytes());
    let keys = pinned(signer);
    let twin = verify_now(signed(alg, &negated(order, &good)), &keys);
    assert_eq!(twin, verify_now(signed(alg, &good), &keys));
    assert_eq!(twin.unwrap().claims, CLAIMS);
}

/// RFC 8032 §5.1.7: S must be below the order, or every signature would have a second text.
/// attack: 35
#[test]
fn an_ed25519_signature_with_the_order_added_is_rejected() {
    let signature = ED25519.sign("EdDSA", signing_input("EdDSA").as_bytes());
    let signature = with_ed25519_order(&signature);
    assert_eq!(
        verify_now(signed("EdDSA", &signature), &pinned(&ED25519)),
        Err(Error::Signature)
    );
}

/// RFC 7518 §3.4: 132 bytes. Leading zeros belong to a signature, and P-521 has at least seven zero bits before each number.
/// attack: 33
#[test]
fn an_es512_signature_has_its_leading_zeros() {
    let mut shortened = 0;
    for jti in 0.. {
        let input = format!("{}.{}", part(r#"{"alg":"ES512"}"#), part(format!(r#"{{"jti":{jti}}}"#)));
        let good = P521.sign("ES512", input.as_bytes());
        assert_eq!(good.len(), 132);
        let keys = pinned(&P521);
        assert!(verify_now(format!("{input}.{}", part(&good)), &keys).is_ok());
        if good[0] == 0 && good[66] == 0 {
            let short = [&good[1..66], &good[67..]].concat();
            for bad in [&short[..], &good[1..]] {
                let outcome = verify_now(format!("{input}.{}", part(bad)), &keys);
                assert_eq!(outcome, Err(Error::Signature));
            }
            shortened += 1;
        }
        if shortened == 3 {
            break;
        }
    }
}

/// attack: 39
#[test]
fn rsa_values_that_need_no_private_key_are_rejected() {
    let modulus = RSA.modulus();
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
