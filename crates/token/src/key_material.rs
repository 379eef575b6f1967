//! What a key is made of (RFC 7518 §6, RFC 8037 §2): its members, decoded, and refused where they are weak.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use curve25519_dalek::edwards::CompressedEdwardsY;
use jsonwebtoken::{Algorithm, DecodingKey};

use super::compact;
use super::error::KeyProblem;
use super::json::Members;

const HMAC: &[(Algorithm, usize)] = &[(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)];

/// The string `member`.
pub fn text<'a>(jwk: &'a Members, member: &'static str) -> Result<&'a str, KeyProblem> {
    optional_text(jwk, member)?.ok_or(KeyProblem::Member(member))
}

/// The string `member`, if it is there.
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

/// RFC 7518 §6.3. The bounds are aws-lc's own for verification, checked here so that a bad key is known as such when
/// it is set and not when the first token comes.
pub fn rsa(jwk: &Members) -> Result<DecodingKey, KeyProblem> {
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
    Ok(DecodingKey::from_rsa_raw_components(&modulus, &exponent))
}

/// Some libraries write the sign byte of a two's complement number (RFC 7518 §6.3.1.1 speaks of it).
fn without_leading_zeros(number: Vec<u8>) -> Vec<u8> {
    number.into_iter().skip_while(|byte| *byte == 0).collect()
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte & 1 == 1)
}

/// RFC 7518 §6.2; the point is handed on in the uncompressed form of SEC 1 §2.3.3.
pub fn elliptic_curve(jwk: &Members) -> Result<(Vec<Algorithm>, DecodingKey), KeyProblem> {
    let (algorithm, curve, length) = match text(jwk, "crv")? {
        "P-256" => (Algorithm::ES256, &ECDSA_P256_SHA256_FIXED, 32),
        "P-384" => (Algorithm::ES384, &ECDSA_P384_SHA384_FIXED, 48),
        _ => return Err(KeyProblem::Curve),
    };
    let point = [vec![4], exactly(jwk, "x", length)?, exactly(jwk, "y", length)?].concat();
    ParsedPublicKey::new(curve, &point).map_err(|_| KeyProblem::NotOnCurve)?;
    Ok((vec![algorithm], DecodingKey::from_ec_der(&point)))
}

/// RFC 8037 §2. For a point of small order a signature can be made without any private key, and a non-canonical form
/// is another name for the same key (RFC 8032 §5.1.3): both are refused.
pub fn ed25519(jwk: &Members) -> Result<DecodingKey, KeyProblem> {
    if text(jwk, "crv")? != "Ed25519" {
        return Err(KeyProblem::Curve);
    }
    let encoded = exactly(jwk, "x", 32)?;
    let compressed = CompressedEdwardsY::from_slice(&encoded).map_err(|_| KeyProblem::NotOnCurve)?;
    let point = compressed.decompress().ok_or(KeyProblem::NotOnCurve)?;
    if point.is_small_order() || point.compress() != compressed {
        return Err(KeyProblem::WeakPoint);
    }
    Ok(DecodingKey::from_ed_der(&encoded))
}

/// RFC 7518 §3.2: a key at least as long as the hash.
pub fn secret(jwk: &Members) -> Result<(Vec<Algorithm>, DecodingKey), KeyProblem> {
    let secret = bytes(jwk, "k")?;
    let named = optional_text(jwk, "alg")?.and_then(compact::algorithm);
    let (usable, too_long): (Vec<_>, Vec<_>) = HMAC.iter().partition(|(_, hash)| secret.len() >= *hash);
    if usable.is_empty() || too_long.iter().any(|(alg, _)| Some(*alg) == named) {
        return Err(KeyProblem::SecretTooShort);
    }
    let algorithms = usable.into_iter().map(|(alg, _)| alg).collect();
    Ok((algorithms, DecodingKey::from_secret(&secret)))
}
