//! The current identity: that of this statement, under the current settings.

use crate::error::Failure;
use crate::guc::values;
use crate::identity::activity::{self, Source};
#[cfg(any(feature = "pg18", feature = "pg19"))]
use crate::identity::login_user;
use crate::identity::mode::{self, Mode};
use crate::identity::session_token::TokenIdentity;
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
    activity::begin();
    let mode = mode::mode_in_transaction().inspect_err(|_| activity::hide())?;
    match mode {
        // After an OAuth login only a token signed by a provider gives an identity.
        #[cfg(any(feature = "pg18", feature = "pg19"))]
        _ if login_user::is_bound() && !matches!(mode, Mode::Provider(_)) => {
            activity::hide();
            Err(Failure::NoProviderOfLogin)
        }
        Mode::Provider(_) | Mode::Proxy(_) => session_token::read(|token| {
            show(token.as_ref());
            if let Some(token) = &token {
                if let Mode::Provider(providers) = &mode {
                    check_time(&token.identity, providers.leeway(token.provider))?;
                    provider_roles::check_role(providers, token.provider)?;
                } else {
                    check_time(&token.identity, values::leeway())?;
                }
            }
            #[cfg(any(feature = "pg18", feature = "pg19"))]
            if token.is_none() && login_user::is_bound() {
                return Err(Failure::OtherUser);
            }
            Ok(read(token.map(|token| token.identity)))
        })
        .inspect_err(|_| activity::hide())?,
        // A token that cannot be verified is an error: claims, which any user can set, must not replace it.
        Mode::Claims | Mode::Off if session_token::is_set() => {
            activity::hide();
            Err(Failure::NoKey)
        }
        Mode::Claims => request_claims::read(read).inspect_err(|_| activity::hide()),
        Mode::Off => {
            activity::hide();
            Ok(read(None))
        }
    }
}

/// Shows the identity of a token to other sessions, or that there is none. One that has expired is still shown.
fn show(token: Option<&TokenIdentity<'_>>) {
    match token {
        Some(token) => activity::show(Source::of_token(token.provider), &token.value, &token.identity),
        None => activity::hide(),
    }
}

/// The name of the claim that is the user id of the current identity.
pub fn user_id_claim() -> String {
    let provider = session_token::read(|token| token?.provider).ok().flatten();
    match (mode::mode(), provider) {
        (Ok(Mode::Provider(providers)), Some(index)) => providers.get(index).map(|it| it.user_id_claim.clone()),
        _ => None,
    }
    .unwrap_or_else(|| "sub".to_owned())
}

fn check_time(identity: &FlatIdentity, leeway: u32) -> Result<(), Failure> {
    Ok(validity::check_dates(
        identity.not_before(),
        identity.expires(),
        clock::statement_start(),
        leeway,
    )?)
}
