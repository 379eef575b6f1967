//! RFC 5280 §4.1: certificates that are complete, whatever their fields, and all others.

use aws_lc_rs::signature::KeyPair as _;
use pg_session_jwt_token::KeyProblem;
use rstest::rstest;

use crate::certificates::{certificate, jwk, outcome, problem};
use crate::sign::{ED25519, P256, RSA, Signer, problems, set};

/// An element of DER.
fn element(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let length = content.len().to_be_bytes();
    let length = match content.len() {
        0..0x80 => vec![length[7]],
        0x80..0x100 => vec![0x81, length[7]],
        0x100..0x1_0000 => vec![0x82, length[6], length[7]],
        _ => vec![0x83, length[5], length[6], length[7]],
    };
    [vec![tag], length, content].concat()
}

fn sequence(content: &[&[u8]]) -> Vec<u8> {
    element(0x30, content)
}

/// A certificate of version 1 whose further fields are all empty.
fn bare(key_info: &[u8]) -> Vec<u8> {
    let empty = sequence(&[]);
    let fields = sequence(&[&element(2, &[&[1]]), &empty, &empty, &empty, &empty, key_info]);
    sequence(&[&fields, &empty, &element(3, &[&[0]])])
}

const RSA_ID: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1];
const RSA_PSS_ID: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 10];
const EC_ID: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1];
const P256_ID: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7];
const SECP256K1_ID: &[u8] = &[0x2B, 0x81, 4, 0, 10];
const X25519_ID: &[u8] = &[0x2B, 0x65, 110];
const ED25519_ID: &[u8] = &[0x2B, 0x65, 112];

/// A SubjectPublicKeyInfo.
fn key_info(kind: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let algorithm = sequence(&[&element(6, &[kind]), parameters]);
    sequence(&[&algorithm, &element(3, &[&[0], key])])
}

fn curve(id: &[u8]) -> Vec<u8> {
    element(6, &[id])
}

/// The SubjectPublicKeyInfo of an RSA key.
fn rsa_info(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let sign: &[u8] = if number[0] >= 0x80 { &[0] } else { &[] };
        element(2, &[sign, number])
    };
    let key = sequence(&[&integer(modulus), &integer(exponent)]);
    key_info(RSA_ID, &element(5, &[]), &key)
}

fn public_key(signer: &Signer) -> Vec<u8> {
    match signer {
        Signer::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        Signer::Ecdsa { pair, .. } => pair.public_key().as_ref().to_vec(),
        _ => panic!("no point"),
    }
}

/// Names, dates and the signature of `bare` are empty: it has only a number and the key.
#[test]
fn nothing_else_of_a_certificate_counts() {
    let p256 = key_info(EC_ID, &curve(P256_ID), &public_key(&P256));
    assert_eq!(outcome(&P256, "ES256", jwk("EC", &bare(&p256), "")), Ok(()));
    let ed25519 = key_info(ED25519_ID, &[], &public_key(&ED25519));
    assert_eq!(outcome(&ED25519, "EdDSA", jwk("OKP", &bare(&ed25519), "")), Ok(()));
    let rsa = rsa_info(&RSA.modulus(), &[1, 0, 1]);
    assert_eq!(outcome(&RSA, "RS256", jwk("RSA", &bare(&rsa), "")), Ok(()));
}

