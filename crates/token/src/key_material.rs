//! The material of a key (RFC 7518 §6, RFC 8037 §2): its members, decoded, and rejected if they are weak.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ParsedPublicKey,
};
use curve25519_dalek::edwards::CompressedEdwardsY;
use jsonwebtoken::DecodingKey;

use crate::algorithm::{self, Algorithm};
use crate::certificate::{self, CertifiedKey};
use crate::json::Members;
use crate::key_members::{bytes, optional_text, text};
use crate::key_problem::KeyProblem;
use crate::verifying_key::VerifyingKey;

/// A decoded key, and the algorithms that its kind allows.
pub struct Material {
    /// The algorithms, before `alg` narrows them.
    pub algorithms: Vec<Algorithm>,
    /// The key in the form that the signature primitive expects.
    pub verifying: VerifyingKey,
}

/// A coordinate of `length` bytes. Some libraries write it without its leading zeros, or with more of them.
fn coordinate(jwk: &Members, member: &'static str, length: usize) -> Result<Vec<u8>, KeyProblem> {
    let bytes = bytes(jwk, member)?;
    let number = without_leading_zeros(bytes.as_slice());
    let zeros = length.checked_sub(number.len()).filter(|_| !bytes.is_empty());
    let zeros = zeros.ok_or(KeyProblem::Length {
        member,
        expected: length,
    })?;
    Ok([vec![0; zeros].as_slice(), number].concat())
}

fn exactly(jwk: &Members, member: &'static str, expected: usize) -> Result<Vec<u8>, KeyProblem> {
    let bytes = bytes(jwk, member)?;
    if bytes.len() == expected {
        Ok(bytes)
    } else {
        Err(KeyProblem::Length { member, expected })
    }
}

/// Reads an RSA key (RFC 7518 §6.3). The bounds are those of aws-lc for verification. They are checked here so that a bad
/// key is rejected when it is set, not when the first token arrives.
pub fn rsa(jwk: &Members) -> Result<Material, KeyProblem> {
    let (modulus, exponent) = match certificate::only_key(jwk)? {
        None => (bytes(jwk, "n")?, bytes(jwk, "e")?),
        Some(CertifiedKey::Rsa { modulus, exponent }) => (modulus, exponent),
        Some(_) => return Err(KeyProblem::OtherCertifiedKey),
    };
    let (modulus, exponent) = (without_leading_zeros(&modulus), without_leading_zeros(&exponent));
    let leading = modulus.first().map_or(8, |byte| byte.leading_zeros());
    let bits = modulus
        .len()
        .saturating_mul(8)
        .saturating_sub(usize::try_from(leading).unwrap_or(8));
    if !(2048..=8192).contains(&bits) || !is_odd(modulus) {
        return Err(KeyProblem::Modulus);
    }
    let value = exponent
        .iter()
        .take(6)
        .fold(0_u64, |value, byte| value.wrapping_shl(8) | u64::from(*byte));
    if exponent.len() > 5 || !is_odd(exponent) || !(3..1 << 33).contains(&value) {
        return Err(KeyProblem::Exponent);
    }
    Ok(Material {
        algorithms: algorithm::RSA.to_vec(),
        verifying: VerifyingKey::Jose(DecodingKey::from_rsa_raw_components(modulus, exponent)),
    })
}

/// Removes leading zeros. Some libraries write the sign byte of a two's complement number, which RFC 7518 §6.3.1.1 mentions.
fn without_leading_zeros(mut number: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = number {
        number = rest;
    }
    number
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte & 1 == 1)
}

/// Reads an EC key (RFC 7518 §6.2). The primitive expects its point in the uncompressed form of SEC 1 §2.3.3.
pub fn elliptic_curve(jwk: &Members) -> Result<Material, KeyProblem> {
    let (curve, point) = match certificate::only_key(jwk)? {
        None => (text(jwk, "crv")?, None),
        Some(CertifiedKey::EllipticCurve { curve, point }) => (curve, Some(point)),
        Some(_) => return Err(KeyProblem::OtherCertifiedKey),
    };
    if optional_text(jwk, "crv")?.is_some_and(|named| named != curve) {
        return Err(KeyProblem::OtherCertifiedKey);
    }
    let (algorithm, verification, length) = match curve {
        "P-256" => (Algorithm::ES256, &ECDSA_P256_SHA256_FIXED, 32),
        "P-384" => (Algorithm::ES384, &ECDSA_P384_SHA384_FIXED, 48),
        "P-521" => (Algorithm::ES512, &ECDSA_P521_SHA512_FIXED, 66),
        _ => return Err(KeyProblem::Curve),
    };
    let point = match point {
        None => [vec![4], coordinate(jwk, "x", length)?, coordinate(jwk, "y", length)?].concat(),
        Some(point) => point,
    };
    let parsed = ParsedPublicKey::new(verification, &point).map_err(|_| KeyProblem::NotOnCurve)?;
    Ok(Material {
        algorithms: vec![algorithm],
        verifying: match algorithm {
            Algorithm::ES512 => VerifyingKey::P521(parsed),
            _ => VerifyingKey::Jose(DecodingKey::from_ec_der(&point)),
        },
    })
}

/// Reads an Ed25519 key (RFC 8037 §2). Points of small order are rejected, because anyone can make signatures for them.
/// Non-canonical forms are rejected as well: they are second spellings of a key (RFC 8032 §5.1.3).
pub fn ed25519(jwk: &Members) -> Result<Material, KeyProblem> {
    let encoded = match certificate::only_key(jwk)? {
        None if text(jwk, "crv")? != "Ed25519" => return Err(KeyProblem::Curve),
        None => exactly(jwk, "x", 32)?,
        Some(CertifiedKey::Ed25519(encoded)) => encoded,
        Some(_) => return Err(KeyProblem::OtherCertifiedKey),
    };
    if optional_text(jwk, "crv")?.is_some_and(|named| named != "Ed25519") {
        return Err(KeyProblem::OtherCertifiedKey);
    }
    let compressed = CompressedEdwardsY::from_slice(&encoded).map_err(|_| KeyProblem::NotOnCurve)?;
    let point = compressed.decompress().ok_or(KeyProblem::NotOnCurve)?;
    if point.is_small_order() || point.compress() != compressed {
        return Err(KeyProblem::WeakPoint);
    }
    Ok(Material {
        algorithms: vec![Algorithm::EdDSA],
        verifying: VerifyingKey::Jose(DecodingKey::from_ed_der(&encoded)),
    })
}

/// Reads a symmetric key, for the algorithms whose hash is not longer than the key (RFC 7518 §3.2).
pub fn secret(jwk: &Members) -> Result<Material, KeyProblem> {
    let secret = bytes(jwk, "k")?;
    let named = optional_text(jwk, "alg")?.and_then(algorithm::by_name);
    let (usable, too_long): (Vec<_>, Vec<_>) = algorithm::HMAC.iter().partition(|(_, hash)| secret.len() >= *hash);
    if usable.is_empty() || too_long.iter().any(|(alg, _)| Some(*alg) == named) {
        return Err(KeyProblem::SecretTooShort);
    }
    Ok(Material {
        algorithms: usable.into_iter().map(|(alg, _)| alg).collect(),
        verifying: VerifyingKey::Jose(DecodingKey::from_secret(&secret)),
    })
}
