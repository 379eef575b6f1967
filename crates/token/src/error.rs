//! The reasons why a token or a key is rejected: one fact per variant, with its numbers and names, comparable in tests.
//!
//! An error is displayed as its message; [`Error::detail`] adds the numbers and names. A text from outside is included only
//! where it helps the reader (kid, alg, iss, aud), as an [`Excerpt`]. No other part of a token or of a key gets into an error.

use std::fmt;

use crate::algorithm::Algorithm;
use crate::excerpt::Excerpt;
use crate::key_problem::{KeyProblem, Member, reasons};
use crate::limits::{MAX_KEY_SET_BYTES, MAX_TOKEN_BYTES};
use crate::time::NumericDate;

/// Why a token or a key is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The token is longer than [`MAX_TOKEN_BYTES`].
    #[error("JWT is too long")]
    TokenTooLong {
        /// The length of the token.
        bytes: usize,
    },
    /// The token does not have three parts separated by dots (RFC 7515 §7.1).
    #[error("invalid JWT encoding")]
    NotCompact {
        /// The number of its parts.
        parts: usize,
    },
    /// A part is not canonical base64url without padding (RFC 7515 §2).
    #[error("JWT {part} is not base64url")]
    NotBase64Url {
        /// The part.
        part: Part,
    },
    /// A part is not an object, or not JSON by the rules of [`json`](crate::json).
    #[error("JWT {part} is not a usable JSON object")]
    NotJson {
        /// The part.
        part: Part,
        /// What is wrong with the part.
        problem: String,
    },
    /// A header member is absent or has the wrong type.
    #[error("JWT header must have a string \"{member}\"")]
    HeaderMember {
        /// The name of the member.
        member: &'static str,
    },
    /// `alg` is not the name of a supported algorithm; `none` is not one.
    #[error("JWT signature algorithm is not supported")]
    UnknownAlgorithm {
        /// The header's `alg`.
        alg: Excerpt,
    },
    /// `crit` or `b64` (RFC 7515 §4.1.11, RFC 7797 §7).
    #[error("JWT requires an extension that is not supported")]
    Critical {
        /// The member that requires it.
        member: &'static str,
    },
    /// No key has this `kid`.
    #[error("no key matches the key ID of the JWT")]
    UnknownKeyId {
        /// The header's `kid`.
        kid: Excerpt,
    },
    /// There is no `kid`, and the number of keys that could have signed is not one.
    #[error("JWT does not identify a key")]
    AmbiguousKey {
        /// The number of keys that could have signed.
        candidates: usize,
    },
    /// `iss` is not the issuer of any provider, or not a string.
    #[error("JWT issuer is not trusted")]
    UnknownIssuer {
        /// The claim, if it is a string.
        iss: Option<Excerpt>,
    },
    /// `aud` has none of the provider's audiences.
    #[error("JWT is intended for another audience")]
    Audience {
        /// The claim.
        aud: Option<Excerpt>,
    },
    /// The key does not sign with the header's `alg`.
    #[error("JWT signature algorithm does not match the key")]
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
        /// The leeway, in seconds.
        leeway: u32,
    },
    /// `nbf` is ahead by more than the leeway (RFC 7519 §4.1.5).
    #[error("Token used before it is ready")]
    NotYetValid {
        /// The claim.
        nbf: NumericDate,
        /// The time that it was compared with.
        now: NumericDate,
        /// The leeway, in seconds.
        leeway: u32,
    },
    /// `exp`, `nbf` or `iat` is not a number of seconds between 1970 and 9999 (RFC 7519 §2, NumericDate).
    #[error("'{claim}' ({title}) must be an integer representing seconds since unix epoch")]
    ClaimDate {
        /// The name of the claim.
        claim: &'static str,
        /// Its title in RFC 7519.
        title: &'static str,
    },
    /// A required `jti` is absent or not a 64-bit integer.
    #[error("JWT payload must contain a valid 'jti' (JWT ID)")]
    TokenId,
    /// `jti` is not greater than the last one.
    #[error("Token ID must be strictly monotonically increasing.")]
    TokenIdReplayed {
        /// The claim.
        jti: i64,
        /// The greatest one so far.
        last: i64,
    },
    /// The user-id claim is present and is not a string.
    #[error("'{claim}' ({title}) must be a string")]
    UserId {
        /// The name of the claim.
        claim: &'static str,
        /// Its title in RFC 7519.
        title: &'static str,
    },
    /// A claim has a character that the encoding of its reader lacks.
    #[error("JWT has a character without an equivalent in the database encoding")]
    NotEncodable,
    /// The list of providers is invalid.
    #[error("invalid list of providers")]
    Providers {
        /// The index of the provider in the list, from 0; None for the list as a whole.
        index: Option<usize>,
        /// What is wrong, as the predicate of a sentence whose subject is the provider or the list.
        problem: String,
    },
    /// There are no keys of a provider.
    #[error("keys of the provider are not available")]
    NoKeys,
    /// The text of a key or key set is longer than [`MAX_KEY_SET_BYTES`].
    #[error("key set is too long")]
    KeySetTooLong {
        /// The length of the text.
        bytes: usize,
    },
    /// The text of a key or key set is not JSON, or not the required object (RFC 7517 §4, §5).
    #[error("text is not a JSON Web Key")]
    KeyNotJson {
        /// What is wrong with the text.
        problem: String,
    },
    /// A key cannot be used.
    #[error("JSON Web Key cannot be used")]
    Key(KeyProblem),
    /// A set has no key that can be used.
    #[error("key set has no usable key")]
    NoUsableKey {
        /// The members of the set, each with its problem.
        members: Vec<Member>,
    },
    /// A provider has a `jwks_url`, and no worker fetches it.
    #[error("pg_session_jwt must be loaded via \"shared_preload_libraries\" to use \"jwks_url\"")]
    NotFetched {
        /// The index of the provider in the list, from 0.
        index: usize,
    },
}