#[test]
fn a_certificate_is_complete_and_ends_where_it_ends() {
    let whole = certificate(&ED25519);
    for length in 0..whole.len() {
        let cut = jwk("OKP", &whole[..length], "");
        assert_eq!(problem(&cut), Some(KeyProblem::Certificate), "{length}");
    }
    let longer = [&whole[..], &[0]].concat();
    assert_eq!(problem(&jwk("OKP", &longer, "")), Some(KeyProblem::Certificate));
    // The length of the outermost element: too long, indefinite, and of too many bytes.
    for length in [
        &[0x82, 0xFF, 0xFF][..],
        &[0x80, 0, 0],
        &[0x88, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    ] {
        let odd = [&[0x30], length, &whole[3..]].concat();
        assert_eq!(
            problem(&jwk("OKP", &odd, "")),
            Some(KeyProblem::Certificate),
            "{length:?}"
        );
    }
    // A key info by itself, and one byte repeated.
    let info = key_info(ED25519_ID, &[], &public_key(&ED25519));
    assert_eq!(problem(&jwk("OKP", &info, "")), Some(KeyProblem::Certificate));
    for byte in 0..=255 {
        assert_eq!(
            problem(&jwk("OKP", &[byte; 1000], "")),
            Some(KeyProblem::Certificate),
            "{byte}"
        );
    }
}

/// No byte of a certificate makes its reader fail in another way than with a reason.
#[test]
fn a_changed_byte_gives_a_reason_or_a_key() {
    let whole = certificate(&P256);
    for at in 0..whole.len() {
        for mask in [1, 0x20, 0x80, 0xFF] {
            let mut changed = whole.clone();
            changed[at] ^= mask;
            let found = problem(&jwk("EC", &changed, ""));
            let expected = [
                None,
                Some(KeyProblem::Certificate),
                Some(KeyProblem::CertifiedKey),
                Some(KeyProblem::OtherCertifiedKey),
                Some(KeyProblem::NotOnCurve),
            ];
            assert!(expected.contains(&found), "{at} {mask} {found:?}");
        }
    }
}

#[test]
fn a_certificate_has_at_most_16_kib() {
    let info = key_info(ED25519_ID, &[], &public_key(&ED25519));
    // A version 3 with so many bytes of extensions, behind the key.
    let sized = |bytes: usize| {
        let certificate = |filler: usize| {
            let empty = sequence(&[]);
            let version = element(0xA0, &[&element(2, &[&[2]])]);
            let extensions = element(0xA3, &[&vec![0; filler]]);
            let number = element(2, &[&[1]]);
            let fields = sequence(&[&version, &number, &empty, &empty, &empty, &empty, &info, &extensions]);
            sequence(&[&fields, &empty, &element(3, &[&[0]])])
        };
        let overhead = certificate(16_000).len() - 16_000;
        let certificate = certificate(bytes - overhead);
        assert_eq!(certificate.len(), bytes);
        certificate
    };
    assert_eq!(problem(&jwk("OKP", &sized(16_384), "")), None);
    assert_eq!(problem(&jwk("OKP", &sized(16_385), "")), Some(KeyProblem::Certificate));
}

#[rstest]
#[case("RSA", key_info(RSA_PSS_ID, &[], &[]))]
#[case("RSA", key_info(RSA_ID, &element(5, &[]), &[1, 2, 3]))]
#[case("RSA", key_info(RSA_ID, &element(5, &[]), &sequence(&[&element(2, &[&[0x80]]), &element(2, &[&[3]])])))]
#[case("EC", key_info(EC_ID, &curve(SECP256K1_ID), &[4; 65]))]
#[case("EC", key_info(EC_ID, &sequence(&[]), &public_key(&P256)))]
#[case("EC", key_info(EC_ID, &[], &public_key(&P256)))]
#[case("EC", key_info(EC_ID, &curve(P256_ID), &public_key(&P256)[..64]))]
#[case("EC", key_info(EC_ID, &curve(P256_ID), &[&[2], &public_key(&P256)[1..33]].concat()))]
#[case("EC", key_info(EC_ID, &curve(P256_ID), &[&[6], &public_key(&P256)[1..]].concat()))]
#[case("EC", key_info(EC_ID, &curve(P256_ID), &[0]))]
#[case("OKP", key_info(X25519_ID, &[], &[9; 32]))]
#[case("OKP", key_info(ED25519_ID, &[], &[9; 31]))]
#[case("OKP", key_info(ED25519_ID, &[], &[9; 33]))]
fn a_certificate_of_another_key_is_rejected(#[case] kty: &str, #[case] info: Vec<u8>) {
    assert_eq!(problem(&jwk(kty, &bare(&info), "")), Some(KeyProblem::CertifiedKey));
}

/// attack: 34, 36, 41
#[test]
fn a_weak_key_of_a_certificate_is_rejected() {
    let modulus = RSA.modulus();
    let weak = |kty: &str, info: &[u8]| problems(set(&[jwk(kty, &bare(info), "")]));
    assert_eq!(weak("RSA", &rsa_info(&modulus[..128], &[3])), [KeyProblem::Modulus]);
    assert_eq!(weak("RSA", &rsa_info(&modulus, &[1])), [KeyProblem::Exponent]);
    let mut point = public_key(&P256);
    point[40] ^= 1;
    assert_eq!(
        weak("EC", &key_info(EC_ID, &curve(P256_ID), &point)),
        [KeyProblem::NotOnCurve]
    );
    let small = [vec![1], vec![0; 31]].concat();
    assert_eq!(weak("OKP", &key_info(ED25519_ID, &[], &small)), [KeyProblem::WeakPoint]);
}
