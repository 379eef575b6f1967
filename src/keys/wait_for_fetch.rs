//! Where a session waits for the network: for a fetch of the background worker, for a limited time.

use std::time::{Duration, Instant};

use crate::jwks::shared_table;
use crate::pg::latch;

/// How long a session waits for a fetch at most: the longest time of one attempt of the worker.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// How long a session waits without a worker: the longest time that the start or restart of one takes.
const WORKER_STARTS: Duration = Duration::from_millis(1500);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A fetch that a session waits for.
pub enum Awaited {
    /// The first fetch of a URL.
    First,
    /// The fetch with this number, see [`shared_table::request_fetch`].
    Request(u64),
}

impl Awaited {
    /// Whether the fetch was attempted.
    pub fn is_done(&self, url: &str) -> bool {
        shared_table::find(url).is_none_or(|entry| match self {
            Awaited::First => entry.revision > 0 || entry.fetches > 0,
            Awaited::Request(number) => entry.served >= *number,
        })
    }
}

/// What a session does after it has asked for a fetch.
pub enum Answer {
    /// No fetch can help.
    Nothing,
    /// It waits for this fetch.
    Wait(Awaited),
    /// It does not wait, because the next fetch may be only at this time (microseconds since 1970).
    NotBefore(i64),
}

/// Waits until `done` is true, for a limited time. The statement can be cancelled.
pub fn wait_until(done: impl Fn() -> bool) {
    wait_at_most(MAX_WAIT, done);
}

/// Like [`wait_until`], with another limit.
pub fn wait_at_most(most: Duration, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        let limit = if shared_table::has_worker() {
            most
        } else {
            WORKER_STARTS
        };
        if started.elapsed() >= limit {
            return;
        }
        latch::sleep(POLL_INTERVAL);
    }
}
