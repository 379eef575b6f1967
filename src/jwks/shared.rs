//! What sessions and the worker tell each other: one entry for each URL, and a number that grows with every new key set.
//!
//! Sessions enter the URLs that they need and compare the number, which costs one read of memory. The key sets
//! themselves are files, see [`stored`](super::stored).

use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire};

use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgAtomic, PgLwLock, pg_shmem_init};

use crate::clock;
use crate::token::key_url::MAX_URL_BYTES;

/// URLs of one cluster. A cluster seldom has more than two.
pub const MAX_URLS: usize = 64;

const SECOND: i64 = 1_000_000;
/// Between two fetches that tokens with an unknown `kid` ask for: anybody can make up such a token.
const BETWEEN_REQUESTS: i64 = 30 * SECOND;
/// A URL that is in no stored setting is forgotten when no session has needed it for so long.
const FORGOTTEN_AFTER: i64 = 3600 * SECOND;

/// A text of at most N bytes; what is longer is cut.
#[derive(Clone, Copy)]
struct Text<const N: usize> {
    length: usize,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    fn new(text: &str) -> Self {
        let mut bytes = [0; N];
        let length = text.floor_char_boundary(N);
        bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
        Text { length, bytes }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

/// One URL. Times are microseconds since 1970, 0 for never.
#[derive(Clone, Copy)]
pub struct Entry {
    url: Text<MAX_URL_BYTES>,
    error: Text<256>,
    in_server_setting: bool,
    in_catalog: bool,
    needed_at: i64,
    requested_at: i64,
    /// Grows with each key set that is stored for this URL; 0 while there is none.
    pub generation: u64,
    /// Fetches that have ended, well or not.
    pub fetches: u64,
    /// Fetches that sessions have asked for, and the last of these that a fetch was begun after and has ended.
    pub requests: u64,
    pub served: u64,
    /// When the key set last came.
    pub fetched_at: i64,
    /// When it will be fetched next.
    pub next_at: i64,
}

impl Entry {
    fn new(url: &str) -> Self {
        Entry {
            url: Text::new(url),
            error: Text::new(""),
            in_server_setting: false,
            in_catalog: false,
            needed_at: 0,
            requested_at: 0,
            generation: 0,
            fetches: 0,
            requests: 0,
            served: 0,
            fetched_at: 0,
            next_at: 0,
        }
    }

    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Why the last fetch failed; empty if it did not.
    pub fn error(&self) -> &str {
        self.error.as_str()
    }
}

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

/// Says that a session needs a URL; false where there is no room for another one.
pub fn need(url: &str) -> bool {
    let mut table = TABLE.exclusive();
    let Some(entry) = table.entry_or_new(url) else {
        return false;
    };
    let is_new = entry.needed_at == 0;
    entry.needed_at = now();
    if is_new {
        table.wake_worker();
    }
    true
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
        mark(entry, false);
    }
    let mut left_out = Vec::new();
    for url in urls {
        match table.entry_or_new(url) {
            Some(entry) => mark(entry, true),
            None => left_out.push(url.clone()),
        }
    }
    left_out
}

/// Forgets the URLs that nobody needs any more, and returns them.
pub fn forget_unneeded() -> Vec<String> {
    let mut table = TABLE.exclusive();
    let mut forgotten = Vec::new();
    for place in &mut table.entries {
        if let Some(entry) = place
            && !entry.in_server_setting
            && !entry.in_catalog
            && has_passed(entry.needed_at, FORGOTTEN_AFTER)
        {
            forgotten.push(entry.url().to_owned());
            *place = None;
        }
    }
    if !forgotten.is_empty() {
        GENERATION.get().fetch_add(1, AcqRel);
    }
    forgotten
}

/// Says that the key set on disk is another one now.
pub fn set_changed(url: &str) {
    if let Some(entry) = TABLE.exclusive().entry(url) {
        entry.generation += 1;
    }
    GENERATION.get().fetch_add(1, AcqRel);
}

/// Says that a key set came at a time.
pub fn set_fetched(url: &str, at: i64) {
    if let Some(entry) = TABLE.exclusive().entry(url) {
        entry.fetched_at = at;
    }
}

/// Says how a fetch ended that was begun after so many requests, and when the next one is due.
pub fn set_ended(url: &str, requests: u64, error: &str, next_at: i64) {
    if let Some(entry) = TABLE.exclusive().entry(url) {
        entry.fetches += 1;
        entry.served = requests;
        entry.error = Text::new(error);
        entry.next_at = next_at;
    }
}
