//! The provider tokens that this process has verified: a repeated token costs a hash instead of a signature check.
//!
//! A pooled connection serves the same users repeatedly. The cache stores only the digest of a token, so that the memory
//! of a process never contains tokens of earlier users. An entry has the claims of the token. Time, role and keys are
//! checked at each use, see [`session_token`](crate::identity::session_token).

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::guc::generation::{KeyGeneration, key_generation};
use crate::identity::verified_token::{TokenDigest, VerifiedToken};

/// The number of cached tokens, and the bytes of their identities. The oldest tokens are evicted first.
const MAX_TOKENS: usize = 64;
const MAX_BYTES: usize = 256 * 1024;

struct Cache {
    /// The keys that all entries were verified with.
    verified_under: Option<KeyGeneration>,
    entries: VecDeque<Entry>,
    bytes: usize,
}

struct Entry {
    digest: TokenDigest,
    verified: VerifiedToken,
}

thread_local! {
    static CACHE: RefCell<Cache> = const {
        RefCell::new(Cache { verified_under: None, entries: VecDeque::new(), bytes: 0 })
    };
}

/// Returns the token of this digest, if it was verified with the current keys.
pub fn find(digest: &TokenDigest) -> Option<VerifiedToken> {
    CACHE.with_borrow(|cache| {
        if cache.verified_under != Some(key_generation()) {
            return None;
        }
        let entry = cache.entries.iter().find(|entry| entry.digest == *digest)?;
        Some(entry.verified.clone())
    })
}

/// Stores a token that was just verified.
pub fn store(digest: TokenDigest, verified: &VerifiedToken) {
    if verified.identity.len() > MAX_BYTES {
        return;
    }
    let current = Some(key_generation());
    CACHE.with_borrow_mut(|cache| {
        if cache.verified_under != current {
            cache.entries.clear();
            cache.bytes = 0;
            cache.verified_under = current;
        }
        cache.bytes += verified.identity.len();
        cache.entries.push_back(Entry {
            digest,
            verified: verified.clone(),
        });
        while cache.entries.len() > MAX_TOKENS || cache.bytes > MAX_BYTES {
            let oldest = cache.entries.pop_front();
            cache.bytes -= oldest.map_or(0, |oldest| oldest.verified.identity.len());
        }
    });
}
