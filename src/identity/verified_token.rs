//! A token that was verified: its digest and its identity.

use aws_lc_rs::digest;
use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN};

use crate::guc::extra::ProviderIndex;

/// The SHA-256 digest of a token, by which a token is recognized.
#[derive(PartialEq, Eq)]
pub struct TokenDigest([u8; SHA256_OUTPUT_LEN]);

/// Returns the digest of a token.
pub fn digest(token: &[u8]) -> TokenDigest {
    let mut bytes = [0; SHA256_OUTPUT_LEN];
    bytes.copy_from_slice(digest::digest(&SHA256, token).as_ref());
    TokenDigest(bytes)
}

impl TokenDigest {
    #[cfg(feature = "pg18")]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The identity that a valid token gives.
#[derive(Clone)]
pub struct VerifiedToken {
    /// The provider that issued the token; None in proxy mode.
    pub provider: Option<ProviderIndex>,
    /// The identity in its flat form.
    pub identity: Vec<u8>,
}
