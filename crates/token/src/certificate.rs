//! The public key of a certificate (RFC 5280 §4.1), for keys that have `x5c` and no other material (RFC 7517 §4.7).
//!
//! The certificate is only a container: the key set that it is in is what is trusted. Its names, dates, extensions and
//! signature are skipped, and further certificates of the list are not read.

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use der::{Decode, Reader, SliceReader, Tag, TagNumber};

use crate::json::{Json, Members};
use crate::key_members::{base64, value};
use crate::key_problem::KeyProblem;

/// The maximum number of bytes of a certificate; that of an RSA key with 8192 bits has about 2 KiB.
const MAX_BYTES: usize = 16 * 1024;

// RFC 8017 appendix C, RFC 5480 §2.1.1, RFC 8410 §3.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ELLIPTIC_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// The curves, each with the name that a JWK has for it and the bytes of an uncompressed point.
const CURVES: [(ObjectIdentifier, &str, usize); 3] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), "P-256", 65),
    (ObjectIdentifier::new_unwrap("1.3.132.0.34"), "P-384", 97),
    (ObjectIdentifier::new_unwrap("1.3.132.0.35"), "P-521", 133),
];

/// A public key of a supported kind. Its numbers are still to be checked.
pub enum CertifiedKey {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    EllipticCurve { curve: &'static str, point: Vec<u8> },
    Ed25519(Vec<u8>),
}

/// The public key of the first certificate, if the key has `x5c` and none of the members that a public key consists of.
/// Where it has one of these, they count, as for readers that know no certificates.
pub fn only_key(jwk: &Members) -> Result<Option<CertifiedKey>, KeyProblem> {
    let Some(chain) = value(jwk, "x5c") else {
        return Ok(None);
    };
    if ["n", "e", "x", "y"].iter().any(|member| value(jwk, member).is_some()) {
        return Ok(None);
    }
    let first = match chain {
        Json::Array(chain) => chain.first().and_then(Json::as_str),
        _ => None,
    };
    let certificate = first.and_then(base64).filter(|der| der.len() <= MAX_BYTES);
    let certificate = certificate.ok_or(KeyProblem::Certificate)?;
    let info = KeyInfo::of_certificate(&certificate).map_err(|_| KeyProblem::Certificate)?;
    info.key().ok_or(KeyProblem::CertifiedKey).map(Some)
}

/// A SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
struct KeyInfo<'a> {
    kind: ObjectIdentifier,
    parameters: Option<AnyRef<'a>>,
    key: BitStringRef<'a>,
}

impl<'a> KeyInfo<'a> {
    fn of_certificate(certificate: &'a [u8]) -> der::Result<Self> {
        AnyRef::from_der(certificate)?.sequence(|certificate| {
            let info = certificate.sequence(|fields| {
                // The version is absent in version 1 (RFC 5280 §4.1.2.1).
                if Tag::peek(fields)? == VERSION {
                    AnyRef::decode(fields)?;
                }
                // serialNumber, signature, issuer, validity, subject.
                for _ in 0..5 {
                    AnyRef::decode(fields)?;
                }
                let info = fields.sequence(KeyInfo::decode)?;
                skip(fields)?;
                Ok::<_, der::Error>(info)
            })?;
            skip(certificate)?;
            Ok(info)
        })
    }

    fn decode(info: &mut SliceReader<'a>) -> der::Result<Self> {
        let (kind, parameters) = info.sequence(|algorithm| {
            let kind = ObjectIdentifier::decode(algorithm)?;
            let has_parameters = !algorithm.is_finished();
            let parameters = has_parameters.then(|| AnyRef::decode(algorithm)).transpose()?;
            Ok::<_, der::Error>((kind, parameters))
        })?;
        let key = BitStringRef::decode(info)?;
        Ok(KeyInfo { kind, parameters, key })
    }

    /// The key; None for a kind, curve or form that is not supported.
    fn key(&self) -> Option<CertifiedKey> {
        let bytes = self.key.as_bytes()?;
        match self.kind {
            RSA => rsa(bytes).ok(),
            ELLIPTIC_CURVE => {
                let named = self.parameters?.decode_as::<ObjectIdentifier>().ok()?;
                let (_, curve, length) = CURVES.into_iter().find(|(curve, _, _)| *curve == named)?;
                let is_uncompressed = bytes.len() == length && bytes.first() == Some(&4);
                is_uncompressed.then(|| CertifiedKey::EllipticCurve {
                    curve,
                    point: bytes.to_vec(),
                })
            }
            ED25519 if bytes.len() == 32 => Some(CertifiedKey::Ed25519(bytes.to_vec())),
            _ => None,
        }
    }
}

/// The tag of the version of a certificate.
const VERSION: Tag = Tag::ContextSpecific {
    constructed: true,
    number: TagNumber(0),
};

/// An RSAPublicKey (RFC 8017 appendix A.1.1).
fn rsa(der: &[u8]) -> der::Result<CertifiedKey> {
    AnyRef::from_der(der)?.sequence(|key| {
        let (modulus, exponent) = (UintRef::decode(key)?, UintRef::decode(key)?);
        Ok(CertifiedKey::Rsa {
            modulus: modulus.as_bytes().to_vec(),
            exponent: exponent.as_bytes().to_vec(),
        })
    })
}

/// Skips the rest.
fn skip(reader: &mut SliceReader<'_>) -> der::Result<()> {
    while !reader.is_finished() {
        AnyRef::decode(reader)?;
    }
    Ok(())
}
