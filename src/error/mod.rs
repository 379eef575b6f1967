//! Every failure as a PostgreSQL error: one exhaustive match from the fact to SQLSTATE, message, detail and hint.
//!
//! The messages that clients of version 0.5.0 compare are unchanged. All texts are ASCII, so that they are the same in every
//! database encoding. Of a token or key they contain only excerpts: `kid`, `alg`, `iss` and `aud`.

#![forbid(unsafe_code)]

use pgrx::prelude::*;

use crate::guc::names;
pub use crate::pg::ereport::Report;
use crate::token::Error;
#[cfg(feature = "pg18")]
use crate::token::Excerpt;

/// Why a call or an assignment is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The verifier rejected a token or a key.
    Token(Error),
    /// A setting has an unusable value. Every call fails instead of falling back to a weaker mode.
    Unusable { setting: &'static str, problem: Error },
    /// A setting was given where PostgreSQL could not apply it.
    NotApplied { setting: &'static str },
    /// There is no key to verify a token.
    NoKey,
    /// The current role is not allowed to use tokens of this provider.
    Role,
    /// A token came from a source other than the session itself.
    TokenSource,
    /// A connection tried to replace the server's key with its own.
    KeyFromClient,
    /// A connection set a key while `client_keys` is off.
    ClientKey,
    /// A connection set the key twice.
    KeyTwice,
    /// The session had providers earlier, and has none now.
    LostProviders,
    /// The value stored for the database or role of the session differs from the value at its start.
    StoredChanged { setting: &'static str },
    /// An OAuth login was attempted, but no provider is configured.
    #[cfg(feature = "pg18")]
    NoProviders,
    /// A session authenticated with OAuth is in a mode without providers.
    #[cfg(feature = "pg18")]
    NoProviderOfLogin,
    /// The token of an OAuth login does not identify a user by the user-id claim of its provider.
    #[cfg(feature = "pg18")]
    NoUserId { claim: String },
    /// The session is bound to the user of its OAuth login.
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

    /// Raises the failure as FATAL, which ends the session.
    #[cfg(feature = "pg18")]
    pub fn end_session(&self) -> ! {
        self.report().emit(PgLogLevel::FATAL);
        unreachable!("FATAL does not return")
    }

    /// The setting with the unusable or missing value.
    pub fn setting(&self) -> Option<&'static str> {
        match self {
            Failure::Unusable { setting, .. } | Failure::NotApplied { setting } => Some(setting),
            _ => None,
        }
    }

    /// Writes the failure to the server log only, prefixed with `event`.
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
                detail: error.detail(),
                hint: hint(error),
            },
            Failure::Unusable { setting, problem } => Report {
                sqlstate: sqlstate(problem),
                message: format!("\"{setting}\" is set but cannot be used: {problem}"),
                detail: problem.detail(),
                hint: Some(match problem {
                    Error::NotFetched { .. } => hint(problem).unwrap_or_default(),
                    _ => "Every function that reads the identity fails until the setting is corrected.",
                }),
            },
            Failure::NotApplied { setting } => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: format!("\"{setting}\" is set but was not applied"),
                detail: Some("It was set where it has no effect, or to an empty or malformed value.".to_owned()),
                hint: Some(
                    "Set it in postgresql.conf or in the connection's startup packet, and load pg_session_jwt with \
                     shared_preload_libraries or session_preload_libraries.",
                ),
            },
            Failure::NoKey => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: format!("cannot verify a JWT because \"{}\" is not set", names::text(names::JWK)),
                detail: None,
                hint: Some(
                    "Set pg_session_jwt.providers and reconnect, or set pg_session_jwt.jwk in the connection's startup packet \
                     or in postgresql.conf. Without them, identities come from request.jwt.claims if \
                     pg_session_jwt.claims_fallback is on.",
                ),
            },
            Failure::Role => Report {
                sqlstate: State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
                message: "current role is not allowed to use tokens of this provider".to_owned(),
                detail: None,
                hint: Some("Use a role that the provider lists in its \"roles\"."),
            },
            Failure::TokenSource => Report {
                sqlstate: State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                message: format!("\"{}\" can be set only within a session", names::text(names::JWT)),
                detail: Some(
                    "A stored token would become the identity of every session that inherits the setting.".to_owned(),
                ),
                hint: Some("Call auth.jwt_session_init(token) or use SET pg_session_jwt.jwt in the session."),
            },
            Failure::KeyFromClient => Report {
                sqlstate: State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                message: format!("\"{}\" is set by the server", names::text(names::JWK)),
                detail: Some("A connection cannot replace the server's key with its own.".to_owned()),
                hint: Some("Connect without pg_session_jwt.jwk."),
            },
            Failure::ClientKey => Report {
                sqlstate: State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                message: format!("connections are not allowed to set \"{}\"", names::text(names::JWK)),
                detail: Some(format!("\"{}\" is off.", names::text(names::CLIENT_KEYS))),
                hint: Some("Connect without pg_session_jwt.jwk."),
            },
            Failure::KeyTwice => Report {
                sqlstate: State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                message: format!("\"{}\" is specified more than once", names::text(names::JWK)),
                detail: Some("One value of the startup packet would replace the other.".to_owned()),
                hint: Some("Specify it once, either in \"options\" or as a startup parameter."),
            },
            Failure::LostProviders => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: "session has lost its identity providers".to_owned(),
                detail: Some("Without them it trusts no other key and no claims, and provides no identity.".to_owned()),
                hint: Some("Reconnect to the database."),
            },
            Failure::StoredChanged { setting } => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: format!("\"{setting}\" differs from the value stored for this session"),
                detail: Some("ALTER DATABASE or ALTER ROLE changed it after the session began.".to_owned()),
                hint: Some("Reconnect to the database."),
            },
            #[cfg(feature = "pg18")]
            Failure::NoProviders => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: format!(
                    "cannot verify a JWT because \"{}\" is not set",
                    names::text(names::PROVIDERS)
                ),
                detail: Some(
                    "A login happens before the database is selected, so the server-wide value applies.".to_owned(),
                ),
                hint: Some("Set it in postgresql.conf or with ALTER SYSTEM."),
            },
            #[cfg(feature = "pg18")]
            Failure::NoProviderOfLogin => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: "session authenticated with OAuth has no identity providers".to_owned(),
                detail: Some(format!(
                    "\"{}\" is not set, and no other key or claim can provide the identity of such a session.",
                    names::text(names::PROVIDERS)
                )),
                hint: Some("Configure the provider of the login for this database and reconnect."),
            },
            #[cfg(feature = "pg18")]
            Failure::NoUserId { claim } => Report {
                sqlstate: State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
                message: "JWT does not identify a user".to_owned(),
                detail: Some(format!(
                    "Its \"{}\" is not a string, is empty, or has invisible characters or surrounding blanks.",
                    Excerpt::new(claim)
                )),
                hint: None,
            },
            #[cfg(feature = "pg18")]
            Failure::OtherUser => Report {
                sqlstate: State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
                message: "session is bound to the user who logged in".to_owned(),
                detail: Some(
                    "Only a token with the same issuer and user id can replace the one of the OAuth login.".to_owned(),
                ),
                hint: Some("RESET restores the token of the login. Reconnect to authenticate as a different user."),
            },
        }
    }
}

/// A rejected token is 28000; a malformed token, claim or key is 22023.
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

const fn hint(error: &Error) -> Option<&'static str> {
    match error {
        Error::Expired { .. } => Some("Present a new token."),
        Error::NotYetValid { .. } => Some("The clock of the issuer or of this server may be wrong."),
        Error::Key(_) | Error::KeyNotJson { .. } => Some(
            "Provide one public JSON Web Key: {\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"...\"}, or kty EC or RSA.",
        ),
        Error::UnknownKeyId { .. } => Some("Present a new token; the provider may have retired the key."),
        Error::NoKeys => Some("An administrator can find the reason in auth.providers()."),
        Error::NotFetched { .. } => Some(
            "Add pg_session_jwt to shared_preload_libraries and restart the server, or provide the keys with \"jwks\" \
             or \"jwks_file\".",
        ),
        _ => None,
    }
}
