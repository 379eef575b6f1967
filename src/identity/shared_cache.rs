//! The provider tokens that any process of the server has verified: the first use of a token in a new connection costs a
//! hash instead of a signature check.
//!
//! The key of an entry is a digest of the token and of all that its verification depends on, see [`Basis`]. An entry is
//! found only by a session that would come to the same result with a signature check. Time, role and the user of an OAuth
//! login are checked at each use, as in [`verified_cache`](crate::identity::verified_cache), which is asked first.
//!
//! The memory has digests of tokens, never tokens. Its first words are a random secret of this start of the server.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use verified_table::{Basis, Digest, Entry, Key, Sources, Table, Writer};

use crate::guc::extra::ProviderIndex;
use crate::guc::values::shared_cache_kilobytes;
use crate::identity::verified_token::{TokenDigest, VerifiedToken};
use crate::keys::providers::Providers;
use crate::pg::shared_memory::{self, Region};
use crate::pg::shared_words::SharedWords;
use crate::pg::{backend, encoding, random};
use crate::statistics;
use crate::token::identity::FlatIdentity;

const WORDS_OF_A_KILOBYTE: usize = 128;
/// The words before the table: a cache line, so that the table begins with one. The secret has the first half.
const HEAD_WORDS: usize = 8;

static WORDS: SharedWords = SharedWords::new(
    c"pg_session_jwt_verified_tokens",
    || shared_cache_kilobytes() * WORDS_OF_A_KILOBYTE,
    begin,
);

static REGIONS: [&dyn Region; 1] = [&WORDS];

/// Requests the memory, while the library is preloaded.
pub fn request() {
    shared_memory::request(&REGIONS);
}

/// Makes an empty table with a new secret. False where the system has no random numbers; there is then no cache.
fn begin(words: &[AtomicU64]) -> bool {
    let Some((head, table)) = words.split_first_chunk::<HEAD_WORDS>() else {
        return false;
    };
    let Some(secret) = random::secret() else { return false };
    for (word, part) in head.iter().zip(secret.as_chunks::<8>().0) {
        word.store(u64::from_le_bytes(*part), Relaxed);
    }
    Table::new(table).clear();
    true
}

/// The number of entries at this moment.
pub fn entries() -> usize {
    let words = WORDS.get().get(HEAD_WORDS..).unwrap_or_default();
    Table::new(words).entries()
}

/// The place of a token in the cache, by what a session verifies it with.
pub struct Place {
    table: Table<'static>,
    key: Key,
    sources: Sources,
}

impl Place {
    /// The place by what this session would verify the token with now; None where there is no cache.
    pub fn of(token: &TokenDigest, providers: &Providers) -> Option<Place> {
        let (head, table) = WORDS.get().split_first_chunk::<HEAD_WORDS>()?;
        let mut secret: Digest = [0; 32];
        for (part, word) in secret.as_chunks_mut::<8>().0.iter_mut().zip(head) {
            *part = word.load(Relaxed).to_le_bytes();
        }
        let sources = providers.sources();
        let basis = Basis {
            secret: &secret,
            version: env!("CARGO_PKG_VERSION"),
            encoding: encoding::server_encoding(),
            sources: &sources,
            token: token.bytes(),
        };
        Some(Place {
            table: Table::new(table),
            key: basis.key(),
            sources,
        })
    }

    /// The place after a verification, which may have fetched other keys.
    pub fn with_present_keys(self, token: &TokenDigest, providers: &Providers) -> Option<Place> {
        if self.sources == providers.sources() {
            Some(self)
        } else {
            Place::of(token, providers)
        }
    }

    /// Returns the token, if a process has verified it with what this session would verify it with.
    pub fn find(&self, providers: &Providers) -> Option<VerifiedToken> {
        let Entry { provider, identity } = self.table.find(&self.key)?;
        let provider = ProviderIndex(usize::try_from(provider).ok()?);
        providers.get(provider)?;
        Some(VerifiedToken {
            provider: Some(provider),
            identity,
        })
    }

    /// Stores a token that was just verified.
    ///
    /// A conversion between encodings belongs to its database. An identity that needed one therefore stays out.
    pub fn store(&self, verified: &VerifiedToken) {
        let is_converted = !encoding::stores_utf8() && !FlatIdentity::new(&verified.identity).is_ascii();
        let provider = verified.provider.and_then(|index| u32::try_from(index.0).ok());
        let (Some(provider), false) = (provider, is_converted) else {
            return;
        };
        let writer = Writer {
            process: backend::pid().cast_unsigned(),
            is_gone: &backend::is_gone,
        };
        if self.table.insert(&self.key, provider, &verified.identity, &writer) {
            statistics::evicted();
        }
    }
}
