//! The verification of a token, by the current mode, keys, time and role. Every identity from a token is made here, except
//! that of an OAuth login (`login`).

use crate::error::Failure;
use crate::guc::values::leeway;
#[cfg(any(feature = "pg18", feature = "pg19"))]
use crate::identity::login_user;
use crate::identity::mode::{Mode, mode};
use crate::identity::presented::Presented;
use crate::identity::provider_roles::check_role;
use crate::identity::shared_cache::Place;
use crate::identity::verified_cache;
use crate::identity::verified_token::{Accepted, VerifiedToken, digest};
use crate::keys::providers::Providers;
use crate::pg::{clock, encoding};
use crate::statistics::Origin;
use crate::token;
use crate::token::NumericDate;
use crate::token::identity::FlatIdentity;
use crate::token::refetch::Remedy;
use crate::token::validity::TokenId;
use crate::token::{Validity, validity};

/// Verifies a token; `jti` counts in proxy mode only. Key sets may be fetched for it, but no more than `most`.
///
/// # Errors
/// The reason why the token is rejected.
pub fn verify(presented: &Presented<'_>, jti: TokenId, most: Remedy) -> Result<Accepted, Failure> {
    let (now, leeway) = (clock::statement_start(), leeway());
    match mode()? {
        Mode::Provider(providers) => {
            presented.note_providers(&providers);
            let accepted = verify_provider_token(presented, &providers, now, leeway, most)?;
            check_role(&providers, accepted.verified.provider)?;
            #[cfg(any(feature = "pg18", feature = "pg19"))]
            login_user::check_token(presented.token, &providers, &accepted.verified)?;
            Ok(accepted)
        }
        #[cfg(any(feature = "pg18", feature = "pg19"))]
        Mode::Proxy(_) | Mode::Claims | Mode::Off if login_user::is_bound() => Err(Failure::NoProviderOfLogin),
        Mode::Proxy(keys) => {
            let validity = Validity { now, leeway, jti };
            let identity = presented
                .stopwatch
                .time(|| token::verify(presented.token, &keys, &validity))?;
            let verified = VerifiedToken {
                provider: None,
                identity: encoding::flatten(identity)?,
            };
            Ok(Accepted {
                verified,
                origin: Origin::New,
            })
        }
        Mode::Claims | Mode::Off => Err(Failure::NoKey),
    }
}

/// Verifies a provider's token. While the keys stay the same its signature is checked once.
fn verify_provider_token(
    presented: &Presented<'_>,
    providers: &Providers,
    now: NumericDate,
    leeway: u32,
    most: Remedy,
) -> Result<Accepted, Failure> {
    let digest = digest(presented.token);
    let check_dates = |verified: &VerifiedToken| {
        let identity = FlatIdentity::new(&verified.identity);
        let leeway = providers.leeway(verified.provider);
        validity::check_dates(identity.not_before(), identity.expires(), now, leeway)
    };
    if let Some(verified) = verified_cache::find(&digest) {
        check_dates(&verified)?;
        let origin = Origin::RepeatedHere;
        return Ok(Accepted { verified, origin });
    }
    let place = Place::of(&digest, providers);
    // A token that is no longer valid is verified like a new one, so that its error does not depend on other sessions.
    let shared = place.as_ref().and_then(|place| place.find(providers));
    let (verified, origin) = match shared.filter(|verified| check_dates(verified).is_ok()) {
        Some(verified) => (verified, Origin::RepeatedElsewhere),
        None => {
            let jti = TokenId::Any;
            let validity = Validity { now, leeway, jti };
            let provided = providers.verify(presented.token, &validity, most, &presented.stopwatch)?;
            // Right after the verification: those are the keys that the token was verified with.
            let place = place.and_then(|place| place.with_present_keys(&digest, providers));
            let verified = VerifiedToken {
                provider: Some(provided.provider),
                identity: encoding::flatten(provided.identity)?,
            };
            if let Some(place) = place {
                place.store(&verified);
            }
            (verified, Origin::New)
        }
    };
    verified_cache::store(digest, &verified);
    Ok(Accepted { verified, origin })
}
