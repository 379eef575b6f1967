//! The reasons why a key cannot be used (RFC 7517, RFC 7518 §6, RFC 8037 §2), and their report for the members of a set.

use crate::excerpt::Excerpt;
use crate::json::Json;

/// Why a key cannot be used to verify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// A member is absent or not a string.
    #[error("it has no string \"{0}\"")]
    Member(&'static str),
    /// A member is not canonical base64url.
    #[error("its \"{0}\" is not base64url")]
    NotBase64Url(&'static str),
    /// `kty` is none of RSA, EC, OKP, oct.
    #[error("its \"kty\" is not supported")]
    KeyType,
    /// `crv` is none of P-256, P-384, Ed25519, or does not match `kty`.
    #[error("its \"crv\" is not supported")]
    Curve,
    /// `alg` is not an algorithm of this kind of key.
    #[error("its \"alg\" is not supported, or does not match the key type")]
    Algorithm,
    /// `use` is present and is not "sig".
    #[error("its \"use\" is not \"sig\"")]
    Use,
    /// `key_ops` is present and is not a list of distinct strings with "verify".
    #[error("its \"key_ops\" is not a list of distinct strings that contains \"verify\"")]
    KeyOperations,
    /// A private member: anyone who can read the key can sign.
    #[error("it has the private member \"{0}\"; provide the public key only")]
    Private(&'static str),
    /// A coordinate or public key does not have the length that its curve requires.
    #[error("its \"{member}\" must have {expected} bytes")]
    Length {
        /// The member.
        member: &'static str,
        /// The bytes that it must have.
        expected: usize,
    },
    /// The point is not on the curve.
    #[error("its point is not on the curve")]
    NotOnCurve,
    /// An Ed25519 point of small order or in a non-canonical form: signatures for it can be made without a key.
    #[error("its Ed25519 point is weak")]
    WeakPoint,
    /// Fewer than 2048 or more than 8192 bits, or an even modulus.
    #[error("its modulus must be odd and have 2048 to 8192 bits")]
    Modulus,
    /// An exponent that is even, below 3, or longer than 33 bits.
    #[error("its exponent must be odd, at least 3 and at most 33 bits")]
    Exponent,
    /// A secret shorter than the hash (RFC 7518 §3.2).
    #[error("its secret must be at least as long as the hash")]
    SecretTooShort,
    /// A symmetric key where only a public one is allowed.
    #[error("it is a symmetric key; anyone who can read it can sign")]
    Symmetric,
    /// Another key of the set has the same `kid`.
    #[error("another key of the set has the same \"kid\"")]
    DuplicateKeyId,
    /// The member of the set is not an object.
    #[error("it is not an object")]
    NotAnObject,
}

/// A member of a key set, as reports name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The key ID, if it is a string (RFC 7517 §4.5).
    pub kid: Option<Excerpt>,
    /// The key type, if it is a string (RFC 7517 §4.1).
    pub kty: Option<Excerpt>,
    /// The algorithm, if it is a string (RFC 7517 §4.4).
    pub alg: Option<Excerpt>,
    /// Why the key cannot be used; None for a usable key.
    pub problem: Option<KeyProblem>,
}

impl Member {
    /// The report of the member `key` of a set.
    pub fn new(key: &Json<'_>, problem: Option<KeyProblem>) -> Self {
        let text = |name| match key {
            Json::Object(jwk) => jwk.get(name).and_then(Json::as_str).map(Excerpt::new),
            _ => None,
        };
        Member {
            kid: text("kid"),
            kty: text("kty"),
            alg: text("alg"),
            problem,
        }
    }
}

/// Returns why members of a set cannot be used: the first three of them with their names, and the number of the others.
pub fn reasons(members: &[Member]) -> String {
    const SHOWN: usize = 3;
    let reason = |(index, member): (usize, &Member)| {
        let problem = member.problem.as_ref()?;
        let number = index.saturating_add(1);
        Some(match &member.kid {
            Some(kid) => format!("key {number}, kid \"{kid}\": {problem}"),
            None => format!("key {number}: {problem}"),
        })
    };
    let mut reasons: Vec<String> = members.iter().enumerate().filter_map(reason).collect();
    if reasons.is_empty() {
        return "the set is empty".to_owned();
    }
    let more = reasons.len().saturating_sub(SHOWN);
    reasons.truncate(SHOWN);
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    reasons.join("; ")
}