impl Error {
    /// Returns the numbers and names that the message leaves out, as sentences.
    pub fn detail(&self) -> Option<String> {
        Some(match self {
            Error::TokenTooLong { bytes } => format!("The token has {bytes} bytes; the limit is {MAX_TOKEN_BYTES}."),
            Error::NotCompact { parts } => format!("A JWT has 3 parts with dots between them; this one has {parts}."),
            Error::NotJson { problem, .. } | Error::KeyNotJson { problem } => {
                format!("The text was rejected: {problem}.")
            }
            Error::UnknownAlgorithm { alg } => format!("The JWT has alg=\"{alg}\"."),
            Error::AlgorithmMismatch { alg } => format!("The JWT has alg=\"{alg:?}\"."),
            Error::Critical { member } => format!("The JWT header has \"{member}\"."),
            Error::UnknownKeyId { kid } => format!("The JWT has kid=\"{kid}\"."),
            Error::AmbiguousKey { candidates } => format!("{candidates} keys match; exactly one must."),
            Error::Expired { exp, now, leeway } => format!("exp={exp}, now={now}, leeway={leeway}"),
            Error::NotYetValid { nbf, now, leeway } => format!("nbf={nbf}, now={now}, leeway={leeway}"),
            Error::TokenIdReplayed { jti, last } => format!("jti={jti}, last={last}"),
            Error::UnknownIssuer { iss: Some(iss) } => format!("The JWT has iss=\"{iss}\"."),
            Error::UnknownIssuer { iss: None } => "The JWT has no string \"iss\".".to_owned(),
            Error::Audience { aud: Some(aud) } => format!("The JWT has aud=\"{aud}\"."),
            Error::Audience { aud: None } => "The JWT has no \"aud\".".to_owned(),
            Error::Providers { index, problem } => match index {
                Some(index) => format!("Provider {} {problem}.", index.saturating_add(1)),
                None => format!("The list {problem}."),
            },
            Error::KeySetTooLong { bytes } => format!("The text has {bytes} bytes; the limit is {MAX_KEY_SET_BYTES}."),
            Error::Key(problem) => format!("The key was rejected: {problem}."),
            Error::NoUsableKey { members } => format!("The keys were rejected: {}.", reasons(members)),
            Error::NotFetched { index } => format!("Provider {} has a \"jwks_url\".", index.saturating_add(1)),
            Error::ClaimDate { .. } => {
                "The claim must be a number from 0 to 253402300799 (the end of the year 9999).".to_owned()
            }
            Error::TokenId => "The claim must be a 64-bit integer.".to_owned(),
            Error::NotBase64Url { .. }
            | Error::HeaderMember { .. }
            | Error::Signature
            | Error::UserId { .. }
            | Error::NoKeys
            | Error::NotEncodable => return None,
        })
    }

    /// Returns the message and the detail as one line, for an administrator.
    pub fn line(&self) -> String {
        match self.detail() {
            Some(detail) => format!("{self} ({})", detail.trim_end_matches('.')),
            None => self.to_string(),
        }
    }
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
