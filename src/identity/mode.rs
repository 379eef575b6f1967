//! Which source of identity counts now.

use std::rc::Rc;

use crate::error::Failure;
use crate::guc::generation::assignments_counted;
use crate::guc::values::claims_fallback;
use crate::guc::{names, remembered};
use crate::identity::{request_claims, stored_settings};
use crate::keys::providers::{self, Providers};
use crate::keys::proxy_key;
use crate::token::KeySet;

/// Where identities come from, the most trusted first.
pub enum Mode {
    /// Tokens of identity providers.
    Provider(Rc<Providers>),
    /// Tokens, verified with the key of `pg_session_jwt.jwk`.
    Proxy(Rc<KeySet>),
    /// `request.jwt.claims`, which a trusted front end has verified.
    Claims,
    /// Nowhere: there is no key, and claims are not believed.
    Off,
}

/// The one source of identity that counts now.
///
/// # Errors
/// [`Failure::Unusable`], [`Failure::NotApplied`], [`Failure::LostProviders`], [`Failure::StoredChanged`],
/// [`Failure::ClientKey`]: then no source counts, not even a weaker one.
pub fn mode() -> Result<Mode, Failure> {
    stored_settings::unchanged()?;
    if let Some(providers) = providers::current()? {
        return Ok(Mode::Provider(providers));
    }
    if remembered::has_lost_providers() {
        return Err(Failure::LostProviders);
    }
    match proxy_key::key_set()? {
        Some(keys) => Ok(Mode::Proxy(keys)),
        None if claims_fallback() => Ok(Mode::Claims),
        None => Ok(Mode::Off),
    }
}

/// As [`mode`], for a caller inside a transaction, who is about to believe that no key is set.
///
/// # Errors
/// As [`mode`].
pub fn mode_in_transaction() -> Result<Mode, Failure> {
    match mode()? {
        Mode::Claims | Mode::Off if stored_settings::has_skipped_key() => Err(Failure::NotApplied {
            setting: names::text(names::JWK),
        }),
        mode => Ok(mode),
    }
}

/// A number that changes whenever the answer of a reader may change for another reason than the time or the role. None
/// if answers come from claims that can change unseen.
pub fn settings_version() -> Option<u64> {
    (!request_claims::can_change_unseen() || !reads_claims()).then(assignments_counted)
}

/// Whether the answers of readers come from claims, and not from a token.
fn reads_claims() -> bool {
    matches!(mode(), Ok(Mode::Claims))
}
