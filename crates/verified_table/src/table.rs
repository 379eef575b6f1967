//! The table: the sets of each class over one slice of words.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::key::Key;
use crate::layout::{self, Class, SET_WORDS, WAYS};
use crate::set::Set;
use crate::slot::Entry;
use crate::writer::Writer;

/// A table. Every process has its own over the same words.
pub struct Table<'a> {
    words: &'a [AtomicU64],
    classes: [Class; 4],
}

impl<'a> Table<'a> {
    /// The table of these words. The layout depends only on their number.
    pub fn new(words: &'a [AtomicU64]) -> Self {
        Table {
            words,
            classes: layout::classes(words.len()),
        }
    }

    /// Makes the table empty, before any process uses it. The data is left alone, so that unused memory costs nothing.
    pub fn clear(&self) {
        for word in self.words.iter().take(layout::directory_words(&self.classes)) {
            word.store(0, Relaxed);
        }
    }

    /// The number of entries that the table has room for.
    pub fn slots(&self) -> usize {
        self.classes.iter().map(|class| class.sets.saturating_mul(WAYS)).sum()
    }

    /// The largest identity that the table has room for.
    pub fn max_identity_bytes(&self) -> usize {
        let used = self.classes.iter().filter(|class| class.sets > 0);
        used.map(Class::bytes).max().unwrap_or(0)
    }

    /// The entry of a key. It never waits.
    pub fn find(&self, key: &Key) -> Option<Entry> {
        self.classes.iter().find_map(|class| self.set(class, key)?.find(key))
    }

    /// Stores an entry. Does nothing where that would have to wait, or has no room for it. Returns whether that has evicted
    /// another entry.
    pub fn insert(&self, key: &Key, provider: u32, identity: &[u8], writer: &Writer<'_>) -> bool {
        let mut fitting = self.classes.iter().filter(|class| identity.len() <= class.bytes());
        let set = fitting.find_map(|class| self.set(class, key));
        set.is_some_and(|set| set.insert(key, provider, identity, writer))
    }

    /// The number of entries at this moment.
    pub fn entries(&self) -> usize {
        let sets = self
            .classes
            .iter()
            .flat_map(|class| (0..class.sets).filter_map(|number| self.set_at(class, number)));
        sets.map(|set| set.entries()).sum()
    }

    /// The set of a key; None in a class without sets.
    fn set(&self, class: &Class, key: &Key) -> Option<Set<'a>> {
        let [_, hash, ..] = key.0;
        let number = usize::try_from(hash.checked_rem(u64::try_from(class.sets).ok()?)?).ok()?;
        self.set_at(class, number)
    }

    /// The set with this number.
    fn set_at(&self, class: &Class, number: usize) -> Option<Set<'a>> {
        let part = |at: usize, words: usize| {
            let from = at.checked_add(number.checked_mul(words)?)?;
            self.words.get(from..from.checked_add(words)?)
        };
        Some(Set {
            words: part(class.sets_at, SET_WORDS)?,
            data: part(class.data_at, WAYS.checked_mul(class.words)?)?,
        })
    }
}
