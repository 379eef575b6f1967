//! How a connection of a client proceeds: what its stream, its requests and its responses know of each other.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Progress {
    /// The end of the last request, or the begin of the connection.
    unused_since: Mutex<Instant>,
    begun: AtomicUsize,
    open: AtomicUsize,
    upgraded: AtomicBool,
    next_part: AtomicU64,
    /// The parts of responses that HTTP/2 has and has not sent, by age.
    unsent: Mutex<BTreeMap<u64, Instant>>,
}

impl Default for Progress {
    fn default() -> Progress {
        Progress {
            unused_since: Mutex::new(Instant::now()),
            begun: AtomicUsize::default(),
            open: AtomicUsize::default(),
            upgraded: AtomicBool::default(),
            next_part: AtomicU64::default(),
            unsent: Mutex::default(),
        }
    }
}

impl Progress {
    /// The head of a request is complete.
    pub fn begin(&self) {
        self.open.fetch_add(1, Ordering::AcqRel);
        self.begun.fetch_add(1, Ordering::AcqRel);
    }

    /// The response of a request has been handed on, or the request was given up.
    pub fn end(&self) {
        *self.unused_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.open.fetch_sub(1, Ordering::AcqRel);
    }

    /// The number of requests whose heads are complete.
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::Acquire)
    }

    pub fn is_idle(&self) -> bool {
        self.open.load(Ordering::Acquire) == 0
    }

    /// The connection is a WebSocket from now on, which has its own times.
    pub fn upgrade(&self) {
        self.upgraded.store(true, Ordering::Release);
    }

    pub fn is_upgraded(&self) -> bool {
        self.upgraded.load(Ordering::Acquire)
    }

    /// Notes that a part was handed to HTTP/2; returns its number.
    pub fn part(&self) -> u64 {
        let number = self.next_part.fetch_add(1, Ordering::Relaxed);
        self.unsent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(number, Instant::now());
        number
    }

    /// Notes that a part was sent or given up.
    pub fn sent(&self, part: u64) {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner).remove(&part);
    }

    /// Returns when there was no request for so long. hyper has no limit for that in HTTP/2, where a client can answer pings
    /// and hold its place.
    pub async fn unused(&self, limit: Duration) {
        loop {
            let since = *self.unused_since.lock().unwrap_or_else(PoisonError::into_inner);
            let left = if self.is_idle() && !self.is_upgraded() {
                limit.saturating_sub(since.elapsed())
            } else {
                limit
            };
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }

    /// Returns when the client did not take a part of a response for so long. It can prevent that with HTTP/2's flow control,
    /// while it answers pings; the socket is never full then.
    pub async fn stalled(&self, limit: Duration) {
        loop {
            let oldest = self
                .unsent
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .values()
                .next()
                .copied();
            let left = oldest.map_or(limit, |since| limit.saturating_sub(since.elapsed()));
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }
}
