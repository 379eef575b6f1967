//! A token that is presented: its outcome is written to the audit log and counted, once.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::error::Failure;
use crate::guc::extra::ProviderIndex;
use crate::identity::audit;
use crate::identity::verified_token::Accepted;
use crate::keys::providers::Providers;
use crate::pg::clock::Stopwatch;
use crate::statistics::{self, Reason, Row};
use crate::token::compact::Compact;
use crate::token::{Error, json};

/// A token, and what its outcome is counted by.
pub struct Presented<'a> {
    pub token: &'a [u8],
    /// The time that its verification takes, without that of fetches.
    pub stopwatch: Stopwatch,
    providers: OnceCell<Rc<Providers>>,
}

impl<'a> Presented<'a> {
    pub fn new(token: &'a [u8]) -> Self {
        Presented {
            token,
            stopwatch: Stopwatch::default(),
            providers: OnceCell::new(),
        }
    }

    /// Notes the providers that decide on the token.
    pub fn note_providers(&self, providers: &Rc<Providers>) {
        self.providers.get_or_init(|| Rc::clone(providers));
    }

    /// Logs and counts the outcome.
    pub fn decided(&self, outcome: &Result<Accepted, Failure>) {
        audit::log(self.token, outcome.as_ref().err());
        match outcome {
            Ok(Accepted { verified, origin }) => {
                statistics::accepted(self.row_of(verified.provider), *origin, self.stopwatch.nanoseconds());
            }
            Err(failure) => self.count_rejected(failure),
        }
    }

    /// Counts a rejection that is logged elsewhere, or is not for the audit log.
    pub fn count_rejected(&self, failure: &Failure) {
        statistics::rejected(
            self.row_of(self.claimed_provider()),
            reason(failure),
            self.stopwatch.nanoseconds(),
        );
    }

    /// Counts the token of an OAuth login, which is logged elsewhere.
    #[cfg(any(feature = "pg18", feature = "pg19"))]
    pub fn count_login(&self, failure: Option<&Failure>) {
        match failure {
            Some(failure) => self.count_rejected(failure),
            None => statistics::accepted(
                self.row_of(self.claimed_provider()),
                statistics::Origin::New,
                self.stopwatch.nanoseconds(),
            ),
        }
    }

    /// The row of a provider.
    fn row_of(&self, provider: Option<ProviderIndex>) -> Row {
        let row = || self.providers.get()?.row(provider?);
        row().unwrap_or_else(statistics::without_issuer)
    }

    /// The first provider whose issuer the token names. The token may be forged.
    fn claimed_provider(&self) -> Option<ProviderIndex> {
        let providers = self.providers.get()?;
        let payload = Compact::parse(self.token).and_then(|token| token.payload()).ok()?;
        let claims = json::parse_object(&payload).ok()?;
        let issuer = claims.get("iss")?.as_str()?;
        let is_claimed = |provider: &crate::token::Provider| provider.issuer.as_deref() == Some(issuer);
        providers.list.iter().position(is_claimed).map(ProviderIndex)
    }
}

/// Counts a token that is rejected before it is read.
pub fn reject_unread(error: Error) -> Failure {
    let failure = Failure::Token(error);
    Presented::new(&[]).count_rejected(&failure);
    failure
}

/// The reason of a rejection.
fn reason(failure: &Failure) -> Reason {
    match failure {
        Failure::Token(error) | Failure::NotRefetched { error, .. } => Reason::of(error),
        Failure::Role { .. } => Reason::Roles,
        #[cfg(any(feature = "pg18", feature = "pg19"))]
        Failure::LoginRole => Reason::Roles,
        #[cfg(any(feature = "pg18", feature = "pg19"))]
        Failure::NoUserId { .. } | Failure::OtherUser => Reason::Login,
        #[cfg(any(feature = "pg18", feature = "pg19"))]
        Failure::NoProviders | Failure::NoProviderOfLogin => Reason::Settings,
        Failure::OutlastsTransaction | Failure::UnknownLifetime => Reason::IdentityScope,
        Failure::Unusable { .. }
        | Failure::NotApplied { .. }
        | Failure::NullArgument { .. }
        | Failure::OutsideBlock
        | Failure::NoKey
        | Failure::TokenSource
        | Failure::KeyFromClient
        | Failure::ClientKey
        | Failure::KeyTwice
        | Failure::NotRecognized(_)
        | Failure::HiddenProviders
        | Failure::LostProviders
        | Failure::StoredChanged { .. }
        | Failure::NotPreloaded => Reason::Settings,
    }
}
