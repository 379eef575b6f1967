//! The one place where a token becomes an identity, by the current mode, keys, time and role.

use crate::error::Failure;
use crate::guc::extra::ProviderIndex;
use crate::guc::values::leeway;
#[cfg(feature = "pg18")]
use crate::identity::login;
use crate::identity::mode::{Mode, mode};
use crate::identity::verified_cache::{self, Verified};
use crate::keys::providers::Providers;
use crate::pg::{catalog, clock, encoding, statement};
use crate::token;
use crate::token::NumericDate;
use crate::token::identity::FlatIdentity;
use crate::token::policy::TokenId;
use crate::token::{Policy, policy};

/// Judges a token; `jti` counts in proxy mode only.
///
/// # Errors
/// Why it is refused.
pub fn judge(token: &[u8], jti: TokenId) -> Result<Verified, Failure> {
    let (now, leeway) = (clock::statement_start(), leeway());
    match mode()? {
        Mode::Provider(providers) => {
            let verdict = provided(token, &providers, now, leeway)?;
            may_use(&providers, verdict.provider)?;
            #[cfg(feature = "pg18")]
            login::is_theirs(token, &providers, &verdict)?;
            Ok(verdict)
        }
        #[cfg(feature = "pg18")]
        Mode::Proxy(_) | Mode::Claims | Mode::Off if login::is_bound() => Err(Failure::NoProviderOfLogin),
        Mode::Proxy(keys) => {
            let identity = token::verify(token, &keys, &Policy { now, leeway, jti })?;
            Ok(Verified {
                provider: None,
                identity: encoding::flatten(identity)?,
            })
        }
        Mode::Claims | Mode::Off => Err(Failure::NoKey),
    }
}

/// The verdict on a token of a provider; its signature is not checked again while the keys are the same.
fn provided(token: &[u8], providers: &Providers, now: NumericDate, leeway: u32) -> Result<Verified, Failure> {
    let name = verified_cache::name(token);
    if let Some(verdict) = verified_cache::find(&name) {
        let flat = FlatIdentity::new(&verdict.identity);
        policy::check_dates(flat.not_before(), flat.expires(), now, leeway)?;
        return Ok(verdict);
    }
    let jti = TokenId::Any;
    let provided = providers.verify(token, &Policy { now, leeway, jti })?;
    let verdict = Verified {
        provider: Some(provided.provider),
        identity: encoding::flatten(provided.identity)?,
    };
    verified_cache::keep(name, &verdict);
    Ok(verdict)
}

/// Whether the current role may use tokens of a provider. It is asked at each use, like the time, and of the role that
/// SET ROLE has set, whoever's SECURITY DEFINER function is running: all this a parallel worker has from its leader.
///
/// # Errors
/// [`Failure::Role`]
pub fn may_use(providers: &Providers, provider: Option<ProviderIndex>) -> Result<(), Failure> {
    let Some(provider) = provider.and_then(|provider| providers.get(provider)) else {
        return Err(Failure::NoKey);
    };
    if provider.roles.is_empty() {
        return Ok(());
    }
    let name = catalog::role_name(statement::role());
    match name {
        Some(name) if provider.allows(&name) => Ok(()),
        _ => Err(Failure::Role),
    }
}
