//! What sessions and the worker tell each other: one entry for each URL, and a number that grows with every new key set.
//!
//! Sessions enter the URLs that they need and compare the number, which costs one read of memory. The key sets
//! themselves are files, see [`store`](crate::jwks::store).

use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire};

use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgAtomic, PgLwLock, pg_shmem_init};

pub use crate::jwks::entry::Entry;
use crate::jwks::entry::Text;
use crate::pg::clock;

/// URLs of one cluster. A cluster seldom has more than two.
pub const MAX_URLS: usize = 64;

const SECOND: i64 = 1_000_000;
/// Between two fetches that tokens with an unknown `kid` ask for: anybody can make up such a token.
const BETWEEN_REQUESTS: i64 = 30 * SECOND;
/// A URL that is in no stored setting is forgotten when no session has needed it for so long.
const FORGOTTEN_AFTER: i64 = 3600 * SECOND;

#[derive(Clone, Copy)]
struct Table {
    /// The address of the worker's latch; 0 while there is no worker. Latches are in shared memory, and outlive it.
    worker: usize,
    /// Times that the catalog was read.
    catalog_reads: u64,
    entries: [Option<Entry>; MAX_URLS],
}

// SAFETY: plain data without references; the latch's address is the same in all processes.
unsafe impl PGRXSharedMemory for Table {}

impl Table {
    fn entry(&mut self, url: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().flatten().find(|entry| entry.url() == url)
    }

    /// The entry of a URL, made if there is none; None where there is no room for it.
    fn entry_or_new(&mut self, url: &str) -> Option<&mut Entry> {
        let place = match self.entries.iter().position(|it| it.is_some_and(|it| it.url() == url)) {
            Some(place) => place,
            None => self.entries.iter().position(Option::is_none)?,
        };
        Some(self.entries[place].get_or_insert_with(|| Entry::new(url)))
    }

    /// Forgets the URLs that nobody needs any more.
    fn forget_unneeded(&mut self) {
        let is_unneeded = |entry: &Entry| {
            !entry.in_server_setting && !entry.in_catalog && has_passed(entry.needed_at, FORGOTTEN_AFTER)
        };
        for place in &mut self.entries {
            if place.as_ref().is_some_and(is_unneeded) {
                *place = None;
                GENERATION.get().fetch_add(1, AcqRel);
            }
        }
    }

    fn wake_worker(&self) {
        if self.worker != 0 {
            // SAFETY: the address of a latch in shared memory. If its process is gone another one wakes for nothing.
            unsafe { pg_sys::SetLatch(self.worker as *mut pg_sys::Latch) };
        }
    }
}

// SAFETY: nobody else has shared memory of these names.
static TABLE: PgLwLock<Table> = unsafe { PgLwLock::new(c"pg_session_jwt_urls") };
// SAFETY: as above.
static GENERATION: PgAtomic<AtomicU64> = unsafe { PgAtomic::new(c"pg_session_jwt_key_sets") };

/// Asks for the memory, while the library is preloaded.
pub fn request() {
    pg_shmem_init!(
        TABLE = Table {
            worker: 0,
            catalog_reads: 0,
            entries: [None; MAX_URLS],
        }
    );
    pg_shmem_init!(GENERATION = AtomicU64::new(1));
}

fn now() -> i64 {
    clock::now().micros()
}

/// Whether so much time has passed; also if the clock was set back.
fn has_passed(since: i64, micros: i64) -> bool {
    !(0..micros).contains(&(now() - since))
}

/// Differs whenever the key set of some URL may have changed.
pub fn generation() -> u64 {
    GENERATION.get().load(Acquire)
}

/// Of all URLs together: a number never comes back, also where a URL is forgotten and needed again.
fn next_generation() -> u64 {
    GENERATION.get().fetch_add(1, AcqRel) + 1
}

/// What is known of a URL.
pub fn look(url: &str) -> Option<Entry> {
    TABLE
        .share()
        .entries
        .iter()
        .flatten()
        .find(|it| it.url() == url)
        .copied()
}

pub fn has_worker() -> bool {
    TABLE.share().worker != 0
}

