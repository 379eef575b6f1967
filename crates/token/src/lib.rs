//! The verifier: from a token, keys, rules of validity and the time to an identity.
//!
//! Plain Rust. The crate uses no PostgreSQL, no clock and no globals, has no unsafe code and cannot panic. It bounds its
//! work before it starts. JOSE terms are those of RFC 7515 (JWS), 7517 (JWK), 7518 (JWA), 7519 (JWT) and 8037 (EdDSA).

#![forbid(unsafe_code)]
#![deny(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects
)]

pub mod algorithm;
pub mod claims;
pub mod compact;
pub mod error;
pub mod excerpt;
pub mod identity;
pub mod json;
mod json_numbers;
mod key_material;
pub mod key_problem;
pub mod key_set;
pub mod key_url;
pub mod keys;
pub mod limits;
pub mod provider;
mod selection;
pub mod time;
pub mod user_id;
pub mod uuid;
pub mod validity;

use claims::Claims;
use compact::Compact;
pub use error::{Error, Part};
pub use excerpt::Excerpt;
pub use identity::Identity;
pub use key_problem::KeyProblem;
pub use key_set::KeySet;
pub use provider::Provider;
pub use time::NumericDate;
pub use validity::Validity;

/// Verifies a compact JWS (RFC 7515 §7.1) whose payload is a claims set (RFC 7519 §4).
///
/// # Errors
/// The first reason found, in the order in which trust is established: form and limits, header, key, signature. Only after
/// these are the payload and its claims checked.
pub fn verify(token: &[u8], keys: &KeySet, validity: &Validity) -> Result<Identity, Error> {
    let token = Compact::parse(token)?;
    let header = token.header()?;
    let key = keys.select(header.kid.as_deref(), header.algorithm)?;
    key.verify(&token, header.algorithm)?;
    let payload = token.payload()?;
    let claims = Claims::parse(&payload)?;
    validity.check(&claims)?;
    Ok(Identity::new(&payload, &claims, header.kid, "sub"))
}

/// The identity in a token of one of several providers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The identity.
    pub identity: Identity,
    /// The index of the provider in the list.
    pub provider: usize,
}

/// Like [`verify`], but selects the provider by `iss` and the key by `kid`. `keys_of(i)` returns the key set of provider `i`.
/// The provider defines which claim is the user id.
///
/// # Errors
/// Those of [`verify`] and of `keys_of`, [`Error::UnknownIssuer`] and [`Error::Audience`]. The payload is read before the signature is verified, because it names the provider.
pub fn verify_provider_token<'a>(
    token: &[u8],
    providers: &[Provider],
    keys_of: impl Fn(usize) -> Result<&'a KeySet, Error>,
    validity: &Validity,
) -> Result<Verified, Error> {
    let token = Compact::parse(token)?;
    let header = token.header()?;
    let payload = token.payload()?;
    let claims = Claims::parse(&payload)?;
    let selected = selection::select(providers, keys_of, &header, &claims)?;
    let provider = providers.get(selected.index).ok_or(Error::NoKeys)?;
    selected.key.verify(&token, header.algorithm)?;
    provider.check(&header, &claims)?;
    validity.check(&claims)?;
    Ok(Verified {
        identity: Identity::new(&payload, &claims, header.kid, &provider.user_id_claim),
        provider: selected.index,
    })
}
