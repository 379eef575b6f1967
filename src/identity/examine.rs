//! The examination of a token for `auth.verify()`: each rule with its result, and the outcome of a verification.
//!
//! Nothing changes: the token is not set, no `jti` counts, and no cache has the token afterwards.

use crate::error::Failure;
use crate::guc::extra::ProviderIndex;
use crate::guc::values::leeway;
#[cfg(any(feature = "pg18", feature = "pg19"))]
use crate::identity::login_user;
use crate::identity::mode::{self, Mode};
use crate::identity::session_token;
#[cfg(any(feature = "pg18", feature = "pg19"))]
use crate::identity::verified_token::VerifiedToken;
use crate::keys::providers::Providers;
use crate::pg::ereport::sqlstate_text;
use crate::pg::{clock, encoding};
use crate::token::examine::{Examination, Finding, examine};
use crate::token::rule::Rule;
use crate::token::validity::TokenId;
use crate::token::{Error, Excerpt, Identity, Provider, Validity};

/// A row of `auth.verify()`.
pub struct Row {
    pub rule: &'static str,
    /// None: the rule was not checked, or does not decide.
    pub passed: Option<bool>,
    pub detail: String,
}

/// The rows of a token that is too long to be read.
pub fn rows_of_too_long(bytes: usize) -> Vec<Row> {
    let mut report = Report::default();
    report.fail(Rule::Form.name(), Failure::Token(Error::TokenTooLong { bytes }));
    report.end()
}

/// The rows of a token. `role` is the role that would present it; without it, the provider's `roles` are only reported.
///
/// # Errors
/// Those of [`mode::mode_in_transaction`], [`Failure::NoKey`], and after an OAuth login `Failure::NoProviderOfLogin`.
pub fn rows(token: &[u8], role: Option<&str>) -> Result<Vec<Row>, Failure> {
    let validity = |jti| Validity {
        now: clock::statement_start(),
        leeway: leeway(),
        jti,
    };
    let mut report = Report::default();
    match mode::mode_in_transaction()? {
        Mode::Provider(providers) => {
            let examination = providers.examine(token, &validity(TokenId::Any));
            let verified = report.examined(examination).map(|verified| {
                let provider = ProviderIndex(verified.provider);
                (provider, verified.identity)
            });
            report.of_session(token, verified, &providers, role);
        }
        #[cfg(any(feature = "pg18", feature = "pg19"))]
        Mode::Proxy(_) | Mode::Claims | Mode::Off if login_user::is_bound() => return Err(Failure::NoProviderOfLogin),
        Mode::Proxy(keys) => {
            session_token::verify_current_token();
            let examination = examine(token, &keys, &validity(session_token::required_token_id()));
            let identity = report.examined(examination);
            let user = identity.as_ref().map(|identity| user_id(identity, "sub"));
            report.encoded(identity);
            report.push("user_id", None, user.unwrap_or_default());
        }
        Mode::Claims | Mode::Off => return Err(Failure::NoKey),
    }
    Ok(report.end())
}

#[derive(Default)]
struct Report {
    rows: Vec<Row>,
    /// The first failure, which a verification reports.
    failure: Option<Failure>,
}

impl Report {
    fn push(&mut self, rule: &'static str, passed: Option<bool>, detail: String) {
        self.rows.push(Row { rule, passed, detail });
    }

    fn fail(&mut self, rule: &'static str, failure: Failure) {
        self.push(rule, Some(false), failure.line());
        self.failure.get_or_insert(failure);
    }

    /// Adds what the core has found. Returns what a verification would.
    fn examined<V>(&mut self, examination: Examination<V>) -> Option<V> {
        for Finding { rule, result } in examination.findings {
            match result {
                Some(Ok(detail)) => self.push(rule.name(), Some(true), detail),
                Some(Err(error)) => self.push(rule.name(), Some(false), error.line()),
                None => self.push(rule.name(), None, String::new()),
            }
        }
        examination
            .outcome
            .map_err(|error| self.failure = Some(Failure::Token(error)))
            .ok()
    }

    /// Adds whether the database can hold the identity. Returns its flat form.
    fn encoded(&mut self, identity: Option<Identity>) -> Option<Vec<u8>> {
        match identity.map(encoding::flatten) {
            Some(Ok(flat)) => {
                self.push("encoding", Some(true), String::new());
                Some(flat)
            }
            Some(Err(error)) => {
                self.fail("encoding", Failure::Token(error));
                None
            }
            None => {
                self.push("encoding", None, String::new());
                None
            }
        }
    }

    /// Adds the rules that depend on the session that presents the token.
    fn of_session(
        &mut self,
        token: &[u8],
        verified: Option<(ProviderIndex, Identity)>,
        providers: &Providers,
        role: Option<&str>,
    ) {
        let index = verified.as_ref().map(|(index, _)| *index);
        let provider = index.and_then(|index| providers.get(index));
        let user = match (&verified, provider) {
            (Some((_, identity)), Some(provider)) => user_id(identity, &provider.user_id_claim),
            _ => String::new(),
        };
        let flat = self.encoded(verified.map(|(_, identity)| identity));
        match (provider, role) {
            (None, _) => self.push("roles", None, String::new()),
            (Some(provider), None) => self.push("roles", None, roles(provider)),
            (Some(provider), Some(role)) if provider.allows(role.as_bytes()) => {
                self.push("roles", Some(true), roles(provider));
            }
            (Some(_), Some(role)) => {
                let current = Excerpt::new(role).to_string();
                let remedy = String::new();
                self.fail("roles", Failure::Role { current, remedy });
            }
        }
        self.of_login(token, index, flat, providers);
        self.push("user_id", None, user);
    }

    /// Adds whether the token belongs to the user of the session's OAuth login.
    #[cfg(any(feature = "pg18", feature = "pg19"))]
    fn of_login(&mut self, token: &[u8], index: Option<ProviderIndex>, flat: Option<Vec<u8>>, providers: &Providers) {
        if !login_user::is_bound() {
            return;
        }
        let Some(identity) = flat else {
            self.push("login", None, String::new());
            return;
        };
        let verified = VerifiedToken {
            provider: index,
            identity,
        };
        match login_user::check_token(token, providers, &verified) {
            Ok(()) => self.push("login", Some(true), String::new()),
            Err(failure) => self.fail("login", failure),
        }
    }

    /// Adds nothing: PostgreSQL has OAuth logins since version 18.
    #[cfg(not(any(feature = "pg18", feature = "pg19")))]
    fn of_login(&mut self, _: &[u8], _: Option<ProviderIndex>, _: Option<Vec<u8>>, _: &Providers) {}

    fn end(mut self) -> Vec<Row> {
        let detail = self.failure.as_ref().map_or_else(String::new, |failure| {
            format!("{}: {}", sqlstate_text(failure.report().sqlstate), failure.line())
        });
        self.push("outcome", Some(self.failure.is_none()), detail);
        self.rows
    }
}

/// The roles that may present the tokens of a provider.
fn roles(provider: &Provider) -> String {
    if provider.roles.is_empty() {
        return "any role".to_owned();
    }
    let roles = provider.roles.iter().map(|role| Excerpt::new(role).to_string());
    roles.collect::<Vec<_>>().join(", ")
}

/// The user id of an identity, or why there is none.
fn user_id(identity: &Identity, claim: &str) -> String {
    let name = Excerpt::new(claim);
    match &identity.user_id {
        Some(user_id) => format!("{name}=\"{}\"", Excerpt::new(user_id)),
        None if identity.user_id_malformed => format!("claim {name} is not a string"),
        None => format!("there is no string claim {name}"),
    }
}
