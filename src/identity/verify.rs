//! The verification of a token, by the current mode, keys, time and role. Every identity from a token is made here, except
//! that of an OAuth login (`login`).

use crate::error::Failure;
use crate::guc::values::leeway;
#[cfg(feature = "pg18")]
use crate::identity::login_user;
use crate::identity::mode::{Mode, mode};
use crate::identity::provider_roles::check_role;
use crate::identity::verified_cache;
use crate::identity::verified_token::{VerifiedToken, digest};
use crate::keys::providers::Providers;
use crate::pg::{clock, encoding};
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
