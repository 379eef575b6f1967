//! The reasons why a key cannot be used (RFC 7517, RFC 7518 §6, RFC 8037 §2), and their report for the members of a set.

use crate::algorithm::Algorithm;
use crate::excerpt::Excerpt;
use crate::json::Json;

/// Why a key cannot be used to verify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// A member that is required is absent.
    #[error("it has no \"{0}\"")]
    Member(&'static str),
    /// A member is not a string.
    #[error("its \"{0}\" is not a string")]
    NotText(&'static str),
    /// A member is not base64url or base64.
    #[error("its \"{0}\" is not base64url")]
    NotBase64Url(&'static str),
    /// `kty` is none of RSA, EC, OKP, oct.
    #[error("its \"kty\" is not supported")]
    KeyType,
    /// `crv` is none of P-256, P-384, P-521, Ed25519, or does not match `kty`.
    #[error("its \"crv\" is not supported")]
    Curve,
    /// `alg` is not an algorithm of this kind of key.
    #[error("its \"alg\" is not supported, or does not match the key type")]
    Algorithm,
    /// `use` has a value other than "sig".
    #[error("its \"use\" is not \"sig\"")]
    Use,
    /// `key_ops` is present and is not a list of distinct strings with "verify".
    #[error("its \"key_ops\" is not a list of distinct strings that contains \"verify\"")]
    KeyOperations,
    /// A private member: anyone who can read the key can sign.
    #[error("it has the private member \"{0}\"; provide the public key only")]
    Private(&'static str),
    /// A public key does not have the length that its curve requires, or a coordinate is longer or empty.
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
    /// The key has no other material than `x5c`, which does not begin with a certificate.
    #[error("its \"x5c\" does not begin with an X.509 certificate in base64 of at most 16 KiB")]
    Certificate,
    /// The key consists of a certificate, which has a key that no supported algorithm uses.
    #[error("the public key of its certificate is not supported")]
    CertifiedKey,
    /// The key consists of a certificate, which has a key of another kind.
    #[error("its \"kty\" or \"crv\" does not match the public key of its certificate")]
    OtherCertifiedKey,
    /// A secret shorter than the hash (RFC 7518 §3.2).
    #[error("its secret must be at least as long as the hash")]
    SecretTooShort,
    /// A symmetric key where only a public one is allowed.
    #[error("it is a symmetric key; anyone who can read it can sign")]
    Symmetric,
    /// The issuer's document announces algorithms, and none of them is one of the key's.
    #[error("its issuer announces none of its algorithms")]
    NotAnnounced,
    /// Another key of the set has the same `kid`, and an algorithm in common.
    #[error("another key of the set has the same \"kid\"")]
    DuplicateKeyId,
    /// The provider's `algorithms` has none of the key's.
    #[error("the provider's \"algorithms\" has none that the key is for")]
    NotOfProvider,
    /// The member of the set is not an object.
    #[error("it is not an object")]
    NotAnObject,
}

/// A member of a key set, as reports name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The key ID, if it is a string (RFC 7517 §4.5) or an integer.
    pub kid: Option<Excerpt>,
    /// The key type, if it is a string (RFC 7517 §4.1).
    pub kty: Option<Excerpt>,
    /// The algorithm, if it is a string (RFC 7517 §4.4).
    pub alg: Option<Excerpt>,
    /// The algorithms of a usable key; none of any other.
    pub algorithms: Vec<Algorithm>,
    /// Why the key cannot be used; None for a usable key.
    pub problem: Option<KeyProblem>,
}

impl Member {
    /// The report of the member `key` of a set.
    pub fn new(key: &Json<'_>, read: Result<Vec<Algorithm>, KeyProblem>) -> Self {
        let (algorithms, problem) = match read {
            Ok(algorithms) => (algorithms, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        let text = |name| match key {
            Json::Object(jwk) => match jwk.get(name) {
                Some(Json::Integer(number)) if name == "kid" => Some(Excerpt::new(&number.to_string())),
                value => value.and_then(Json::as_str).map(Excerpt::new),
            },
            _ => None,
        };
        Member {
            kid: text("kid"),
            kty: text("kty"),
            alg: text("alg"),
            algorithms,
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
