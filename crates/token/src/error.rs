//! Why a token or a key is refused: one fact a variant, with its numbers and names, comparable in tests.
//!
//! A text that came from outside is kept only where it helps the reader (kid, alg), cut and escaped by [`Excerpt`];
//! no other part of a token or of a key gets into an error.

use std::fmt;

use jsonwebtoken::Algorithm;

use super::claims::NumericDate;
use super::key_set::Member;

/// Why a token or a key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The token is longer than [`MAX_TOKEN_BYTES`](super::compact::MAX_TOKEN_BYTES).
    #[error("the JWT is too long")]
    TokenTooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not three parts with two dots (RFC 7515 §7.1).
    #[error("invalid JWT encoding")]
    NotCompact {
        /// How many parts it has.
        parts: usize,
    },
    /// A part is not canonical base64url without padding (RFC 7515 §2).
    #[error("the {part} of the JWT is not base64url")]
    NotBase64Url {
        /// Which one.
        part: Part,
    },
    /// A part is not JSON as [`json`](super::json) wants it, or no object.
    #[error("the {part} of the JWT is not a JSON object that can be used")]
    NotJson {
        /// Which one.
        part: Part,
        /// What is wrong with it.
        problem: String,
    },
    /// A header member is absent or has the wrong type.
    #[error("the JWT header must have a string '{member}'")]
    HeaderMember {
        /// Its name.
        member: &'static str,
    },
    /// `alg` names nothing that is implemented; `none` is among these.
    #[error("the JWT's algorithm is not supported")]
    UnknownAlgorithm {
        /// The header's `alg`.
        alg: Excerpt,
    },
    /// `crit` or `b64` (RFC 7515 §4.1.11, RFC 7797 §7).
    #[error("the JWT needs an extension that is not supported")]
    Critical {
        /// The member that asks for it.
        member: &'static str,
    },
    /// No key for this `kid`.
    #[error("no key for this JWT")]
    UnknownKeyId {
        /// The header's `kid`.
        kid: Excerpt,
    },
    /// No `kid`, and not exactly one key that could have signed.
    #[error("the JWT names no key")]
    AmbiguousKey {
        /// How many keys could have.
        candidates: usize,
    },
    /// `iss` is none of the providers' issuers, or no string.
    #[error("the JWT's issuer is not trusted")]
    UnknownIssuer {
        /// The claim, if it is a string.
        iss: Option<Excerpt>,
    },
    /// `aud` has none of the provider's audiences.
    #[error("the JWT is meant for another audience")]
    Audience {
        /// The claim.
        aud: Option<Excerpt>,
    },
    /// The key does not sign with the header's `alg`.
    #[error("the JWT's algorithm is not the key's")]
    AlgorithmMismatch {
        /// The header's `alg`.
        alg: Algorithm,
    },
    /// The signature is wrong.
    #[error("invalid JWT signature")]
    Signature,
    /// `exp` is past by more than the leeway (RFC 7519 §4.1.4).
    #[error("Token used after it has expired")]
    Expired {
        /// The claim.
        exp: NumericDate,
        /// The time that it was compared with.
        now: NumericDate,
        /// Seconds of grace.
        leeway: u32,
    },
    /// `nbf` is ahead by more than the leeway (RFC 7519 §4.1.5).
    #[error("Token used before it is ready")]
    NotYetValid {
        /// The claim.
        nbf: NumericDate,
        /// The time that it was compared with.
        now: NumericDate,
        /// Seconds of grace.
        leeway: u32,
    },
    /// `exp`, `nbf` or `iat` is no number of seconds between 1970 and 9999 (RFC 7519 §2, NumericDate).
    #[error("'{claim}' ({title}) must be an integer representing seconds since unix epoch")]
    ClaimDate {
        /// Its name.
        claim: &'static str,
        /// Its title in RFC 7519.
        title: &'static str,
    },
    /// No `jti`, or one that is no integer of 64 bits, where one is needed.
    #[error("JWT payload must contain a valid 'jti' (JWT ID)")]
    TokenId,
    /// `jti` is not greater than the last one.
    #[error("Token ID must be strictly monotonically increasing.")]
    TokenIdReplayed {
        /// The claim.
        jti: i64,
        /// The greatest so far.
        last: i64,
    },
    /// The user-id claim is there and is no string.
    #[error("'{claim}' ({title}) must be a string")]
    UserId {
        /// Its name.
        claim: &'static str,
        /// Its title in RFC 7519.
        title: &'static str,
    },
    /// A claim has a character that the place it goes to cannot hold.
    #[error("the JWT has a character that the database's encoding cannot hold")]
    NotEncodable,
    /// The list of providers cannot be used.
    #[error("the list of providers cannot be used")]
    Providers {
        /// The provider's place in it, from 0; None for the list as a whole.
        place: Option<usize>,
        /// What is wrong.
        problem: String,
    },
    /// The keys of a provider are not to be had.
    #[error("the provider's keys are not available")]
    NoKeys,
    /// The text of a key or key set is longer than [`MAX_KEY_SET_BYTES`](super::keys::MAX_KEY_SET_BYTES).
    #[error("the key set is too long")]
    KeySetTooLong {
        /// Its length.
        bytes: usize,
    },
    /// The text of a key or key set is not JSON, or not the object that it should be (RFC 7517 §4, §5).
    #[error("the text is not a JSON Web Key")]
    KeyNotJson {
        /// What is wrong with it.
        problem: String,
    },
    /// A key cannot be used.
    #[error("the JSON Web Key cannot be used")]
    Key(KeyProblem),
    /// A set has no key that can be used.
    #[error("the key set has no usable key")]
    NoUsableKey {
        /// What it has, each with its problem.
        members: Vec<Member>,
    },
    /// A provider's keys are to come from a URL, and nothing fetches them.
    #[error("\"jwks_url\" needs pg_session_jwt in shared_preload_libraries")]
    NotFetched {
        /// The provider's place in the list, from 0.
        place: usize,
    },
}

