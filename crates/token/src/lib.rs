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

pub mod address_fence;
pub mod algorithm;
mod certificate;
pub mod claim_rule;
pub mod claims;
pub mod compact;
pub mod discovery;
pub mod discovery_document;
pub mod error;
mod error_detail;
pub mod examine;
pub mod excerpt;
pub mod fetched_keys;
pub mod identity;
pub mod json;
mod json_numbers;
pub mod key_document;
mod key_material;
mod key_members;
pub mod key_problem;
pub mod key_set;
pub mod key_source;
pub mod key_url;
pub mod keys;
pub mod limits;
mod member_text;
pub mod placeholder;
pub mod provider;
mod provider_rules;
pub mod recognition;
pub mod refetch;
pub mod rule;
mod rule_detail;
mod rules;
mod selection;
pub mod time;
pub mod token_type;
pub mod user_id;
pub mod uuid;
pub mod validity;
mod verifying_key;

pub use error::{Error, Part};
pub use excerpt::Excerpt;
pub use identity::Identity;
pub use key_problem::KeyProblem;
pub use key_set::KeySet;
pub use provider::Provider;
use rules::Verification;
pub use time::NumericDate;
pub use validity::Validity;

/// Verifies a compact JWS (RFC 7515 §7.1) whose payload is a claims set (RFC 7519 §4).
///
/// # Errors
/// The first reason found, in the order in which trust is established: form and limits, header, key, signature. Only after
/// these are the payload and its claims checked.
pub fn verify(token: &[u8], keys: &KeySet, validity: &Validity) -> Result<Identity, Error> {
    rules::of_proxy(token, keys, validity, &mut Verification)
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
/// The provider defines which claim is the user id, and may have another leeway.
///
/// # Errors
/// Those of [`verify`], of `keys_of`, of [`Provider::check`] and of [`Provider::check_dates`], and [`Error::UnknownIssuer`]. The payload is read before the signature is verified, because it names the provider.
pub fn verify_provider_token<'a>(
    token: &[u8],
    providers: &[Provider],
    keys_of: impl Fn(usize) -> Result<&'a KeySet, Error>,
    validity: &Validity,
) -> Result<Verified, Error> {
    rules::of_provider(token, providers, keys_of, validity, &mut Verification)
}
