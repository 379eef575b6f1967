//! The verification of a token, by the current mode, keys, time and role. Every identity from a token is made here, except
//! that of an OAuth login.

use crate::error::Failure;
use crate::guc::extra::ProviderIndex;
use crate::guc::values::leeway;
#[cfg(feature = "pg18")]
use crate::identity::login_user;
use crate::identity::mode::{Mode, mode};
use crate::identity::verified_cache;
use crate::identity::verified_token::{VerifiedToken, digest};
use crate::keys::providers::Providers;
use crate::pg::{catalog, clock, encoding, statement};
use crate::token;
use crate::token::NumericDate;
use crate::token::identity::FlatIdentity;
use crate::token::validity::TokenId;
use crate::token::{Validity, validity};

/// Verifies a token; `jti` counts in proxy mode only.
///
/// # Errors
/// The reason why the token is rejected.
pub fn verify(token: &[u8], jti: TokenId) -> Result<VerifiedToken, Failure> {
    let (now, leeway) = (clock::statement_start(), leeway());
    match mode()? {
        Mode::Provider(providers) => {
            let verified = verify_provider_token(token, &providers, now, leeway)?;
            check_role(&providers, verified.provider)?;
            #[cfg(feature = "pg18")]
            login_user::check_token(token, &providers, &verified)?;
            Ok(verified)
        }
        #[cfg(feature = "pg18")]
        Mode::Proxy(_) | Mode::Claims | Mode::Off if login_user::is_bound() => Err(Failure::NoProviderOfLogin),
        Mode::Proxy(keys) => {
            let identity = token::verify(token, &keys, &Validity { now, leeway, jti })?;
            Ok(VerifiedToken {
                provider: None,
                identity: encoding::flatten(identity)?,
            })
        }
        Mode::Claims | Mode::Off => Err(Failure::NoKey),
    }
}

/// Verifies a provider's token. While the keys stay the same its signature is checked once.
fn verify_provider_token(
    token: &[u8],
    providers: &Providers,
    now: NumericDate,
    leeway: u32,
) -> Result<VerifiedToken, Failure> {
    let digest = digest(token);
    if let Some(verified) = verified_cache::find(&digest) {
        let identity = FlatIdentity::new(&verified.identity);
        validity::check_dates(identity.not_before(), identity.expires(), now, leeway)?;
        return Ok(verified);
    }
    let jti = TokenId::Any;
    let provided = providers.verify(token, &Validity { now, leeway, jti })?;
    let verified = VerifiedToken {
        provider: Some(provided.provider),
        identity: encoding::flatten(provided.identity)?,
    };
    verified_cache::store(digest, &verified);
    Ok(verified)
}

/// Checks that the current role may use tokens of a provider, as each use of the token does.
///
/// The current role is the one of SET ROLE, also inside a SECURITY DEFINER function. A parallel worker has all of this
/// from its leader.
///
/// # Errors
/// [`Failure::Role`]
pub fn check_role(providers: &Providers, provider: Option<ProviderIndex>) -> Result<(), Failure> {
    let provider = provider.and_then(|index| providers.get(index)).ok_or(Failure::NoKey)?;
    if provider.roles.is_empty() {
        return Ok(());
    }
    let role = catalog::role_name(statement::role());
    match role {
        Some(role) if provider.allows(&role) => Ok(()),
        _ => Err(Failure::Role),
    }
}
