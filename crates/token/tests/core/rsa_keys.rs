//! RFC 7518 §6.3.1: an RSA public key is a modulus of 2048 to 8192 bits and an odd exponent from 3 to 33 bits.

use aws_lc_rs::signature::KeyPair;
use pg_session_jwt_token::keys::Key;
use pg_session_jwt_token::{Error, KeyProblem};

use crate::sign::{RSA, RSAS, Signer, judge, part, set};

fn refusal(n: impl AsRef<[u8]>, e: impl AsRef<[u8]>) -> Option<Error> {
    Key::from_public_jwk(&format!(r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#, part(n), part(e))).err()
}

/// An odd number of so many bits; nobody knows its factors.
fn modulus(bits: usize) -> Vec<u8> {
    let mut modulus = vec![0xA5; bits.div_ceil(8)];
    let top = 1 << ((bits + 7) % 8);
    modulus[0] = top | (modulus[0] & (top - 1));
    modulus
}

fn exponent(e: u64) -> Vec<u8> {
    e.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

/// attack: 41
#[test]
fn a_modulus_has_2048_to_8192_bits() {
    for bits in [2048, 2049, 2056, 3072, 4096, 8191, 8192] {
        assert_eq!(refusal(modulus(bits), [1, 0, 1]), None, "{bits}");
    }
    for bits in [1, 8, 512, 1024, 2040, 2041, 2047, 8193, 8200, 16384, 65536] {
        assert_eq!(
            refusal(modulus(bits), [1, 0, 1]),
            Some(Error::Key(KeyProblem::Modulus)),
            "{bits}"
        );
    }
    for n in [Vec::new(), vec![0], vec![0; 256]] {
        assert_eq!(refusal(&n, [1, 0, 1]), Some(Error::Key(KeyProblem::Modulus)), "{n:?}");
    }
}

#[test]
fn zeros_before_a_modulus_are_no_bits() {
    let padded = |bits, zeros| [vec![0; zeros], modulus(bits)].concat();
    assert_eq!(refusal(padded(2048, 1), [1, 0, 1]), None);
    assert_eq!(refusal(padded(8192, 300), [1, 0, 1]), None);
    assert_eq!(
        refusal(padded(2047, 1), [1, 0, 1]),
        Some(Error::Key(KeyProblem::Modulus))
    );
    assert_eq!(
        refusal(padded(1024, 128), [1, 0, 1]),
        Some(Error::Key(KeyProblem::Modulus))
    );
}

/// attack: 41
#[test]
fn an_even_modulus_is_refused() {
    for bits in [2048, 4096, 8192] {
        let mut even = modulus(bits);
        *even.last_mut().unwrap() &= 0xFE;
        assert_eq!(
            refusal(even, [1, 0, 1]),
            Some(Error::Key(KeyProblem::Modulus)),
            "{bits}"
        );
    }
}

/// attack: 41
#[test]
fn an_exponent_is_odd_and_has_at_most_33_bits() {
    for e in [3, 5, 17, 65_537, (1 << 31) + 1, (1 << 32) + 1, (1 << 33) - 1] {
        assert_eq!(refusal(modulus(2048), exponent(e)), None, "{e}");
    }
    for e in [
        0,
        1,
        2,
        4,
        65_536,
        1 << 32,
        1 << 33,
        (1 << 33) + 1,
        (1 << 40) - 1,
        (1 << 40) + 1,
        u64::MAX,
    ] {
        assert_eq!(
            refusal(modulus(2048), exponent(e)),
            Some(Error::Key(KeyProblem::Exponent)),
            "{e}"
        );
    }
    let huge = [vec![1; 255], vec![3]].concat();
    for e in [vec![], vec![0], vec![0; 8], vec![1; 100_000], huge, modulus(2048)] {
        assert_eq!(
            refusal(modulus(2048), &e),
            Some(Error::Key(KeyProblem::Exponent)),
            "{} bytes",
            e.len()
        );
    }
    assert_eq!(refusal(modulus(2048), [0, 0, 0, 0, 0, 0, 1, 0, 1]), None);
}

#[test]
fn a_modulus_or_exponent_must_be_a_base64url_text() {
    let n = part(modulus(2048));
    let read = |members: &str| Key::from_public_jwk(&format!(r#"{{"kty":"RSA",{members}}}"#)).err();
    let missing = |name| Some(Error::Key(KeyProblem::Member(name)));
    assert_eq!(read(r#""e":"AQAB""#), missing("n"));
    assert_eq!(read(&format!(r#""n":"{n}""#)), missing("e"));
    assert_eq!(read(r#""n":1,"e":"AQAB""#), missing("n"));
    assert_eq!(read(&format!(r#""n":"{n}","e":65537"#)), missing("e"));
    assert_eq!(read(&format!(r#""n":"{n}","e":null"#)), missing("e"));
    let garbled = |name| Some(Error::Key(KeyProblem::NotBase64Url(name)));
    assert_eq!(read(&format!(r#""n":"{n}=","e":"AQAB""#)), garbled("n"));
    assert_eq!(read(&format!(r#""n":"{n}","e":"AQAB ""#)), garbled("e"));
    assert_eq!(read(&format!(r#""n":"{n}","e":"A+/B""#)), garbled("e"));
    assert_eq!(read(&format!(r#""n":"{n}","e":"AQB""#)), garbled("e"));
}

#[test]
fn a_key_written_with_a_sign_byte_verifies() {
    let Signer::Rsa(pair) = &*RSA else { unreachable!() };
    let n = pair.public_key().modulus().big_endian_without_leading_zero();
    let jwk = format!(r#"{{"kty":"RSA","n":"{}","e":"AAEAAQ"}}"#, part([&[0], n].concat()));
    let token = RSA.token("RS256", "{}");
    assert_eq!(judge(token, &set(&[jwk]).unwrap()).unwrap().claims, "{}");
}

#[test]
fn an_alg_narrows_the_six_to_one() {
    let any = set(&[RSA.jwk("")]).unwrap();
    for (name, alg) in RSAS {
        assert!(any.select(None, alg).is_ok(), "{name}");
        let narrowed = set(&[RSA.jwk(&format!(r#""alg":"{name}""#))]).unwrap();
        for (_, other) in RSAS {
            assert_eq!(narrowed.select(None, other).is_ok(), other == alg, "{name} {other:?}");
        }
    }
    for alg in [
        "RSA-OAEP",
        "RSA-OAEP-256",
        "RSA1_5",
        "RS1",
        "ES256",
        "HS256",
        "EdDSA",
        "none",
        "",
        "rs256",
    ] {
        let refused = Key::from_public_jwk(&RSA.jwk(&format!(r#""alg":"{alg}""#))).err();
        assert_eq!(refused, Some(Error::Key(KeyProblem::Algorithm)), "{alg}");
    }
}
