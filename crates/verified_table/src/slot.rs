//! One slot: a sequence lock. A reader copies the entry, and checks before and after that no process writes it.
//!
//! All words are atomic, so that a reader and a writer of the same word are no data race. The orders are those of Boehm,
//! "Can seqlocks get along with programming language memory models?" (MSPC 2012).

use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release, fence};

use crate::key::Key;
use crate::state::State;

/// How often a reader copies an entry that is written meanwhile, before it does without.
const ATTEMPTS: usize = 3;

/// A verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The index of its provider.
    pub provider: u32,
    /// The identity in its flat form.
    pub identity: Vec<u8>,
}

/// A slot of a set.
pub struct Slot<'a> {
    /// A part of the key, for a quick look. It only speeds up the search.
    pub tag: &'a AtomicU64,
    pub state: &'a AtomicU64,
    pub key: &'a [AtomicU64; 4],
    /// The provider, and in the lower half the length.
    pub size: &'a AtomicU64,
    pub data: &'a [AtomicU64],
}

impl Slot<'_> {
    /// The state at this moment.
    pub fn state(&self) -> State {
        State(self.state.load(Acquire))
    }

    /// The entry of this key, if the slot has it.
    pub fn read(&self, key: &Key) -> Option<Entry> {
        (0..ATTEMPTS).find_map(|_| {
            let before = self.state();
            let entry = self.copy(key).filter(|_| before.is_whole())?;
            fence(Acquire);
            (self.state.load(Relaxed) == before.0).then_some(entry)
        })
    }

    /// Copies what is there, which may be parts of several entries.
    fn copy(&self, key: &Key) -> Option<Entry> {
        let is_key = self
            .key
            .iter()
            .zip(key.0)
            .all(|(word, part)| word.load(Relaxed) == part);
        if !is_key {
            return None;
        }
        let size = self.size.load(Relaxed);
        let length = usize::try_from(size & u64::from(u32::MAX)).ok()?;
        let used = self.data.get(..length.div_ceil(8))?;
        let mut identity = Vec::with_capacity(used.len().saturating_mul(8));
        for word in used {
            identity.extend_from_slice(&word.load(Relaxed).to_le_bytes());
        }
        identity.truncate(length);
        let provider = u32::try_from(size >> 32).ok()?;
        Some(Entry { provider, identity })
    }

    /// Writes an entry, unless the state is no longer `found`. It never waits, and nothing in it can fail. Returns whether
    /// it has written.
    pub fn write(&self, found: State, writer: u32, key: &Key, tag: u64, provider: u32, identity: &[u8]) -> bool {
        let Ok(length) = u32::try_from(identity.len()) else {
            return false;
        };
        let Some(writing) = found.written_by(writer) else {
            return false;
        };
        if identity.len() > self.data.len().saturating_mul(8)
            || self
                .state
                .compare_exchange(found.0, writing.0, Acquire, Relaxed)
                .is_err()
        {
            return false;
        }
        // A reader that sees a word of this entry also sees that the state has changed.
        fence(Release);
        self.tag.store(0, Relaxed);
        for (word, part) in self.key.iter().zip(key.0) {
            word.store(part, Relaxed);
        }
        self.size.store(u64::from(provider) << 32 | u64::from(length), Relaxed);
        let (chunks, rest) = identity.as_chunks::<8>();
        for (word, chunk) in self.data.iter().zip(chunks) {
            word.store(u64::from_le_bytes(*chunk), Relaxed);
        }
        let mut last = [0; 8];
        for (byte, value) in last.iter_mut().zip(rest) {
            *byte = *value;
        }
        if let Some(word) = self.data.get(chunks.len()) {
            word.store(u64::from_le_bytes(last), Relaxed);
        }
        self.tag.store(tag, Relaxed);
        self.state.store(writing.written().0, Release);
        true
    }
}
