//! Keys (RFC 7517): text to keys that can verify, each bound to its algorithms before a token is seen.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use curve25519_dalek::edwards::CompressedEdwardsY;
use jsonwebtoken::{Algorithm, DecodingKey};

use super::compact::{self, Compact};
use super::error::{Error, Excerpt, KeyProblem};
use super::json::{self, Json, Members};

/// Bytes of the text of a key or key set; the largest sets seen (with certificate chains) have about 20 KiB.
pub const MAX_KEY_SET_BYTES: usize = 256 * 1024;
/// Keys of a set; a token without `kid` is compared with all of them.
pub const MAX_KEYS: usize = 100;

const RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];
const HMAC: &[(Algorithm, usize)] = &[(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)];

/// A key that can verify, and the algorithms that it verifies.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its name.
    pub kid: Option<String>,
    algorithms: Vec<Algorithm>,
    verifying: DecodingKey,
}

impl Key {
    /// Reads one public JWK. Symmetric keys are refused: use this where others can read the text.
    ///
    /// # Errors
    /// [`Error::KeySetTooLong`], [`Error::KeyNotJson`], [`Error::Key`].
    pub fn from_public_jwk(text: &str) -> Result<Self, Error> {
        let jwk = parse_text(text)?;
        if jwk.get("kty").and_then(Json::as_str) == Some("oct") {
            return Err(Error::Key(KeyProblem::Symmetric));
        }
        Key::from_members(&jwk).map_err(Error::Key)
    }

    fn from_members(jwk: &Members) -> Result<Self, KeyProblem> {
        for member in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
            if jwk.get(member).is_some() {
                return Err(KeyProblem::Private(member));
            }
        }
        if jwk.get("use").is_some_and(|usage| usage.as_str() != Some("sig")) {
            return Err(KeyProblem::Use);
        }
        if jwk.get("key_ops").is_some_and(|operations| !allow_verify(operations)) {
            return Err(KeyProblem::KeyOperations);
        }
        let kid = optional_text(jwk, "kid")?.map(str::to_owned);
        let (mut algorithms, verifying) = match text(jwk, "kty")? {
            "RSA" => (RSA.to_vec(), rsa(jwk)?),
            "EC" => elliptic_curve(jwk)?,
            "OKP" => (vec![Algorithm::EdDSA], ed25519(jwk)?),
            "oct" => secret(jwk)?,
            _ => return Err(KeyProblem::KeyType),
        };
        if let Some(alg) = optional_text(jwk, "alg")? {
            let alg = compact::algorithm(alg).ok_or(KeyProblem::Algorithm)?;
            if !algorithms.contains(&alg) {
                return Err(KeyProblem::Algorithm);
            }
            algorithms = vec![alg];
        }
        Ok(Key {
            kid,
            algorithms,
            verifying,
        })
    }

    /// Checks the signature of a token. This is the only place where trust comes from.
    ///
    /// # Errors
    /// [`Error::AlgorithmMismatch`], [`Error::Signature`].
    pub fn verify(&self, token: &Compact, algorithm: Algorithm) -> Result<(), Error> {
        if !self.admits(algorithm) {
            return Err(Error::AlgorithmMismatch { alg: algorithm });
        }
        let message = token.signing_input.as_bytes();
        match jsonwebtoken::crypto::verify(token.signature, message, &self.verifying, algorithm) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Error::Signature),
        }
    }

    fn admits(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    fn same_material(&self, other: &Key) -> bool {
        use jsonwebtoken::DecodingKeyKind::{RsaModulusExponent, SecretOrDer};
        match (self.verifying.kind(), other.verifying.kind()) {
            (SecretOrDer(one), SecretOrDer(two)) => one == two,
            (RsaModulusExponent { n, e }, RsaModulusExponent { n: other_n, e: other_e }) => {
                n == other_n && e == other_e
            }
            _ => false,
        }
    }
}

/// Keys among which a token chooses by `kid`.
#[derive(Debug, Clone)]
pub struct KeySet {
    keys: Vec<Key>,
    /// Members of the set that cannot be used, by their place, and why.
    pub skipped: Vec<(usize, KeyProblem)>,
    /// One key that was given by itself: a token's `kid` need not name it, if the key has no name.
    pinned: bool,
}

impl KeySet {
    /// The set of one key that was given by itself.
    pub fn pinned(key: Key) -> Self {
        KeySet {
            keys: vec![key],
            skipped: Vec::new(),
            pinned: true,
        }
    }