/// A part of a compact token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The first.
    Header,
    /// The second.
    Payload,
    /// The third.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Part::Header => "header",
            Part::Payload => "payload",
            Part::Signature => "signature",
        })
    }
}

/// Why a key cannot be used to verify (RFC 7517, RFC 7518 §6, RFC 8037 §2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// A member is absent, or no string.
    #[error("it has no string \"{0}\"")]
    Member(&'static str),
    /// A member is not canonical base64url.
    #[error("its \"{0}\" is not base64url")]
    NotBase64Url(&'static str),
    /// `kty` is none of RSA, EC, OKP, oct.
    #[error("its \"kty\" is not supported")]
    KeyType,
    /// `crv` is none of P-256, P-384, Ed25519, or not the one of `kty`.
    #[error("its \"crv\" is not supported")]
    Curve,
    /// `alg` is not one that this key can sign with.
    #[error("its \"alg\" is not supported, or not of its kind")]
    Algorithm,
    /// `use` is there and is not "sig".
    #[error("its \"use\" is not \"sig\"")]
    Use,
    /// `key_ops` is there and is no list of distinct strings with "verify".
    #[error("its \"key_ops\" does not have \"verify\", or is not a list of distinct names")]
    KeyOperations,
    /// A private member: whoever can read the key can sign.
    #[error("it has the private member \"{0}\"; give the public key only")]
    Private(&'static str),
    /// A coordinate or public key of another length than its curve has.
    #[error("its \"{member}\" must have {expected} bytes")]
    Length {
        /// The member.
        member: &'static str,
        /// Bytes that it should have.
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
    /// Even, below 3, or of more than 33 bits.
    #[error("its exponent must be odd, at least 3 and at most 33 bits")]
    Exponent,
    /// A secret shorter than the hash (RFC 7518 §3.2).
    #[error("its secret must be at least as long as the hash")]
    SecretTooShort,
    /// A symmetric key where only a public one may stand.
    #[error("it is a symmetric key; whoever can read it can sign")]
    Symmetric,
    /// Another key of the set has the same `kid`.
    #[error("another key of the set has the same \"kid\"")]
    DuplicateKeyId,
    /// The member of the set is no object.
    #[error("it is not an object")]
    NotAnObject,
}

/// A text from outside, for a message: at most 64 characters, control and bidirectional characters escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    /// Cuts and escapes `text`.
    pub fn new(text: &str) -> Self {
        const MAX_CHARS: usize = 64;
        let mut out = String::new();
        let mut characters = text.chars();
        for character in characters.by_ref().take(MAX_CHARS) {
            if character == '"' || character == '\\' || !(character.is_ascii_graphic() || character == ' ') {
                out.extend(character.escape_default());
            } else {
                out.push(character);
            }
        }
        if characters.next().is_some() {
            out.push_str("...");
        }
        Excerpt(out)
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
