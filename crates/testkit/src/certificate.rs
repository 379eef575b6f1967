//! Certificates of signing keys, as key sets have them in `x5c`, and certificates of an old kind.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use rcgen::{CertificateParams, DnType, KeyPair};

use crate::signer::Signer;

/// sha256WithRSAEncryption, and sha1WithRSAEncryption (RFC 8017 appendix A.2.4), in DER.
const SHA256_WITH_RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b";
const SHA1_WITH_RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05";
/// The tags of a sequence, and of the version and the extensions of a certificate (RFC 5280 §4.1).
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// A self-signed certificate for an RSA key, in DER.
pub fn of_signer(signer: &Signer, name: &str) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.self_signed(&key_pair(signer)).unwrap().der().to_vec()
}

/// An RSA key, for certificates.
pub fn key_pair(signer: &Signer) -> KeyPair {
    let Signer::Rsa(pair) = signer else {
        panic!("no RSA key")
    };
    let key: Pkcs8V1Der = pair.as_der().unwrap();
    KeyPair::try_from(key.as_ref()).unwrap()
}

/// The same certificate, signed by SHA-1 as it says itself.
pub fn by_sha1(certificate: &[u8]) -> Vec<u8> {
    let mut changed = certificate.to_vec();
    for at in 0..=changed.len() - SHA256_WITH_RSA.len() {
        let place = &mut changed[at..at + SHA256_WITH_RSA.len()];
        if place == SHA256_WITH_RSA {
            place.copy_from_slice(SHA1_WITH_RSA);
        }
    }
    assert_ne!(changed, certificate);
    changed
}

/// The same certificate in X.509 version 1, which has neither a version nor extensions.
pub fn of_version_1(certificate: &[u8]) -> Vec<u8> {
    let parts = values(contents(certificate));
    let fields = values(contents(parts[0]));
    let is_old = |field: &&&[u8]| ![VERSION, EXTENSIONS].contains(&field[0]);
    let old: Vec<&[u8]> = fields.iter().filter(is_old).copied().collect();
    assert_eq!(fields.len(), old.len() + 2);
    sequence(&[&sequence(&old), parts[1], parts[2]])
}

/// The values in a DER text, each with its tag and length.
fn values(mut text: &[u8]) -> Vec<&[u8]> {
    let mut values = Vec::new();
    while !text.is_empty() {
        let (header, length) = lengths(text);
        let (value, rest) = text.split_at(header + length);
        values.push(value);
        text = rest;
    }
    values
}

fn contents(value: &[u8]) -> &[u8] {
    &value[lengths(value).0..]
}

/// The length of a value's tag and length, and that of its contents (X.690 §8.1.3).
fn lengths(value: &[u8]) -> (usize, usize) {
    let first = usize::from(value[1]);
    if first < 0x80 {
        return (2, first);
    }
    let header = 2 + first - 0x80;
    let length = value[2..header]
        .iter()
        .fold(0, |length, byte| length * 256 + usize::from(*byte));
    (header, length)
}

fn sequence(values: &[&[u8]]) -> Vec<u8> {
    let contents = values.concat();
    let [high, low] = u16::try_from(contents.len()).unwrap().to_be_bytes();
    let length = match (high, low) {
        (0, 0..0x80) => vec![low],
        (0, _) => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [&[SEQUENCE], &length[..], &contents].concat()
}
