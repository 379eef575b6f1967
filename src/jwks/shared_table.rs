//! Messages between sessions and the worker: one entry for each URL, and a number that grows with every new key set.
//!
//! Sessions enter the URLs that they need and compare the number, which costs one read of memory. The key sets
//! themselves are files, see [`store`](crate::jwks::store).

use crate::jwks::entry::BoundedText;
pub use crate::jwks::entry::Entry;
use crate::pg::clock;
use crate::pg::latch::Latch;
use crate::pg::shared_memory::{self, Region, Shared, SharedCounter};
use crate::token::refetch::RefetchLimit;

/// The maximum number of URLs of one cluster. A cluster seldom has more than two.
pub const MAX_URLS: usize = 64;

const SECOND: i64 = 1_000_000;
/// The longest time for which a provider may want no request.
const LONGEST_REST: i64 = 3600 * SECOND;
/// A URL that no stored setting contains is forgotten when no session has needed it for this time.
const FORGOTTEN_AFTER: i64 = 3600 * SECOND;

#[derive(Clone, Copy)]
struct Table {
    /// The worker's latch; None while there is no worker.
    worker: Option<Latch>,
    /// The number of times that the catalog was read.
    catalog_reads: u64,
    entries: [Option<Entry>; MAX_URLS],
}

impl Table {
    fn new() -> Self {
        Table {
            worker: None,
            catalog_reads: 0,
            entries: [None; MAX_URLS],
        }
    }

    fn entry(&mut self, url: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().flatten().find(|entry| entry.url() == url)
    }

    /// The entry of a URL, which is added if it is missing; None where there is no room for it.
    fn entry_or_new(&mut self, url: &str) -> Option<&mut Entry> {
        let index = match self.entries.iter().position(|it| it.is_some_and(|it| it.url() == url)) {
            Some(index) => index,
            None => self.entries.iter().position(Option::is_none)?,
        };
        Some(self.entries[index].get_or_insert_with(|| Entry::new(url)))
    }

    /// Forgets the URLs that no setting has and no session has needed for a while.
    fn forget_unneeded(&mut self) {
        let is_unneeded = |entry: &Entry| {
            !entry.in_server_setting && !entry.in_catalog && has_passed(entry.needed_at, FORGOTTEN_AFTER)
        };
        for entry in &mut self.entries {
            if entry.as_ref().is_some_and(is_unneeded) {
                *entry = None;
                REVISION.next();
            }
        }
    }

    fn wake_worker(&self) {
        if let Some(latch) = self.worker {
            latch.set();
        }
    }
}

static TABLE: Shared<Table> = Shared::new(c"pg_session_jwt_urls", Table::new);
static REVISION: SharedCounter = SharedCounter::new(c"pg_session_jwt_key_sets");

static REGIONS: [&dyn Region; 2] = [&TABLE, &REVISION];

/// Requests the memory, while the library is preloaded.
pub fn request() {
    shared_memory::request(&REGIONS);
}

fn now() -> i64 {
    clock::now().micros()
}

/// Whether this time has passed. True also if the clock was set back.
fn has_passed(since: i64, micros: i64) -> bool {
    !(0..micros).contains(&(now() - since))
}

/// The revision of all key sets together. It differs whenever the key set of some URL may have changed.
pub fn revision() -> u64 {
    REVISION.get()
}

/// The entry of a URL.
pub fn find(url: &str) -> Option<Entry> {
    TABLE
        .share()
        .entries
        .iter()
        .flatten()
        .find(|it| it.url() == url)
        .copied()
}

/// Whether the worker runs.
pub fn has_worker() -> bool {
    TABLE.share().worker.is_some()
}

/// Notes that a session needs a URL. Where there is no room for it, `auth.providers()` reports that. A line from each
/// session would only fill the log.
pub fn need(url: &str) {
    let mut table = TABLE.exclusive();
    let Some(entry) = table.entry_or_new(url) else { return };
    let is_new = entry.needed_at == 0;
    entry.needed_at = now();
    if is_new {
        table.wake_worker();
    }
}

/// The answer to a session that requests a fetch.
pub enum Requested {
    /// The number to wait for in [`Entry::served`].
    Number(u64),
    /// It is too soon: the time of the next fetch.
    NotBefore(i64),
}

/// Requests another fetch for a token whose keys no longer fit, within the limit of its URL; None where the URL has no room.
pub fn request_fetch(url: &str) -> Option<Requested> {
    let mut table = TABLE.exclusive();
    let entry = table.entry(url)?;
    if entry.requests > entry.served {
        return Some(Requested::Number(entry.requests));
    }
    let now = now();
    if (1..=LONGEST_REST).contains(&entry.not_before.saturating_sub(now)) {
        return Some(Requested::NotBefore(entry.not_before));
    }
    match entry.limit.request(now) {
        Ok(due) => {
            let number = entry.request(due);
            table.wake_worker();
            Some(Requested::Number(number))
        }
        Err(next) => Some(Requested::NotBefore(next)),
    }
}

