//! Tokens of providers that this process has verified: one that comes again costs a hash, not a signature.
//!
//! A pooled connection serves the same users again and again. Only the hash of a token is kept, so that the memory of a
//! process never has the tokens of those whom it served before. What a cached verdict says is what the token says: the
//! time, the role and the keys are asked at each use, see [`jwt`](crate::identity::session_token).

use std::cell::RefCell;
use std::collections::VecDeque;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

use crate::guc::extra::ProviderIndex;
use crate::guc::generation::{KeyGeneration, key_generation};

/// Tokens that are kept, and bytes of their identities; the oldest goes first.
const MAX_TOKENS: usize = 64;
const MAX_BYTES: usize = 256 * 1024;

/// The hash of a token, by which the cache knows it.
#[derive(PartialEq, Eq)]
pub struct Name([u8; SHA256_OUTPUT_LEN]);

/// A verified token.
#[derive(Clone)]
pub struct Verified {
    /// Its provider; None in proxy mode.
    pub provider: Option<ProviderIndex>,
    /// In the flat form.
    pub identity: Vec<u8>,
}

struct Cache {
    /// The key generation that they were verified under.
    under: Option<KeyGeneration>,
    tokens: VecDeque<(Name, Verified)>,
    bytes: usize,
}

thread_local! {
    static CACHE: RefCell<Cache> = const {
        RefCell::new(Cache { under: None, tokens: VecDeque::new(), bytes: 0 })
    };
}

pub fn name(token: &[u8]) -> Name {
    let mut name = [0; SHA256_OUTPUT_LEN];
    name.copy_from_slice(digest(&SHA256, token).as_ref());
    Name(name)
}

impl Name {
    #[cfg(feature = "pg18")]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What a token is that was verified under the current keys.
pub fn find(name: &Name) -> Option<Verified> {
    CACHE.with_borrow(|cache| {
        if cache.under != Some(key_generation()) {
            return None;
        }
        let (_, found) = cache.tokens.iter().find(|(of, _)| of == name)?;
        Some(found.clone())
    })
}

/// Keeps what a token turned out to be.
pub fn keep(name: Name, verdict: &Verified) {
    if verdict.identity.len() > MAX_BYTES {
        return;
    }
    CACHE.with_borrow_mut(|cache| {
        if cache.under != Some(key_generation()) {
            cache.tokens.clear();
            cache.bytes = 0;
            cache.under = Some(key_generation());
        }
        cache.bytes += verdict.identity.len();
        cache.tokens.push_back((name, verdict.clone()));
        while cache.tokens.len() > MAX_TOKENS || cache.bytes > MAX_BYTES {
            let oldest = cache.tokens.pop_front();
            cache.bytes -= oldest.map_or(0, |(_, oldest)| oldest.identity.len());
        }
    });
}
