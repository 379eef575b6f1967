//! A token that was verified: its digest and its identity.

use verified_table::Digest;

use crate::guc::extra::ProviderIndex;
use crate::statistics::Origin;

/// The SHA-256 digest of a token, by which a token is recognized.
#[derive(PartialEq, Eq)]
pub struct TokenDigest(Digest);

/// Returns the digest of a token.
pub fn digest(token: &[u8]) -> TokenDigest {
    TokenDigest(verified_table::digest(token))
}

impl TokenDigest {
    pub fn bytes(&self) -> &Digest {
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

/// A valid token, and where it was verified.
pub struct Accepted {
    pub verified: VerifiedToken,
    pub origin: Origin,
}
