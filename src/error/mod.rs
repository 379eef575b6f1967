//! Every refusal as a PostgreSQL error: one exhaustive match from fact to SQLSTATE, message, detail and hint.
//!
//! Messages that clients of version 0.5.0 look for are kept to the letter. Texts are ASCII, so that they are the same
//! in every database encoding, and hold nothing of a token or key but an excerpt of `kid` and `alg`.

pub mod check_hook;

use pgrx::prelude::*;

use crate::guc::names;
pub use crate::pg::ereport::Report;
use crate::token;
use crate::token::Error;
#[cfg(feature = "pg18")]
use crate::token::Excerpt;

/// Why a call or an assignment is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// A token or key is refused by the judge.
    Token(Error),
    /// A setting holds a value that cannot be used; every call fails rather than fall back to a weaker mode.
    Unusable { setting: &'static str, problem: Error },
    /// A setting was given where PostgreSQL could not apply it.
    NotApplied { setting: &'static str },
    /// There is nothing to verify a token with.
    NoKey,
    /// The current role may not use tokens of their provider.
    Role,
    /// A token may come from the session itself only.
    TokenSource,
    /// The server has a key of its own, and a connection brings another one.
    KeyFromClient,
    /// A connection brings a key where none may.
    ClientKey,
    /// A connection brings two keys.
    KeyTwice,
    /// The session has had providers and has none any more.
    LostProviders,
    /// What is stored for the session's database or role is not what it was opened with.
    StoredChanged { setting: &'static str },
    /// A login with a token, and no provider whose it could be.
    #[cfg(feature = "pg18")]
    NoProviders,
    /// A session that logged in with a token is in a mode without providers.
    #[cfg(feature = "pg18")]
    NoProviderOfLogin,
    /// A login with a token that names no user by the claim that is its provider's user id.
    #[cfg(feature = "pg18")]
    NoUserId { claim: String },
    /// The session is the user's who logged in with a token.
    #[cfg(feature = "pg18")]
    OtherUser,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Token(error)
    }
}

impl Failure {
    /// Raises the failure as an ERROR.
    pub fn raise(&self) -> ! {
        self.report().emit(PgLogLevel::ERROR);
        unreachable!("an ERROR does not return")
    }

    /// Raises the failure as the end of the session.
    #[cfg(feature = "pg18")]
    pub fn end_session(&self) -> ! {
        self.report().emit(PgLogLevel::FATAL);
        unreachable!("FATAL does not return")
    }

    /// The setting that it is about.
    pub fn setting(&self) -> Option<&'static str> {
        match self {
            Failure::Unusable { setting, .. } | Failure::NotApplied { setting } => Some(setting),
            _ => None,
        }
    }

    /// Tells the server's log, and nobody else, of what it was the reason.
    #[cfg(feature = "pg18")]
    pub fn log(&self, event: &str) {
        let mut report = self.report();
        report.message = format!("{event}: {}", report.message);
        report.emit(PgLogLevel::LOG);
    }

    /// SQLSTATE, message, detail and hint.
    pub fn report(&self) -> Report {
        use PgSqlErrorCode as State;
        match self {
            Failure::Token(error) => Report {
                sqlstate: sqlstate(error),
                message: error.to_string(),
                detail: detail(error),
                hint: hint(error),
            },
            Failure::Unusable { setting, problem } => Report {
                sqlstate: sqlstate(problem),
                message: format!("\"{setting}\" is set but cannot be used: {problem}"),
                detail: detail(problem),
                hint: Some(match problem {
                    Error::NotFetched { .. } => hint(problem).unwrap_or_default(),
                    _ => "Until it is mended no identity is given to anyone.",
                }),
            },
            Failure::NotApplied { setting } => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: format!("\"{setting}\" is set but was not applied"),
                detail: Some("It was given where it cannot be set, or with an empty or malformed value.".to_owned()),
                hint: Some(
                    "Set it in postgresql.conf or in the connection's startup packet, and load pg_session_jwt with \
                     shared_preload_libraries or session_preload_libraries.",
                ),
            },
            Failure::NoKey => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: format!("no key to verify a JWT with: \"{}\" is not set", names::JWK_TEXT),
                detail: None,
                hint: Some(
                    "Set pg_session_jwt.jwk in the connection's startup packet (options=-c pg_session_jwt.jwk=...) or in \
                     postgresql.conf. Without a key, identities come from request.jwt.claims if \
                     pg_session_jwt.claims_fallback is on.",
                ),
            },
            Failure::Role => Report {
                sqlstate: State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
                message: "the current role may not use tokens of this provider".to_owned(),
                detail: None,
                hint: Some("The provider's \"roles\" name those that may."),
            },
            Failure::TokenSource => Report {
                sqlstate: State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                message: "a JWT cannot be a default".to_owned(),
                detail: Some("Whoever could set it for a role or a database could plant it for others.".to_owned()),
                hint: Some("Present it in the session: auth.jwt_session_init(token), or SET pg_session_jwt.jwt."),
            },
            Failure::KeyFromClient => Report {
                sqlstate: State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                message: format!("\"{}\" is set by the server", names::JWK_TEXT),
                detail: Some("A connection cannot replace the server's key with its own.".to_owned()),
                hint: Some("Connect without it."),
            },
            Failure::ClientKey => Report {
                sqlstate: State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                message: "a connection may not bring a key of its own".to_owned(),
                detail: Some(format!("\"{}\" is off.", names::CLIENT_KEYS_TEXT)),
                hint: Some("Connect without pg_session_jwt.jwk."),
            },
            Failure::KeyTwice => Report {
                sqlstate: State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                message: format!("\"{}\" is given twice", names::JWK_TEXT),
                detail: Some("One value of the startup packet would replace another one.".to_owned()),
                hint: Some("Give it in \"options\" or as a parameter, once."),
            },
            Failure::LostProviders => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: "this session has lost its identity providers".to_owned(),
                detail: Some("Without them it gives no identity, and believes no other key and no claims.".to_owned()),
                hint: Some("Connect again."),
            },
            Failure::StoredChanged { setting } => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: format!("\"{setting}\" is not what is stored for this session"),
                detail: Some("ALTER DATABASE or ALTER ROLE has changed it since the session began.".to_owned()),
                hint: Some("Connect again."),
            },
            #[cfg(feature = "pg18")]
            Failure::NoProviders => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: format!(
                    "no provider to verify a JWT with: \"{}\" is not set",
                    names::PROVIDERS_TEXT
                ),
                detail: Some("At a login no database is chosen yet: the server's own setting decides.".to_owned()),
                hint: Some("Set it in postgresql.conf or by ALTER SYSTEM."),
            },
            #[cfg(feature = "pg18")]
            Failure::NoProviderOfLogin => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: "no provider to verify a JWT with: the session logged in with a token".to_owned(),
                detail: Some(format!(
                    "\"{}\" is not set here, and no other key or claim makes somebody of it.",
                    names::PROVIDERS_TEXT
                )),
                hint: Some("Set the provider of the login for this database, too, and connect again."),
            },
            #[cfg(feature = "pg18")]
            Failure::NoUserId { claim } => Report {
                sqlstate: State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
                message: "the JWT names no user".to_owned(),
                detail: Some(format!(
                    "Its \"{}\" is not a string, or empty, or has characters or blanks that cannot be seen.",
                    Excerpt::new(claim)
                )),
                hint: None,
            },
            #[cfg(feature = "pg18")]
            Failure::OtherUser => Report {
                sqlstate: State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
                message: "the session is the user's who logged in".to_owned(),
                detail: Some(
                    "It logged in with a token; only one of the same issuer and user id can replace that.".to_owned(),
                ),
                hint: Some("RESET goes back to the token of the login. Log in anew to be somebody else."),
            },
        }
    }
}

