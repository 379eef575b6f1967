//! The set of slots that a key belongs to: the search of an entry, and the choice of the slot for a new one.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::key::Key;
use crate::layout::WAYS;
use crate::slot::{Entry, Slot};
use crate::state::State;
use crate::writer::Writer;

/// The first words of the parts after the tags: the hand, the states and the headers. The tags and the states have a cache
/// line each: a token that is not found reads both, and no process may have them near.
const HAND: usize = 8;
const STATES: usize = 16;
const HEADERS: usize = 24;
const HEADER_WORDS: usize = 5;

/// The bit of a tag that a use of the entry sets: its second chance.
const USED: u64 = 1;

/// A set of one class.
pub struct Set<'a> {
    /// [`SET_WORDS`](crate::layout::SET_WORDS) words.
    pub words: &'a [AtomicU64],
    /// The data of its slots.
    pub data: &'a [AtomicU64],
}

impl<'a> Set<'a> {
    /// The slots.
    fn slots(&self) -> impl Iterator<Item = Slot<'a>> {
        let tags = self.words.get(..WAYS).unwrap_or_default();
        let states = self.words.get(STATES..HEADERS).unwrap_or_default();
        let headers = self.words.get(HEADERS..).unwrap_or_default().chunks_exact(HEADER_WORDS);
        let data = self.data.chunks_exact(self.data.len().div_euclid(WAYS).max(1));
        let each = tags.iter().zip(states).zip(headers).zip(data);
        each.filter_map(|(((tag, state), header), data)| {
            let (key, rest) = header.split_first_chunk::<4>()?;
            let size = rest.first()?;
            Some(Slot {
                tag,
                state,
                key,
                size,
                data,
            })
        })
    }

    /// The entry of a key.
    pub fn find(&self, key: &Key) -> Option<Entry> {
        let tag = tag(key);
        self.slots().find_map(|slot| {
            let found = slot.tag.load(Relaxed);
            let entry = (found & !USED == tag).then(|| slot.read(key))??;
            if found & USED == 0 {
                // A writer may have replaced the entry, and with it the tag.
                let _ = slot.tag.compare_exchange(found, found | USED, Relaxed, Relaxed);
            }
            Some(entry)
        })
    }

    /// Stores an entry, unless another process has done so or is doing so. Returns whether that has evicted another entry.
    pub fn insert(&self, key: &Key, provider: u32, identity: &[u8], writer: &Writer<'_>) -> bool {
        let tag = tag(key);
        let is_stored = |slot: Slot<'_>| slot.tag.load(Relaxed) & !USED == tag && !writer.may_take_over(slot.state());
        if self.slots().any(is_stored) {
            return false;
        }
        self.choose(writer).is_some_and(|(slot, found)| {
            slot.write(found, writer.process, key, tag, provider, identity) && found.is_whole()
        })
    }

    /// The number of entries.
    pub fn entries(&self) -> usize {
        self.slots().filter(|slot| slot.state().is_whole()).count()
    }

    /// A slot without an entry, or else the next one that was not used since the hand passed it. None if all are being
    /// written.
    fn choose(&self, writer: &Writer<'_>) -> Option<(Slot<'a>, State)> {
        let empty = |slot: Slot<'a>| {
            let state = slot.state();
            (state == State::NEW || writer.may_take_over(state)).then_some((slot, state))
        };
        if let Some(found) = self.slots().find_map(empty) {
            return Some(found);
        }
        let hand = self.words.get(HAND)?;
        // The second round finds slots whose chance was used up in the first one.
        (0..WAYS.saturating_mul(2)).find_map(|_| {
            let position = usize::try_from(hand.fetch_add(1, Relaxed)).ok()?;
            let slot = self.slots().nth(position.checked_rem(WAYS)?)?;
            let state = slot.state();
            if !state.is_whole() || slot.tag.fetch_and(!USED, Relaxed) & USED != 0 {
                return None;
            }
            Some((slot, state))
        })
    }
}

/// The tag of a key; never 0, which is that of a slot without an entry.
fn tag(key: &Key) -> u64 {
    let [first, ..] = key.0;
    (first & !USED).max(2)
}
