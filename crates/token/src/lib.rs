//! The judge: is this token, under these keys and this policy, at this time, an identity?
//!
//! Plain Rust. It knows no PostgreSQL, no clock and no global, has no unsafe code and no way to panic, and bounds its
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

pub mod claims;
pub mod compact;
pub mod error;
pub mod identity;
pub mod json;
mod key_material;
pub mod key_set;
pub mod key_url;
pub mod keys;
pub mod policy;
pub mod provider;
pub mod user_id;
pub mod uuid;

use claims::Claims;
use compact::Compact;
pub use error::{Error, Excerpt, KeyProblem, Part};
pub use identity::Identity;
pub use key_set::KeySet;
pub use policy::Policy;
pub use provider::Provider;

/// Verifies a compact JWS (RFC 7515 §7.1) whose payload is a claims set (RFC 7519 §4).
///
/// # Errors
/// The first reason found, in the order in which trust is built: form and limits, header, key, signature, and only
/// then the payload and its claims.
pub fn verify(token: &[u8], keys: &KeySet, policy: &Policy) -> Result<Identity, Error> {
    let token = Compact::parse(token)?;
    let header = token.header()?;
    let key = keys.select(header.kid.as_deref(), header.algorithm)?;
    key.verify(&token, header.algorithm)?;
    let payload = token.payload()?;
    let claims = Claims::parse(&payload)?;
    policy.admit(&claims)?;
    Ok(Identity::new(&payload, &claims, header.kid, "sub"))
}

/// As [`verify`], with the key that the token's `iss` and `kid` mean among those of several providers; `keys` gives the
/// key set of the provider in a place. The provider says which claim is the user id; its place is in the answer.
///
/// # Errors
/// As [`verify`]; but the payload is read before the signature is checked, because it names the provider.
pub fn verify_provided<'a>(
    token: &[u8],
    providers: &[Provider],
    keys: impl Fn(usize) -> Result<&'a KeySet, Error>,
    policy: &Policy,
) -> Result<(Identity, usize), Error> {
    let token = Compact::parse(token)?;
    let header = token.header()?;
    let payload = token.payload()?;
    let claims = Claims::parse(&payload)?;
    let (place, key) = provider::select(providers, keys, &header, &claims)?;
    let provider = providers.get(place).ok_or(Error::NoKeys)?;
    key.verify(&token, header.algorithm)?;
    provider.admit(&header, &claims)?;
    policy.admit(&claims)?;
    Ok((
        Identity::new(&payload, &claims, header.kid, &provider.user_id_claim),
        place,
    ))
}