/// An error of the judge as one line for an administrator.
pub fn in_words(error: &Error) -> String {
    match detail(error) {
        Some(detail) => format!("{error} ({})", detail.trim_end_matches('.')),
        None => error.to_string(),
    }
}

/// A refused token is 28000, a malformed token, claim or key 22023.
fn sqlstate(error: &Error) -> PgSqlErrorCode {
    use PgSqlErrorCode as State;
    match error {
        Error::UnknownAlgorithm { .. }
        | Error::Critical { .. }
        | Error::UnknownKeyId { .. }
        | Error::UnknownIssuer { .. }
        | Error::Audience { .. }
        | Error::AmbiguousKey { .. }
        | Error::AlgorithmMismatch { .. }
        | Error::Signature
        | Error::Expired { .. }
        | Error::NotYetValid { .. }
        | Error::TokenIdReplayed { .. } => State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
        Error::NoKeys | Error::NotFetched { .. } => State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        Error::TokenTooLong { .. }
        | Error::NotCompact { .. }
        | Error::NotBase64Url { .. }
        | Error::NotJson { .. }
        | Error::HeaderMember { .. }
        | Error::ClaimDate { .. }
        | Error::TokenId
        | Error::UserId { .. }
        | Error::NotEncodable
        | Error::KeySetTooLong { .. }
        | Error::KeyNotJson { .. }
        | Error::Key(_)
        | Error::NoUsableKey { .. }
        | Error::Providers { .. } => State::ERRCODE_INVALID_PARAMETER_VALUE,
    }
}

