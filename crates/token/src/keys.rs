//! Keys (RFC 7517): from the text to a key that can verify, bound to its algorithms before any token is read.

use crate::algorithm::{self, Algorithm};
use crate::compact::Compact;
use crate::error::Error;
use crate::json::{self, Json, Members};
use crate::key_document::Document;
use crate::key_material::{Material, ed25519, elliptic_curve, rsa, secret};
use crate::key_members::{optional_text, text, value};
use crate::key_problem::KeyProblem;
use crate::limits::MAX_KEY_SET_BYTES;
use crate::verifying_key::VerifyingKey;

/// A key that can verify, and its algorithms.
#[derive(Debug, Clone)]
pub struct Key {
    /// The key ID.
    pub kid: Option<String>,
    pub(crate) algorithms: Vec<Algorithm>,
    verifying: VerifyingKey,
}

impl Key {
    /// Reads one public JWK. Symmetric keys are rejected: use this where others can read the text.
    ///
    /// # Errors
    /// [`Error::KeySetTooLong`], [`Error::KeyNotJson`], [`Error::OtherDocument`], [`Error::Key`].
    pub fn from_public_jwk(text: &str) -> Result<Self, Error> {
        let jwk = parse_text(text)?;
        match Document::of(&jwk) {
            Some(found @ (Document::KeySet | Document::Discovery)) => Err(Error::OtherDocument {
                found,
                wanted: Document::Key,
            }),
            Some(Document::Key) | None => Key::from_public_members(&jwk).map_err(Error::Key),
        }
    }

    pub(crate) fn from_public_members(jwk: &Members) -> Result<Self, KeyProblem> {
        if jwk.get("kty").and_then(Json::as_str) == Some("oct") {
            return Err(KeyProblem::Symmetric);
        }
        Key::from_members(jwk)
    }

    pub(crate) fn from_members(jwk: &Members) -> Result<Self, KeyProblem> {
        for member in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
            if value(jwk, member).is_some() {
                return Err(KeyProblem::Private(member));
            }
        }
        if value(jwk, "use").is_some_and(|usage| usage.as_str() != Some("sig")) {
            return Err(KeyProblem::Use);
        }
        if value(jwk, "key_ops").is_some_and(|operations| !allow_verify(operations)) {
            return Err(KeyProblem::KeyOperations);
        }
        let kid = key_id(jwk)?;
        let Material {
            mut algorithms,
            verifying,
        } = match text(jwk, "kty")? {
            "RSA" => rsa(jwk)?,
            "EC" => elliptic_curve(jwk)?,
            "OKP" => ed25519(jwk)?,
            "oct" => secret(jwk)?,
            _ => return Err(KeyProblem::KeyType),
        };
        if let Some(alg) = optional_text(jwk, "alg")? {
            let alg = algorithm::by_name(alg).ok_or(KeyProblem::Algorithm)?;
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

    /// Like [`from_public_members`](Self::from_public_members), without the algorithms that the issuer does not announce.
    pub(crate) fn from_narrowed_members(jwk: &Members, announced: &[Algorithm]) -> Result<Self, KeyProblem> {
        let mut key = Key::from_public_members(jwk)?;
        key.algorithms.retain(|algorithm| announced.contains(algorithm));
        match key.algorithms.is_empty() {
            true => Err(KeyProblem::NotAnnounced),
            false => Ok(key),
        }
    }

    /// Verifies the signature of a token. This is the only source of trust.
    ///
    /// # Errors
    /// [`Error::AlgorithmMismatch`], [`Error::Signature`].
    pub fn verify(&self, token: &Compact, algorithm: Algorithm) -> Result<(), Error> {
        if !self.allows(algorithm) {
            return Err(Error::AlgorithmMismatch { alg: algorithm });
        }
        let message = token.signing_input.as_bytes();
        if self.verifying.is_signature(token.signature, message, algorithm) {
            Ok(())
        } else {
            Err(Error::Signature)
        }
    }

    /// Whether the key verifies signatures of this algorithm.
    pub(crate) fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether the key is a secret: anyone who can read it can sign.
    pub(crate) fn is_secret(&self) -> bool {
        self.verifying.is_secret()
    }

    /// Whether a token with this `kid` could mean either key.
    pub(crate) fn is_ambiguous_beside(&self, other: &Key) -> bool {
        self.kid.is_some() && self.kid == other.kid && self.algorithms.iter().any(|alg| other.allows(*alg))
    }

    /// Adds the algorithms of a twin.
    pub(crate) fn merge(&mut self, twin: Key) {
        self.algorithms.extend(twin.algorithms);
    }

    /// Whether `other` is the same key with the same `kid`, perhaps for another algorithm.
    pub(crate) fn is_twin(&self, other: &Key) -> bool {
        self.kid == other.kid && self.verifying.is_same(&other.verifying)
    }
}

/// The key ID. A number is what it is written as, which a token has as a string.
fn key_id(jwk: &Members) -> Result<Option<String>, KeyProblem> {
    match value(jwk, "kid") {
        Some(Json::Integer(number)) => Ok(Some(number.to_string())),
        _ => optional_text(jwk, "kid").map(|kid| kid.map(str::to_owned)),
    }
}

/// Parses the text of a key or key set, which is a JSON object. A byte order mark before it is ignored.
pub(crate) fn parse_text(text: &str) -> Result<Members<'_>, Error> {
    if text.len() > MAX_KEY_SET_BYTES {
        return Err(Error::KeySetTooLong { bytes: text.len() });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    json::parse_object(text).map_err(|problem| Error::KeyNotJson { problem })
}

/// Whether `key_ops` contains "verify" and is an array of distinct strings (RFC 7517 §4.3).
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