/// Says that a session needs a URL. Where there is no room for it `auth.providers()` tells so; a line of the log for each
/// session would only fill it.
pub fn need(url: &str) {
    let mut table = TABLE.exclusive();
    let Some(entry) = table.entry_or_new(url) else { return };
    let is_new = entry.needed_at == 0;
    entry.needed_at = now();
    if is_new {
        table.wake_worker();
    }
}

/// Asks for another fetch, since a token names a key that is not there. The number to wait for in [`Entry::served`];
/// None where it is too soon.
pub fn ask_again(url: &str) -> Option<u64> {
    let mut table = TABLE.exclusive();
    let entry = table.entry(url)?;
    if entry.requests > entry.served {
        return Some(entry.requests);
    }
    if !has_passed(entry.requested_at, BETWEEN_REQUESTS) {
        return None;
    }
    entry.requested_at = now();
    entry.requests += 1;
    let number = entry.requests;
    table.wake_worker();
    Some(number)
}

/// Says which latch wakes the worker, or that there is none any more (null).
pub fn set_worker(latch: *mut pg_sys::Latch) {
    TABLE.exclusive().worker = latch as usize;
}

/// All URLs.
pub fn entries() -> Vec<Entry> {
    TABLE.share().entries.iter().flatten().copied().collect()
}

/// Says which URLs the server's own setting has. Those for which there is no room are returned.
pub fn set_server_urls(urls: &[String]) -> Vec<String> {
    set_urls(urls, |entry, is_in| entry.in_server_setting = is_in)
}

/// Says which URLs the settings of databases and roles have.
pub fn set_catalog_urls(urls: &[String]) -> Vec<String> {
    let left_out = set_urls(urls, |entry, is_in| entry.in_catalog = is_in);
    let mut table = TABLE.exclusive();
    table.catalog_reads += 1;
    table.wake_worker();
    left_out
}

/// How often the catalog was read.
pub fn catalog_reads() -> u64 {
    TABLE.share().catalog_reads
}

fn set_urls(urls: &[String], mark: fn(&mut Entry, bool)) -> Vec<String> {
    let mut table = TABLE.exclusive();
    for entry in table.entries.iter_mut().flatten() {
        let is_in = urls.iter().any(|url| entry.url() == url);
        mark(entry, is_in);
    }
    // Before there is need of their places.
    table.forget_unneeded();
    let mut left_out = Vec::new();
    for url in urls {
        match table.entry_or_new(url) {
            Some(entry) => mark(entry, true),
            None => left_out.push(url.clone()),
        }
    }
    left_out
}

/// Forgets the URLs that nobody needs any more.
pub fn forget_unneeded() {
    TABLE.exclusive().forget_unneeded();
}

/// Says that a key set which came at some time is on disk, before its URL was fetched by this worker.
pub fn set_stored(url: &str, came: i64) {
    let mut table = TABLE.exclusive();
    let Some(entry) = table.entry(url) else { return };
    entry.fetched_at = came;
    // Also beside sessions that have a set already, since the worker may have been started anew: the one before may have
    // ended between storing this set and saying so.
    entry.generation = next_generation();
}

/// How a fetch ended.
pub struct Ended<'a> {
    /// What sessions had asked for when it was begun.
    pub requests: u64,
    /// When the key set came, if it did.
    pub came: Option<i64>,
    /// Whether it is another one than before; it is on disk.
    pub is_new: bool,
    /// Why it did not come, else empty.
    pub error: &'a str,
    /// When it will be fetched next.
    pub next_at: i64,
}

/// Says how a fetch ended, all at once: whoever sees the new set sees the rest of it, too.
pub fn set_ended(url: &str, ended: &Ended<'_>) {
    let mut table = TABLE.exclusive();
    let Some(entry) = table.entry(url) else { return };
    entry.fetches += 1;
    entry.served = ended.requests;
    entry.fetched_at = ended.came.unwrap_or(entry.fetched_at);
    entry.error = Text::new(ended.error);
    entry.next_at = ended.next_at;
    if ended.is_new {
        if entry.generation == 0 {
            // What was asked for while there was nothing does not count against the first unknown kid.
            entry.requested_at = 0;
        }
        entry.generation = next_generation();
    }
}