fn detail(error: &Error) -> Option<String> {
    use token::compact::MAX_TOKEN_BYTES;
    use token::key_set;
    use token::keys::MAX_KEY_SET_BYTES;
    Some(match error {
        Error::TokenTooLong { bytes } => format!("It has {bytes} bytes; at most {MAX_TOKEN_BYTES} are accepted."),
        Error::NotCompact { parts } => format!("A JWT has 3 parts with dots between them; this has {parts}."),
        Error::NotJson { problem, .. } | Error::KeyNotJson { problem } => format!("The problem: {problem}."),
        Error::UnknownAlgorithm { alg } => format!("alg=\"{alg}\""),
        Error::Critical { member } => format!("Its header has \"{member}\"."),
        Error::UnknownKeyId { kid } => format!("kid=\"{kid}\""),
        Error::AmbiguousKey { candidates } => {
            format!("{candidates} keys could have signed it; exactly one would do.")
        }
        Error::AlgorithmMismatch { alg } => format!("alg=\"{alg:?}\""),
        Error::Expired { exp, now, leeway } => format!("exp={exp}, now={now}, leeway={leeway}"),
        Error::NotYetValid { nbf, now, leeway } => format!("nbf={nbf}, now={now}, leeway={leeway}"),
        Error::TokenIdReplayed { jti, last } => format!("jti={jti}, last={last}"),
        Error::UnknownIssuer { iss: Some(iss) } => format!("iss=\"{iss}\""),
        Error::UnknownIssuer { iss: None } => "It has no string \"iss\".".to_owned(),
        Error::Audience { aud: Some(aud) } => format!("aud=\"{aud}\""),
        Error::Audience { aud: None } => "It has no \"aud\".".to_owned(),
        Error::Providers {
            place: Some(place),
            problem,
        } => format!("Provider {}: {problem}.", place.saturating_add(1)),
        Error::Providers { place: None, problem } => format!("The problem: {problem}."),
        Error::KeySetTooLong { bytes } => format!("It has {bytes} bytes; at most {MAX_KEY_SET_BYTES} are accepted."),
        Error::Key(problem) => format!("The key cannot be used: {problem}."),
        Error::NoUsableKey { members } => format!("Its keys: {}.", key_set::reasons(members)),
        Error::NotFetched { place } => format!("Provider {} has one.", place.saturating_add(1)),
        Error::ClaimDate { .. } => "It must be a number from 0 to 253402300799 (the end of the year 9999).".to_owned(),
        Error::TokenId => "It must be an integer of 64 bits.".to_owned(),
        Error::NotBase64Url { .. }
        | Error::HeaderMember { .. }
        | Error::Signature
        | Error::UserId { .. }
        | Error::NoKeys
        | Error::NotEncodable => return None,
    })
}

const fn hint(error: &Error) -> Option<&'static str> {
    match error {
        Error::Expired { .. } => Some("Present a new token."),
        Error::NotYetValid { .. } => Some("The clock of the issuer or of this server may be wrong."),
        Error::Key(_) | Error::KeyNotJson { .. } => {
            Some("Give one public JSON Web Key: {\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"...\"}, or kty EC or RSA.")
        }
        Error::UnknownKeyId { .. } => Some("The provider may have retired the key: present a new token."),
        Error::NoKeys => Some("An administrator finds the reason in auth.providers()."),
        Error::NotFetched { .. } => Some(
            "Add pg_session_jwt to shared_preload_libraries and restart the server, or give the keys by \"jwks\" or \
             \"jwks_file\".",
        ),
        _ => None,
    }
}
