//! The provider and the key that a token identifies by `iss`, `kid` and `aud`.

use crate::claims::Claims;
use crate::compact::Header;
use crate::error::Error;
use crate::excerpt::Excerpt;
use crate::key_set::KeySet;
use crate::keys::Key;
use crate::provider::Provider;

/// A provider and the key of it that a token identifies.
#[derive(Clone)]
pub struct Selection<'a> {
    /// The index of the provider.
    pub index: usize,
    /// The key, or why it has none for the token.
    pub key: Result<&'a Key, Error>,
}

/// Selects the provider and the key that a token identifies, before anything in the token is trusted.
///
/// `keys_of(i)` returns the key set of provider `i`. The provider is selected by `iss`. If several have this issuer, or
/// none has an issuer, `kid` decides, and `aud` among providers that share their keys.
///
/// # Errors
/// [`Error::UnknownIssuer`], [`Error::IssuerSlash`], [`Error::AmbiguousProvider`], [`Error::UnknownKeyId`],
/// [`Error::AmbiguousKey`], and those of `keys_of`.
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
    let is_candidate = |provider: &Provider| {
        if by_issuer {
            has_issuer(provider)
        } else {
            provider.issuer.is_none()
        }
    };
    let numbered = providers.iter().enumerate();
    let candidates: Vec<usize> = numbered
        .filter_map(|(index, provider)| is_candidate(provider).then_some(index))
        .collect();
    let key_of = |index| keys_of(index).and_then(|set| set.select(header.kid.as_deref(), header.algorithm));
    if let [index] = *candidates.as_slice() {
        return Ok(Selection {
            index,
            key: key_of(index),
        });
    }
    let mut rejection = None;
    let mut found: Vec<Selection> = Vec::new();
    for index in candidates {
        match key_of(index) {
            Ok(key) => found.push(Selection { index, key: Ok(key) }),
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
    match found.as_slice() {
        [] => Err(rejection.unwrap_or_else(|| unknown_issuer(providers, issuer))),
        [only] => Ok(only.clone()),
        [first, second, ..] => Err(Error::AmbiguousProvider {
            first: first.index,
            second: second.index,
        }),
    }
}

/// The error for an issuer that no provider has. A slash at the end is easily added or forgotten, and hard to see.
fn unknown_issuer(providers: &[Provider], issuer: Option<&str>) -> Error {
    let without_slash = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
    let is_similar = |iss: &str| {
        let issuers = providers.iter().filter_map(|provider| provider.issuer.as_deref());
        issuers.map(without_slash).any(|issuer| issuer == without_slash(iss))
    };
    match issuer {
        Some(iss) if is_similar(iss) => Error::IssuerSlash { iss: Excerpt::new(iss) },
        iss => Error::UnknownIssuer {
            iss: iss.map(Excerpt::new),
        },
    }
}
