//! Every failure as a PostgreSQL error: one exhaustive match from the fact to SQLSTATE, message, detail and hint.
//!
//! The messages that clients of version 0.5.0 compare are unchanged. All texts are ASCII, so that they are the same in every
//! database encoding. Of a token or key they contain only excerpts: `kid`, `alg`, `typ`, `iss` and `aud`.

#![forbid(unsafe_code)]

mod identity_scope;
mod of_token;

use pgrx::prelude::*;

use crate::error::of_token::{hint, sqlstate};
use crate::guc::names;
pub use crate::pg::ereport::Report;
use crate::token::Error;
#[cfg(any(feature = "pg18", feature = "pg19"))]
use crate::token::Excerpt;
use crate::token::recognition::Problem;

/// Why a call or an assignment is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The verifier rejected a token or a key.
    Token(Error),
    /// The same, and the keys of its provider were not fetched again because of the limit.
    NotRefetched { error: Error, seconds: i64 },
    /// A setting has an unusable value. Every call fails instead of falling back to a weaker mode.
    Unusable { setting: &'static str, problem: Error },
    /// A setting was given where PostgreSQL could not apply it.
    NotApplied { setting: &'static str },
    /// An argument that must have a value is NULL.
    NullArgument { argument: &'static str },
    /// A token for the transaction was presented where the transaction ends with the call. This is a warning.
    OutsideBlock,
    /// There is no key to verify a token.
    NoKey,
    /// The current role is not allowed to use tokens of this provider.
    Role { current: String, remedy: String },
    /// An OAuth login asked for a role that is not allowed to use tokens of this provider.
    #[cfg(any(feature = "pg18", feature = "pg19"))]
    LoginRole,
    /// A token came from a source other than the session itself.
    TokenSource,
    /// A connection tried to replace the server's key with its own.
    KeyFromClient,
    /// A connection set a key while `client_keys` is off.
    ClientKey,
    /// A connection set the key twice.
    KeyTwice,
    /// No provider's settings follow from a URL and the values that were filled in.
    NotRecognized(Problem),
    /// This session does not know the list of providers that applies to its database.
    HiddenProviders,
    /// The session had providers earlier, and has none now.
    LostProviders,
    /// The value stored for the database or role of the session differs from the value at its start.
    StoredChanged { setting: &'static str },
    /// A function needs the memory that all sessions share, which the library has only where it is preloaded.
    NotPreloaded,
    /// An identity would outlast its transaction, which `identity_scope` forbids.
    OutlastsTransaction,
    /// A parallel worker cannot tell whether its leader's identity outlasts the transaction.
    UnknownLifetime,
    /// An OAuth login was attempted, but no provider is configured.
    #[cfg(any(feature = "pg18", feature = "pg19"))]
    NoProviders,
    /// A session authenticated with OAuth is in a mode without providers.
    #[cfg(any(feature = "pg18", feature = "pg19"))]
    NoProviderOfLogin,
    /// The token of an OAuth login does not identify a user by the user-id claim of its provider.
    #[cfg(any(feature = "pg18", feature = "pg19"))]
    NoUserId { claim: String },
    /// The session is bound to the user of its OAuth login.
    #[cfg(any(feature = "pg18", feature = "pg19"))]
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

    /// Sends the failure to the client as WARNING.
    pub fn warn(&self) {
        self.report().emit(PgLogLevel::WARNING);
    }

    /// Raises the failure as FATAL, which ends the session.
    #[cfg(any(feature = "pg18", feature = "pg19"))]
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
    #[cfg(any(feature = "pg18", feature = "pg19"))]
    pub fn log(&self, event: &str) {
        let mut report = self.report();
        report.message = format!("{event}: {}", report.message);
        report.emit(PgLogLevel::LOG);
    }

    /// The message and the detail as one line.
    pub fn line(&self) -> String {
        let report = self.report();
        match report.detail {
            Some(detail) => format!("{} ({detail})", report.message),
            None => report.message,
        }
    }

    /// SQLSTATE, message, detail and hint.
    pub fn report(&self) -> Report {
        use PgSqlErrorCode as State;
        match self {
            Failure::Token(error) => Report {
                sqlstate: sqlstate(error),
                message: error.to_string(),
                detail: error.detail(),
                hint: hint(error).map(Into::into),
            },
            Failure::NotRefetched { error, seconds } => {
                let next = format!("The keys of the provider can be fetched again in at most {seconds} s.");
                Report {
                    sqlstate: sqlstate(error),
                    message: error.to_string(),
                    detail: Some(
                        error
                            .detail()
                            .map_or_else(|| next.clone(), |detail| format!("{detail} {next}")),
                    ),
                    hint: match error {
                        Error::NoKeys => hint(error),
                        _ => Some("If the provider has changed its keys, present the token again after that time."),
                    }
                    .map(Into::into),
                }
            }
            Failure::Unusable { setting, problem } => Report {
                sqlstate: sqlstate(problem),
                message: format!("\"{setting}\" is set but cannot be used: {problem}"),
                detail: problem.detail(),
                hint: Some(
                    match problem {
                        Error::NotFetched { .. } | Error::OtherDocument { .. } => hint(problem).unwrap_or_default(),
                        _ => "Every function that reads the identity fails until the setting is corrected.",
                    }
                    .into(),
                ),
            },
            Failure::NotApplied { setting } => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: format!("\"{setting}\" is set but was not applied"),
                detail: Some("It was set where it has no effect, or to an empty or malformed value.".to_owned()),
                hint: Some(
                    "Set it in postgresql.conf or in the connection's startup packet, and load pg_session_jwt with \
                     shared_preload_libraries or session_preload_libraries.".into(),
                ),
            },
            Failure::NotPreloaded => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: "pg_session_jwt must be loaded with shared_preload_libraries".to_owned(),
                detail: Some("Without it, the sessions share no memory.".to_owned()),
                hint: Some("Add pg_session_jwt to shared_preload_libraries and restart the server.".into()),
            },
            Failure::NullArgument { argument } => Report {
                sqlstate: State::ERRCODE_NULL_VALUE_NOT_ALLOWED,
                message: format!("\"{argument}\" must not be null"),
                detail: Some("The identity of the session is unchanged.".to_owned()),
                hint: Some("Use RESET pg_session_jwt.jwt to end an identity.".into()),
            },
            Failure::OutsideBlock => Report {
                sqlstate: State::ERRCODE_NO_ACTIVE_SQL_TRANSACTION,
                message: "a token for the transaction can only be used in transaction blocks".to_owned(),
                detail: Some("The identity has ended with this statement.".to_owned()),
                hint: Some("Use BEGIN before auth.jwt_session_init(token, true).".into()),
            },
            Failure::NoKey => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: format!("cannot verify a JWT because \"{}\" is not set", names::text(names::JWK)),
                detail: None,
                hint: Some(
                    "Set pg_session_jwt.providers and reconnect, or set pg_session_jwt.jwk in the connection's startup packet \
                     or in postgresql.conf. Without them, identities come from request.jwt.claims if \
                     pg_session_jwt.claims_fallback is on.".into(),
                ),
            },
            Failure::Role { current, remedy } => Report {
                sqlstate: State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
                message: "current role is not allowed to use tokens of this provider".to_owned(),
                detail: Some(format!("The current role is {current}.")),
                hint: Some(remedy.clone().into()),
            },
            #[cfg(any(feature = "pg18", feature = "pg19"))]
            Failure::LoginRole => Report {
                sqlstate: State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
                message: "current role is not allowed to use tokens of this provider".to_owned(),
                detail: None,
                hint: Some("Use a role that the provider lists in its \"roles\".".into()),
            },
            Failure::TokenSource => Report {
                sqlstate: State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                message: format!("\"{}\" can be set only within a session", names::text(names::JWT)),
                detail: Some(
                    "A stored token would become the identity of every session that inherits the setting.".to_owned(),
                ),
                hint: Some("Call auth.jwt_session_init(token) or use SET pg_session_jwt.jwt in the session.".into()),
            },
            Failure::KeyFromClient => Report {
                sqlstate: State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                message: format!("\"{}\" is set by the server", names::text(names::JWK)),
                detail: Some("A connection cannot replace the server's key with its own.".to_owned()),
                hint: Some("Connect without pg_session_jwt.jwk.".into()),
            },
            Failure::ClientKey => Report {
                sqlstate: State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                message: format!("connections are not allowed to set \"{}\"", names::text(names::JWK)),
                detail: Some(format!("\"{}\" is off.", names::text(names::CLIENT_KEYS))),
                hint: Some("Connect without pg_session_jwt.jwk.".into()),
            },
            Failure::KeyTwice => Report {
                sqlstate: State::ERRCODE_INSUFFICIENT_PRIVILEGE,
                message: format!("\"{}\" is specified more than once", names::text(names::JWK)),
                detail: Some("One value of the startup packet would replace the other.".to_owned()),
                hint: Some("Specify it once, either in \"options\" or as a startup parameter.".into()),
            },
            Failure::NotRecognized(Problem::Url(problem)) => Report {
                sqlstate: State::ERRCODE_INVALID_PARAMETER_VALUE,
                message: "URL does not identify the settings of a provider".to_owned(),
                detail: Some(format!("It {problem}.")),
                hint: Some(
                    "Give the URL of its issuer, key set or discovery document; docs/providers/README.md lists them.".into(),
                ),
            },
            Failure::NotRecognized(Problem::FillIn(problem)) => Report {
                sqlstate: State::ERRCODE_INVALID_PARAMETER_VALUE,
                message: "invalid values to fill in".to_owned(),
                detail: Some(format!("They {problem}.")),
                hint: Some("Without the argument fill_in, the column to_fill_in lists what is needed.".into()),
            },
            Failure::HiddenProviders => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: "list of providers of this database is not known in this session".to_owned(),
                detail: Some(format!(
                    "Another value hides \"{}\" here.",
                    names::text(names::PROVIDERS)
                )),
                hint: Some("Reconnect as a role for which ALTER ROLE has not set it.".into()),
            },
            Failure::LostProviders => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: "session has lost its identity providers".to_owned(),
                detail: Some("Without them it trusts no other key and no claims, and provides no identity.".to_owned()),
                hint: Some("Reconnect to the database.".into()),
            },
            Failure::StoredChanged { setting } => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: format!("\"{setting}\" differs from the value stored for this session"),
                detail: Some("ALTER DATABASE or ALTER ROLE changed it after the session began.".to_owned()),
                hint: Some("Reconnect to the database.".into()),
            },
            Failure::OutlastsTransaction => identity_scope::outlasts_transaction(),
            Failure::UnknownLifetime => identity_scope::unknown_lifetime(),
            #[cfg(any(feature = "pg18", feature = "pg19"))]
            Failure::NoProviders => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: format!(
                    "cannot verify a JWT because \"{}\" is not set",
                    names::text(names::PROVIDERS)
                ),
                detail: Some(
                    "A login happens before the database is selected, so the server-wide value applies.".to_owned(),
                ),
                hint: Some("Set it in postgresql.conf or with ALTER SYSTEM.".into()),
            },
            #[cfg(any(feature = "pg18", feature = "pg19"))]
            Failure::NoProviderOfLogin => Report {
                sqlstate: State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: "session authenticated with OAuth has no identity providers".to_owned(),
                detail: Some(format!(
                    "\"{}\" is not set, and no other key or claim can provide the identity of such a session.",
                    names::text(names::PROVIDERS)
                )),
                hint: Some("Configure the provider of the login for this database and reconnect.".into()),
            },
            #[cfg(any(feature = "pg18", feature = "pg19"))]
            Failure::NoUserId { claim } => Report {
                sqlstate: State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
                message: "JWT does not identify a user".to_owned(),
                detail: Some(format!(
                    "Its \"{}\" is not a string, is empty, or has invisible characters or surrounding blanks.",
                    Excerpt::new(claim)
                )),
                hint: None,
            },
            #[cfg(any(feature = "pg18", feature = "pg19"))]
            Failure::OtherUser => Report {
                sqlstate: State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
                message: "session is bound to the user who logged in".to_owned(),
                detail: Some(
                    "Only a token with the same issuer and user id can replace the one of the OAuth login.".to_owned(),
                ),
                hint: Some("RESET restores the token of the login. Reconnect to authenticate as a different user.".into()),
            },
        }
    }
}
