//! The source of identities that applies now.

use std::rc::Rc;

use crate::error::Failure;
use crate::guc::generation;
use crate::guc::values::claims_fallback;
use crate::guc::{names, remembered};
use crate::identity::{request_claims, stored_settings};
use crate::keys::providers::{self, Providers};
use crate::keys::proxy_key;
use crate::token::KeySet;

/// The sources of identities, the most trusted first.
pub enum Mode {
    /// Tokens of identity providers.
    Provider(Rc<Providers>),
    /// Tokens, verified with the key of `pg_session_jwt.jwk`.
    Proxy(Rc<KeySet>),
    /// `request.jwt.claims`, which a gateway has verified.
    Claims,
    /// No source: there is no key, and claims are not trusted.
    Off,
}

/// Returns the only source of identities that applies now.
///
/// # Errors
/// [`Failure::Unusable`], [`Failure::NotApplied`], [`Failure::LostProviders`], [`Failure::StoredChanged`] and
/// [`Failure::ClientKey`]. A weaker source never applies instead.
pub fn mode() -> Result<Mode, Failure> {
    stored_settings::check()?;
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

/// Like [`mode`], but for callers inside a transaction that rely on the absence of a key.
///
/// # Errors
/// Those of [`mode`].
pub fn mode_in_transaction() -> Result<Mode, Failure> {
    match mode()? {
        Mode::Claims | Mode::Off if stored_settings::has_skipped_key() => Err(Failure::NotApplied {
            setting: names::text(names::JWK),
        }),
        mode => Ok(mode),
    }
}

/// A number that changes whenever the answer of a reader may change for a reason other than the time or the role. None if
/// answers come from claims that can change unseen.
pub fn settings_version() -> Option<u64> {
    (!request_claims::can_change_unseen() || !reads_claims()).then(generation::settings_version)
}

/// Whether the answers of readers come from claims, and not from a token.
fn reads_claims() -> bool {
    matches!(mode(), Ok(Mode::Claims))
}