/// Requests a fetch of each URL, for an administrator: without a limit, and not by one that has begun already. Returns the
/// URLs, each with its number to wait for.
pub fn request_all() -> Vec<(String, u64)> {
    let mut table = TABLE.exclusive();
    let now = now();
    let entries = table.entries.iter_mut().flatten();
    let requests = entries
        .map(|entry| (entry.url().to_owned(), entry.request(now)))
        .collect();
    table.wake_worker();
    requests
}

/// Sets the latch that wakes the worker; None when the worker ends.
pub fn set_worker(latch: Option<Latch>) {
    TABLE.exclusive().worker = latch;
}

/// The entries of all URLs.
pub fn entries() -> Vec<Entry> {
    TABLE.share().entries.iter().flatten().copied().collect()
}

/// Counts the fetches of each URL from 0 again.
pub fn reset_counts() {
    for entry in TABLE.exclusive().entries.iter_mut().flatten() {
        entry.counted_fetches = 0;
        entry.failed_fetches = 0;
    }
}

/// Sets the URLs of the server's own setting. Returns those that do not fit.
pub fn set_server_urls(urls: &[String]) -> Vec<String> {
    set_urls(urls, |entry, is_in| entry.in_server_setting = is_in)
}

/// Sets the URLs of the settings of databases and roles. Returns those that do not fit.
pub fn set_catalog_urls(urls: &[String]) -> Vec<String> {
    let without_room = set_urls(urls, |entry, is_in| entry.in_catalog = is_in);
    let mut table = TABLE.exclusive();
    table.catalog_reads += 1;
    table.wake_worker();
    without_room
}

/// The number of times that the catalog was read.
pub fn catalog_reads() -> u64 {
    TABLE.share().catalog_reads
}

/// Marks the entries of these URLs, and unmarks the others. Returns the URLs that do not fit.
fn set_urls(urls: &[String], mark: fn(&mut Entry, bool)) -> Vec<String> {
    let mut table = TABLE.exclusive();
    for entry in table.entries.iter_mut().flatten() {
        let is_in = urls.iter().any(|url| entry.url() == url);
        mark(entry, is_in);
    }
    // First, to make room.
    table.forget_unneeded();
    let mut without_room = Vec::new();
    for url in urls {
        match table.entry_or_new(url) {
            Some(entry) => mark(entry, true),
            None => without_room.push(url.clone()),
        }
    }
    without_room
}

/// Forgets the URLs that no setting has and no session has needed for a while.
pub fn forget_unneeded() {
    TABLE.exclusive().forget_unneeded();
}

/// Announces a key set on disk that was received at some time, before this worker has fetched its URL.
pub fn announce_stored(url: &str, received_at: i64) {
    let mut table = TABLE.exclusive();
    let Some(entry) = table.entry(url) else { return };
    entry.fetched_at = received_at;
    // A new revision, even for sessions that have a set already: an earlier worker may have ended between storing this set
    // and announcing it.
    entry.revision = REVISION.next();
}

/// The outcome of a fetch.
pub struct FetchOutcome<'a> {
    /// The requests of sessions when the fetch began.
    pub requests: u64,
    /// When the key set was received; None after a failure.
    pub received_at: Option<i64>,
    /// Whether it differs from the one before. It is on disk.
    pub is_new: bool,
    /// The reason of a failure; empty after a success.
    pub error: &'a str,
    /// When the set will be fetched next.
    pub next_at: i64,
    /// Until when the provider wants no request.
    pub not_before: i64,
}

/// Publishes the outcome of a fetch, all at once: a session that sees the new set sees the rest of the outcome too.
pub fn publish(url: &str, outcome: &FetchOutcome<'_>) {
    let mut table = TABLE.exclusive();
    let Some(entry) = table.entry(url) else { return };
    entry.fetches += 1;
    entry.counted_fetches += 1;
    entry.failed_fetches += u64::from(outcome.received_at.is_none());
    // An entry that was forgotten and entered again counts from the beginning.
    entry.served = outcome.requests.min(entry.requests);
    entry.fetched_at = outcome.received_at.unwrap_or(entry.fetched_at);
    entry.error = BoundedText::new(outcome.error);
    entry.next_at = outcome.next_at;
    entry.not_before = outcome.not_before;
    if outcome.is_new {
        if entry.revision == 0 {
            // A request from the time without a set does not delay that of the first unknown kid.
            entry.limit = RefetchLimit::default();
        }
        entry.revision = REVISION.next();
    }
}
