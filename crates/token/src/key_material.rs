//! The material of a key (RFC 7518 §6, RFC 8037 §2): its members, decoded, and rejected if they are weak.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use curve25519_dalek::edwards::CompressedEdwardsY;
use jsonwebtoken::DecodingKey;

use crate::algorithm::{self, Algorithm};
use crate::json::Members;
use crate::key_problem::KeyProblem;

/// A decoded key, and the algorithms that its kind allows.
pub struct Material {
    /// The algorithms, before `alg` narrows them.
    pub algorithms: Vec<Algorithm>,
    /// The key in the form that the signature primitive expects.
    pub verifying: DecodingKey,
}

/// The string `member`.
pub fn text<'a>(jwk: &'a Members, member: &'static str) -> Result<&'a str, KeyProblem> {
    optional_text(jwk, member)?.ok_or(KeyProblem::Member(member))
}

/// The string `member`, if it is present.
pub fn optional_text<'a>(jwk: &'a Members, member: &'static str) -> Result<Option<&'a str>, KeyProblem> {
    match jwk.get(member) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(KeyProblem::Member(member)),
    }
}

fn bytes(jwk: &Members, member: &'static str) -> Result<Vec<u8>, KeyProblem> {
    URL_SAFE_NO_PAD
        .decode(text(jwk, member)?)
        .map_err(|_| KeyProblem::NotBase64Url(member))
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
    let modulus = without_leading_zeros(bytes(jwk, "n")?);
    let exponent = without_leading_zeros(bytes(jwk, "e")?);
    let leading = modulus.first().map_or(8, |byte| byte.leading_zeros());
    let bits = modulus
        .len()
        .saturating_mul(8)
        .saturating_sub(usize::try_from(leading).unwrap_or(8));
    if !(2048..=8192).contains(&bits) || !is_odd(&modulus) {
        return Err(KeyProblem::Modulus);
    }
    let value = exponent
        .iter()
        .take(6)
        .fold(0_u64, |value, byte| value.wrapping_shl(8) | u64::from(*byte));
    if exponent.len() > 5 || !is_odd(&exponent) || !(3..1 << 33).contains(&value) {
        return Err(KeyProblem::Exponent);
    }
    Ok(Material {
        algorithms: algorithm::RSA.to_vec(),
        verifying: DecodingKey::from_rsa_raw_components(&modulus, &exponent),
    })
}

/// Removes leading zeros. Some libraries write the sign byte of a two's complement number, which RFC 7518 §6.3.1.1 mentions.
fn without_leading_zeros(number: Vec<u8>) -> Vec<u8> {
    number.into_iter().skip_while(|byte| *byte == 0).collect()
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte & 1 == 1)
}

/// Reads an EC key (RFC 7518 §6.2). The primitive expects its point in the uncompressed form of SEC 1 §2.3.3.
pub fn elliptic_curve(jwk: &Members) -> Result<Material, KeyProblem> {
    let (algorithm, curve, length) = match text(jwk, "crv")? {
        "P-256" => (Algorithm::ES256, &ECDSA_P256_SHA256_FIXED, 32),
        "P-384" => (Algorithm::ES384, &ECDSA_P384_SHA384_FIXED, 48),
        _ => return Err(KeyProblem::Curve),
    };
    let point = [vec![4], exactly(jwk, "x", length)?, exactly(jwk, "y", length)?].concat();
    ParsedPublicKey::new(curve, &point).map_err(|_| KeyProblem::NotOnCurve)?;
    Ok(Material {
        algorithms: vec![algorithm],
        verifying: DecodingKey::from_ec_der(&point),
    })
}

/// Reads an Ed25519 key (RFC 8037 §2). Points of small order are rejected, because anyone can make signatures for them.
/// Non-canonical forms are rejected as well: they are second spellings of a key (RFC 8032 §5.1.3).
pub fn ed25519(jwk: &Members) -> Result<Material, KeyProblem> {
    if text(jwk, "crv")? != "Ed25519" {
        return Err(KeyProblem::Curve);
    }
    let encoded = exactly(jwk, "x", 32)?;
    let compressed = CompressedEdwardsY::from_slice(&encoded).map_err(|_| KeyProblem::NotOnCurve)?;
    let point = compressed.decompress().ok_or(KeyProblem::NotOnCurve)?;
    if point.is_small_order() || point.compress() != compressed {
        return Err(KeyProblem::WeakPoint);
    }
    Ok(Material {
        algorithms: vec![Algorithm::EdDSA],
        verifying: DecodingKey::from_ed_der(&encoded),
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
        verifying: DecodingKey::from_secret(&secret),
    })
}