    /// Reads a JWK Set (RFC 7517 §5). Members that cannot be used are skipped and reported.
    ///
    /// # Errors
    /// [`Error::KeySetTooLong`], [`Error::KeyNotJson`], [`Error::NoUsableKey`].
    pub fn from_jwks(text: &str) -> Result<Self, Error> {
        let set = parse_text(text)?;
        let not_a_set = |problem: &str| Error::KeyNotJson {
            problem: problem.to_owned(),
        };
        let Some(Json::Array(members)) = set.get("keys") else {
            return Err(not_a_set("it has no array \"keys\""));
        };
        if members.len() > MAX_KEYS {
            return Err(not_a_set("it has more than 100 keys"));
        }
        let mut keys: Vec<(usize, Key)> = Vec::new();
        let mut skipped = Vec::new();
        for (place, member) in members.iter().enumerate() {
            let key = match member {
                Json::Object(jwk) => Key::from_members(jwk),
                _ => Err(KeyProblem::NotAnObject),
            };
            match key {
                Ok(key) => keys.push((place, key)),
                Err(problem) => skipped.push((place, problem)),
            }
        }
        // Two keys of one name: nobody can say which is meant, so neither is used.
        let ambiguous = |key: &Key| {
            key.kid.is_some()
                && keys
                    .iter()
                    .any(|(_, other)| other.kid == key.kid && !other.same_material(key))
        };
        let (twins, unique): (Vec<_>, Vec<_>) = keys.iter().cloned().partition(|(_, key)| ambiguous(key));
        skipped.extend(twins.into_iter().map(|(place, _)| (place, KeyProblem::DuplicateKeyId)));
        if unique.is_empty() {
            return Err(Error::NoUsableKey { skipped: skipped.len() });
        }
        Ok(KeySet {
            keys: unique.into_iter().map(|(_, key)| key).collect(),
            skipped,
            pinned: false,
        })
    }

    /// The one key that a header means.
    ///
    /// # Errors
    /// [`Error::UnknownKeyId`], [`Error::AmbiguousKey`].
    pub fn select(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Key, Error> {
        if let (true, [key]) = (self.pinned, self.keys.as_slice())
            && (key.kid.is_none() || kid.is_none())
        {
            return Ok(key);
        }
        if let Some(kid) = kid {
            let named = self.keys.iter().find(|key| key.kid.as_deref() == Some(kid));
            return named.ok_or_else(|| Error::UnknownKeyId { kid: Excerpt::new(kid) });
        }
        let mut candidates = self.keys.iter().filter(|key| key.admits(algorithm));
        match (candidates.next(), candidates.count()) {
            (Some(key), 0) => Ok(key),
            (None, _) => Err(Error::AmbiguousKey { candidates: 0 }),
            (Some(_), more) => Err(Error::AmbiguousKey {
                candidates: more.saturating_add(1),
            }),
        }
    }
}

fn parse_text(text: &str) -> Result<Members<'_>, Error> {
    if text.len() > MAX_KEY_SET_BYTES {
        return Err(Error::KeySetTooLong { bytes: text.len() });
    }
    json::parse_object(text).map_err(|problem| Error::KeyNotJson { problem })
}

fn text<'a>(jwk: &'a Members, member: &'static str) -> Result<&'a str, KeyProblem> {
    optional_text(jwk, member)?.ok_or(KeyProblem::Member(member))
}

fn optional_text<'a>(jwk: &'a Members, member: &'static str) -> Result<Option<&'a str>, KeyProblem> {
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

/// RFC 7517 §4.3: an array of distinct strings.
fn allow_verify(operations: &Json) -> bool {
    let Json::Array(operations) = operations else {
        return false;
    };
    let names: Vec<&str> = operations.iter().filter_map(Json::as_str).collect();
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.len() == operations.len() && names.contains(&"verify")
}

/// RFC 7518 §6.3. The bounds are aws-lc's own for verification, checked here so that a bad key is known as such when
/// it is set and not when the first token comes.
fn rsa(jwk: &Members) -> Result<DecodingKey, KeyProblem> {
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
fn elliptic_curve(jwk: &Members) -> Result<(Vec<Algorithm>, DecodingKey), KeyProblem> {
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
fn ed25519(jwk: &Members) -> Result<DecodingKey, KeyProblem> {
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
fn secret(jwk: &Members) -> Result<(Vec<Algorithm>, DecodingKey), KeyProblem> {
    let secret = bytes(jwk, "k")?;
    let algorithms: Vec<_> = HMAC
        .iter()
        .filter(|(_, hash)| secret.len() >= *hash)
        .map(|(alg, _)| *alg)
        .collect();
    if algorithms.is_empty() {
        return Err(KeyProblem::SecretTooShort);
    }
    Ok((algorithms, DecodingKey::from_secret(&secret)))
}
