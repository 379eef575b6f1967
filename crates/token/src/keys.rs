//! Keys (RFC 7517): text to keys that can verify, each bound to its algorithms before a token is seen.

use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};

use super::compact::{self, Compact};
use super::error::{Error, KeyProblem};
use super::json::{self, Json, Members};
use super::key_material::{ed25519, elliptic_curve, optional_text, rsa, secret, text};

/// Bytes of the text of a key or key set; the largest sets seen (with certificate chains) have about 20 KiB.
pub const MAX_KEY_SET_BYTES: usize = 256 * 1024;

const RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

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
        Key::from_public_members(&parse_text(text)?).map_err(Error::Key)
    }

    pub(super) fn from_public_members(jwk: &Members) -> Result<Self, KeyProblem> {
        if jwk.get("kty").and_then(Json::as_str) == Some("oct") {
            return Err(KeyProblem::Symmetric);
        }
        Key::from_members(jwk)
    }

    pub(super) fn from_members(jwk: &Members) -> Result<Self, KeyProblem> {
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

    pub(super) fn admits(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether it is a secret: whoever can read it can sign.
    pub(super) fn is_secret(&self) -> bool {
        self.verifying.family() == AlgorithmFamily::Hmac
    }

    /// Takes over the algorithms of a twin.
    pub(super) fn merge(&mut self, twin: Key) {
        self.algorithms.extend(twin.algorithms);
    }

    /// The same name and the same key, perhaps for another algorithm.
    pub(super) fn is_twin(&self, other: &Key) -> bool {
        use jsonwebtoken::DecodingKeyKind::{RsaModulusExponent, SecretOrDer};
        if self.kid != other.kid || self.verifying.family() != other.verifying.family() {
            return false;
        }
        match (self.verifying.kind(), other.verifying.kind()) {
            (SecretOrDer(one), SecretOrDer(two)) => one == two,
            (RsaModulusExponent { n, e }, RsaModulusExponent { n: other_n, e: other_e }) => {
                n == other_n && e == other_e
            }
            _ => false,
        }
    }
}

pub(super) fn parse_text(text: &str) -> Result<Members<'_>, Error> {
    if text.len() > MAX_KEY_SET_BYTES {
        return Err(Error::KeySetTooLong { bytes: text.len() });
    }
    json::parse_object(text).map_err(|problem| Error::KeyNotJson { problem })
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
