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
pub mod keys;
pub mod policy;
pub mod uuid;

use claims::Claims;
use compact::Compact;
pub use error::{Error, Excerpt, KeyProblem, Part};
pub use identity::Identity;
pub use keys::KeySet;
pub use policy::Policy;

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
    Ok(Identity::new(&payload, &claims, header.kid))
}
