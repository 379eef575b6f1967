//! One slot of shared memory for each process that runs SQL: what it shows of itself. Only the process itself writes its
//! slot, and every process reads all slots.
//!
//! A writer never waits and cannot fail, because it may be in a rollback. A sequence number is odd while it writes, and a
//! reader that finds it odd or changed tries again. PostgreSQL's own `pg_stat_activity` works in the same way
//! (`st_changecount`, backend_status.c).

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release, fence};

use pgrx::pg_sys::Datum;
use pgrx::prelude::*;

use crate::pg::backend;
use crate::pg::shared_memory::{self, Region};
use crate::pg::shared_words::SharedWords;

/// The words of a slot's content. All are 0 where there is none.
pub const CONTENT: usize = 85;
pub type Content = [u64; CONTENT];

/// The words of a slot: its sequence number and its content, in whole cache lines.
const SLOT: usize = (CONTENT + 1).next_multiple_of(8);

/// The number of attempts to read a slot. A write takes a fraction of a microsecond; between two attempts the reader gives
/// a writer that lost its processor the chance to continue.
const ATTEMPTS: usize = 1000;

static WORDS: SharedWords = SharedWords::new(c"pg_session_jwt_activity", || backend::maximum() * SLOT, begin);
static REGIONS: [&dyn Region; 1] = [&WORDS];

thread_local! {
    /// The number of this process, once it may write.
    static OWN: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Makes all slots empty, before any process uses them.
fn begin(words: &[AtomicU64]) -> bool {
    words.iter().for_each(|word| word.store(0, Relaxed));
    true
}

/// Requests the memory, while the library is preloaded.
pub fn request() {
    shared_memory::request(&REGIONS);
}

/// Whether there are slots: the library is preloaded.
pub fn exist() -> bool {
    !WORDS.get().is_empty()
}

/// Prepares this process to write its slot, and to clear it when it ends. It may raise an error.
pub fn attach() {
    if OWN.get().is_some() || !exist() {
        return;
    }
    if let Some(number) = backend::number() {
        backend::at_exit(leave);
        OWN.set(Some(number));
        clear();
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn leave(_code: i32, _argument: Datum) {
    clear();
    OWN.set(None);
}

/// Replaces the content of this process's slot, if it may write.
pub fn write(content: &Content) {
    let Some((sequence, cells)) = OWN.get().and_then(slot) else {
        return;
    };
    // A crash in the middle ends all processes, and the memory begins with 0 again.
    let odd = sequence.load(Relaxed) | 1;
    sequence.store(odd, Relaxed);
    fence(Release);
    for (cell, word) in cells.iter().zip(content) {
        cell.store(*word, Relaxed);
    }
    sequence.store(odd.wrapping_add(1), Release);
}

/// Removes the content of this process's slot.
pub fn clear() {
    write(&[0; CONTENT]);
}

/// The contents of all slots that have one. A slot that is written all the time is left out.
pub fn contents() -> impl Iterator<Item = Content> {
    let slots = WORDS.get().len() / SLOT;
    (0..slots).filter_map(read).filter(|content| *content != [0; CONTENT])
}

fn read(number: usize) -> Option<Content> {
    let (sequence, cells) = slot(number)?;
    for _ in 0..ATTEMPTS {
        let before = sequence.load(Acquire);
        let mut content = [0; CONTENT];
        for (word, cell) in content.iter_mut().zip(cells) {
            *word = cell.load(Relaxed);
        }
        fence(Acquire);
        if before.is_multiple_of(2) && sequence.load(Relaxed) == before {
            return Some(content);
        }
        std::thread::yield_now();
    }
    None
}

/// The sequence number and the content of a slot.
fn slot(number: usize) -> Option<(&'static AtomicU64, &'static [AtomicU64])> {
    let slot = WORDS.get().chunks_exact(SLOT).nth(number)?;
    let (sequence, cells) = slot.split_first()?;
    Some((sequence, cells.get(..CONTENT)?))
}
