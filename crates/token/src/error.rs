//! The reasons why a token or a key is rejected: one fact per variant, with its numbers and names, comparable in tests.
//!
//! An error is displayed as its message; `Error::detail` (`error_detail`) adds the numbers and names. A text from outside is included only
//! where it helps the reader (kid, alg, iss, aud), as an [`Excerpt`]. No other part of a token or of a key gets into an error.

use std::fmt;

use crate::algorithm::Algorithm;
use crate::discovery_document::DiscoveryProblem;
use crate::excerpt::Excerpt;
use crate::key_document::Document;
use crate::key_problem::{KeyProblem, Member};
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
    /// The token is the empty text.
    #[error("invalid JWT encoding")]
    Empty,
    /// The token is the value of an HTTP header, whose scheme was not removed (RFC 6750 §2.1).
    #[error("invalid JWT encoding")]
    BearerScheme,
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
    /// Several providers accept the token.
    #[error("JWT fits more than one provider")]
    AmbiguousProvider {
        /// The index of the first in the list, from 0.
        first: usize,
        /// The index of the second.
        second: usize,
    },
    /// `iss` is not the issuer of any provider, or not a string.
    #[error("JWT issuer is not trusted")]
    UnknownIssuer {
        /// The claim, if it is a string.
        iss: Option<Excerpt>,
    },
    /// `iss` is the issuer of a provider except for a slash at the end.
    #[error("JWT issuer is not trusted")]
    IssuerSlash {
        /// The claim.
        iss: Excerpt,
    },
    /// `aud` has none of the provider's audiences.
    #[error("JWT is intended for another audience")]
    Audience {
        /// The claim.
        aud: Option<Excerpt>,
    },
    /// `aud` is not a string or an array of strings (RFC 7519 §4.1.3).
    #[error("'aud' (Audience) must be a string or an array of strings")]
    AudienceType {
        /// Whether it is an array.
        is_array: bool,
    },
    /// A claim is absent, or is not what the provider's `claims` demand.
    #[error("JWT does not have a claim that its provider requires")]
    ClaimRule {
        /// The name of the claim.
        claim: Excerpt,
        /// Whether it is absent or `null`.
        is_absent: bool,
    },
    /// `typ` is not a type that the provider accepts (RFC 8725 §3.11).
    #[error("JWT is of another type than its provider accepts")]
    TokenType {
        /// The header's `typ`.
        typ: Option<Excerpt>,
    },
    /// `typ` is not that of an access token (RFC 9068 §2.1), and the provider accepts nothing else.
    #[error("JWT is not an access token")]
    NotAccessToken {
        /// The header's `typ`.
        typ: Option<Excerpt>,
    },
    /// The token has `events`: it reports security events, such as a logout (RFC 8417 §2.2).
    #[error("JWT reports a security event")]
    SecurityEvent,
    /// The token has `cnf`: it is bound to a key (RFC 7800), whose possession the session does not prove.
    #[error("JWT is bound to a key of its client")]
    SenderConstrained,
    /// `exp` is absent, and the provider does not say `"expiry": "optional"`.
    #[error("JWT does not expire")]
    NoExpiry,
    /// `iat` is absent, but the provider has `max_age`.
    #[error("JWT does not have the time at which it was issued")]
    NoIssueTime,
    /// `iat` is longer ago than the provider's `max_age`, by more than the leeway.
    #[error("Token used after its maximum age")]
    TooOld {
        /// The claim.
        iat: NumericDate,
        /// The time that it was compared with.
        now: NumericDate,
        /// The maximum age, in seconds.
        max_age: u32,
        /// The leeway, in seconds.
        leeway: u32,
    },
    /// The key does not sign with the header's `alg`.
    #[error("JWT signature algorithm does not match the key")]
    AlgorithmMismatch {
        /// The header's `alg`.
        alg: Algorithm,
    },
    /// The provider's `algorithms` do not have the header's `alg`, whatever the key allows.
    #[error("JWT signature algorithm does not match the key")]
    AlgorithmExcluded {
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
    /// `exp`, `nbf` or `iat` is not a number of seconds until 9999; `exp` must be from 1970 on (RFC 7519 §2, NumericDate).
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
        claim: Excerpt,
        /// Its title: for `sub` that of RFC 7519.
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
    /// The text is another document of a provider than the required one.
    #[error("text is {found}, not {wanted}")]
    OtherDocument {
        /// What the text is.
        found: Document,
        /// What is required.
        wanted: Document,
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
    /// The document of a discovery cannot be used.
    #[error("discovery document cannot be used")]
    Discovery(DiscoveryProblem),
    /// A provider's keys must be fetched, and there is no worker that does it.
    #[error("pg_session_jwt must be loaded via \"shared_preload_libraries\" to use \"{means}\"")]
    NotFetched {
        /// The index of the provider in the list, from 0.
        index: usize,
        /// `jwks_url` or `discovery`.
        means: &'static str,
    },
}

impl Error {
    /// The user-id claim is not a string. `claim` is its name.
    pub fn user_id(claim: &str) -> Self {
        Error::UserId {
            claim: Excerpt::new(claim),
            title: if claim == "sub" { "Subject" } else { "User ID" },
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
