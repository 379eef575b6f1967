//! Keys (RFC 7517): text to keys that can verify, each bound to its algorithms before a token is seen.

use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};

use super::compact::{self, Compact};
use super::error::{Error, Excerpt, KeyProblem};
use super::json::{self, Json, Members};
use super::key_material::{ed25519, elliptic_curve, optional_text, rsa, secret, text};

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

    fn from_public_members(jwk: &Members) -> Result<Self, KeyProblem> {
        if jwk.get("kty").and_then(Json::as_str) == Some("oct") {
            return Err(KeyProblem::Symmetric);
        }
        Key::from_members(jwk)
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

    /// The same name and the same key, perhaps for another algorithm.
    fn is_twin(&self, other: &Key) -> bool {
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
        KeySet::read(&parse_text(text)?, Key::from_members)
    }

    /// As [`from_jwks`](KeySet::from_jwks), for a set that stands inside of another JSON text.
    pub(super) fn from_members(set: &Members) -> Result<Self, Error> {
        KeySet::read(set, Key::from_members)
    }

    /// As [`from_jwks`](KeySet::from_jwks), for a set that others can read: symmetric keys are skipped, too.
    ///
    /// # Errors
    /// As `from_jwks`.
    pub fn from_public_jwks(text: &str) -> Result<Self, Error> {
        KeySet::read(&parse_text(text)?, Key::from_public_members)
    }

    fn read(set: &Members, read_key: fn(&Members) -> Result<Key, KeyProblem>) -> Result<Self, Error> {
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
                Json::Object(jwk) => read_key(jwk),
                _ => Err(KeyProblem::NotAnObject),
            };
            match key {
                Ok(key) => match keys.iter_mut().find(|(_, other)| other.is_twin(&key)) {
                    Some((_, twin)) => twin.algorithms.extend(key.algorithms),
                    None => keys.push((place, key)),
                },
                Err(problem) => skipped.push((place, problem)),
            }
        }
        // Two keys of one name: nobody can say which is meant, so neither is used.
        let ambiguous =
            |key: &Key| key.kid.is_some() && keys.iter().filter(|(_, other)| other.kid == key.kid).count() > 1;
        let (namesakes, unique): (Vec<_>, Vec<_>) = keys.iter().cloned().partition(|(_, key)| ambiguous(key));
        skipped.extend(
            namesakes
                .into_iter()
                .map(|(place, _)| (place, KeyProblem::DuplicateKeyId)),
        );
        if unique.is_empty() {
            return Err(Error::NoUsableKey { skipped: skipped.len() });
        }
        Ok(KeySet {
            keys: unique.into_iter().map(|(_, key)| key).collect(),
            skipped,
            pinned: false,
        })
    }

    /// Whether one of the keys is a secret: whoever can read it can sign.
    pub fn has_secret(&self) -> bool {
        self.keys
            .iter()
            .any(|key| key.verifying.family() == AlgorithmFamily::Hmac)
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
