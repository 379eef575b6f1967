//! The provider and the key that a token identifies by `iss`, `kid` and `aud`.

use crate::claims::Claims;
use crate::compact::Header;
use crate::error::Error;
use crate::excerpt::Excerpt;
use crate::key_set::KeySet;
use crate::keys::Key;
use crate::provider::Provider;

/// A provider and the key of it that a token identifies.
pub struct Selection<'a> {
    /// The index of the provider.
    pub index: usize,
    /// The key.
    pub key: &'a Key,
}

/// Selects the provider and the key that a token identifies, before anything in the token is trusted.
///
/// `keys_of(i)` returns the key set of provider `i`. The provider is selected by `iss`. If several have this issuer, or
/// none has an issuer, `kid` decides, and `aud` among providers that share their keys.
///
/// # Errors
/// [`Error::UnknownIssuer`], [`Error::UnknownKeyId`], [`Error::AmbiguousKey`], and those of `keys_of`.
pub fn select<'a>(
    providers: &[Provider],
    keys_of: impl Fn(usize) -> Result<&'a KeySet, Error>,
    header: &Header,
    claims: &Claims,
) -> Result<Selection<'a>, Error> {
    let issuer = claims.text("iss");
    // RFC 7519 §4.1.1: `iss` is a string. Another type is not treated like an absent claim.
    if issuer.is_none() && claims.get("iss").is_some() {
        return Err(Error::UnknownIssuer { iss: None });
    }
    let has_issuer = |provider: &Provider| provider.issuer.is_some() && provider.issuer.as_deref() == issuer;
    let by_issuer = providers.iter().any(has_issuer);
    let mut rejection = None;
    let mut found: Vec<Selection> = Vec::new();
    for (index, provider) in providers.iter().enumerate() {
        let is_candidate = if by_issuer {
            has_issuer(provider)
        } else {
            provider.issuer.is_none()
        };
        if !is_candidate {
            continue;
        }
        match keys_of(index).and_then(|set| set.select(header.kid.as_deref(), header.algorithm)) {
            Ok(key) => found.push(Selection { index, key }),
            Err(error) => rejection = Some(rejection.unwrap_or(error)),
        }
    }
    if found.len() > 1 {
        found.retain(|selection| {
            let checked = providers
                .get(selection.index)
                .map_or(Err(Error::NoKeys), |provider| provider.check(header, claims));
            rejection = rejection.take().or(checked.clone().err());
            checked.is_ok()
        });
    }
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (Some(_), others) => Err(Error::AmbiguousKey {
            candidates: others.saturating_add(1),
        }),
        (None, _) => Err(rejection.unwrap_or_else(|| Error::UnknownIssuer {
            iss: issuer.map(Excerpt::new),
        })),
    }
}
