//! The current identity: that of this statement, under the current settings.

use crate::error::Failure;
use crate::guc::values;
#[cfg(feature = "pg18")]
use crate::identity::login_user;
use crate::identity::mode::{self, Mode};
use crate::identity::{provider_roles, request_claims, session_token};
use crate::pg::clock;
use crate::token::identity::FlatIdentity;
use crate::token::validity;

/// Calls `read` with the current identity; None for an anonymous session.
///
/// # Errors
/// An identity that is no longer valid, and a setting that is unusable. Neither counts as an anonymous session, because a
/// policy would then silently return no rows.
pub fn read<R>(read: impl FnOnce(Option<FlatIdentity<'_>>) -> R) -> Result<R, Failure> {
    match mode::mode_in_transaction()? {
        // After an OAuth login only a token signed by a provider gives an identity.
        #[cfg(feature = "pg18")]
        mode if login_user::is_bound() && !matches!(mode, Mode::Provider(_)) => Err(Failure::NoProviderOfLogin),
        mode @ (Mode::Provider(_) | Mode::Proxy(_)) => session_token::read(|token| {
            if let Some(token) = &token {
                check_time(&token.identity)?;
                if let Mode::Provider(providers) = &mode {
                    provider_roles::check_role(providers, token.provider)?;
                }
            }
            #[cfg(feature = "pg18")]
            if token.is_none() && login_user::is_bound() {
                return Err(Failure::OtherUser);
            }
            Ok(read(token.map(|token| token.identity)))
        })?,
        // A token that cannot be verified is an error: claims, which any user can set, must not replace it.
        Mode::Claims | Mode::Off if session_token::is_set() => Err(Failure::NoKey),
        Mode::Claims => Ok(request_claims::read(read)),
        Mode::Off => Ok(read(None)),
    }
}

fn check_time(identity: &FlatIdentity) -> Result<(), Failure> {
    let (now, leeway) = (clock::statement_start(), values::leeway());
    Ok(validity::check_dates(
        identity.not_before(),
        identity.expires(),
        now,
        leeway,
    )?)
}
