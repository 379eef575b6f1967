//! RFC 7518 §6.3.1: an RSA public key is a modulus of 2048 to 8192 bits and an odd exponent from 3 to 33 bits.

use aws_lc_rs::signature::KeyPair;
use pg_session_jwt_token::keys::Key;
use pg_session_jwt_token::{Error, KeyProblem};
use rstest::rstest;

use crate::sign::{RSA, RSAS, Signer, part, set, verify_now};

fn rejection(n: impl AsRef<[u8]>, e: impl AsRef<[u8]>) -> Option<Error> {
    Key::from_public_jwk(&format!(r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#, part(n), part(e))).err()
}

/// An odd number of that many bits, with unknown factors.
fn modulus(bits: usize) -> Vec<u8> {
    let mut modulus = vec![0xA5; bits.div_ceil(8)];
    let top = 1 << ((bits + 7) % 8);
    modulus[0] = top | (modulus[0] & (top - 1));
    modulus
}

fn exponent(e: u64) -> Vec<u8> {
    e.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

#[rstest]
fn a_modulus_of_2048_to_8192_bits_is_accepted(#[values(2048, 2049, 2056, 3072, 4096, 8191, 8192)] bits: usize) {
    assert_eq!(rejection(modulus(bits), [1, 0, 1]), None, "{bits}");
}

/// attack: 41
#[rstest]
fn a_modulus_has_2048_to_8192_bits(#[values(1, 8, 512, 1024, 2040, 2041, 2047, 8193, 8200, 16384, 65536)] bits: usize) {
    assert_eq!(
        rejection(modulus(bits), [1, 0, 1]),
        Some(Error::Key(KeyProblem::Modulus)),
        "{bits}"
    );
}

#[rstest]
fn a_modulus_of_zero_is_rejected(#[values(Vec::new(), vec![0], vec![0; 256])] n: Vec<u8>) {
    assert_eq!(rejection(&n, [1, 0, 1]), Some(Error::Key(KeyProblem::Modulus)), "{n:?}");
}

#[test]
fn zeros_before_a_modulus_are_no_bits() {
    let padded = |bits, zeros| [vec![0; zeros], modulus(bits)].concat();
    assert_eq!(rejection(padded(2048, 1), [1, 0, 1]), None);
    assert_eq!(rejection(padded(8192, 300), [1, 0, 1]), None);
    assert_eq!(
        rejection(padded(2047, 1), [1, 0, 1]),
        Some(Error::Key(KeyProblem::Modulus))
    );
    assert_eq!(
        rejection(padded(1024, 128), [1, 0, 1]),
        Some(Error::Key(KeyProblem::Modulus))
    );
}

/// attack: 41
#[rstest]
fn an_even_modulus_is_rejected(#[values(2048, 4096, 8192)] bits: usize) {
    let mut even = modulus(bits);
    *even.last_mut().unwrap() &= 0xFE;
    assert_eq!(
        rejection(even, [1, 0, 1]),
        Some(Error::Key(KeyProblem::Modulus)),
        "{bits}"
    );
}

#[rstest]
fn an_odd_exponent_of_at_most_33_bits_is_accepted(
    #[values(3, 5, 17, 65_537, (1 << 31) + 1, (1 << 32) + 1, (1 << 33) - 1)] e: u64,
) {
    assert_eq!(rejection(modulus(2048), exponent(e)), None, "{e}");
}

/// attack: 41
#[rstest]
fn an_exponent_is_odd_and_has_at_most_33_bits(
    #[values(0, 1, 2, 4, 65_536, 1 << 32, 1 << 33, (1 << 33) + 1, (1 << 40) - 1, (1 << 40) + 1, u64::MAX)] e: u64,
) {
    assert_eq!(
        rejection(modulus(2048), exponent(e)),
        Some(Error::Key(KeyProblem::Exponent)),
        "{e}"
    );
}

#[rstest]
fn an_exponent_of_other_bytes_is_rejected(
    #[values(vec![], vec![0], vec![0; 8], vec![1; 100_000], [vec![1; 255], vec![3]].concat(), modulus(2048))] e: Vec<
        u8,
    >,
) {
    assert_eq!(
        rejection(modulus(2048), &e),
        Some(Error::Key(KeyProblem::Exponent)),
        "{} bytes",
        e.len()
    );
}

#[test]
fn zeros_before_an_exponent_are_no_bits() {
    assert_eq!(rejection(modulus(2048), [0, 0, 0, 0, 0, 0, 1, 0, 1]), None);
}

#[test]
fn a_modulus_or_exponent_must_be_a_base64url_text() {
    let n = part(modulus(2048));
    let read = |members: &str| Key::from_public_jwk(&format!(r#"{{"kty":"RSA",{members}}}"#)).err();
    let missing = |name| Some(Error::Key(KeyProblem::Member(name)));
    assert_eq!(read(r#""e":"AQAB""#), missing("n"));
    assert_eq!(read(&format!(r#""n":"{n}""#)), missing("e"));
    let mistyped = |name| Some(Error::Key(KeyProblem::NotText(name)));
    assert_eq!(read(r#""n":1,"e":"AQAB""#), mistyped("n"));
    assert_eq!(read(&format!(r#""n":"{n}","e":65537"#)), mistyped("e"));
    assert_eq!(read(&format!(r#""n":"{n}","e":null"#)), missing("e"));
    let garbled = |name| Some(Error::Key(KeyProblem::NotBase64Url(name)));
    assert_eq!(read(&format!(r#""n":"{n}=A","e":"AQAB""#)), garbled("n"));
    assert_eq!(read(&format!(r#""n":"{n}","e":"AQAB ""#)), garbled("e"));
    assert_eq!(read(&format!(r#""n":"{n}","e":"A+.B""#)), garbled("e"));
    assert_eq!(read(&format!(r#""n":"{n}","e":"AQB""#)), garbled("e"));
}

#[test]
fn a_key_written_with_a_sign_byte_verifies() {
    let Signer::Rsa(pair) = &*RSA else { unreachable!() };
    let n = pair.public_key().modulus().big_endian_without_leading_zero();
    let jwk = format!(r#"{{"kty":"RSA","n":"{}","e":"AAEAAQ"}}"#, part([&[0], n].concat()));
    let token = RSA.token("RS256", "{}");
    assert_eq!(verify_now(token, &set(&[jwk]).unwrap()).unwrap().claims, "{}");
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
}

#[rstest]
fn an_alg_of_another_kind_is_rejected(
    #[values(
        "RSA-OAEP",
        "RSA-OAEP-256",
        "RSA1_5",
        "RS1",
        "ES256",
        "HS256",
        "EdDSA",
        "none",
        "",
        "rs256"
    )]
    alg: &str,
) {
    let rejected = Key::from_public_jwk(&RSA.jwk(&format!(r#""alg":"{alg}""#))).err();
    assert_eq!(rejected, Some(Error::Key(KeyProblem::Algorithm)), "{alg}");
}
