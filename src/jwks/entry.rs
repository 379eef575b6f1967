//! The state of one URL in shared memory.

use crate::token::discovery::MAX_NAME_BYTES;
use crate::token::refetch::RefetchLimit;

/// A text of at most N bytes. A longer text is truncated.
#[derive(Clone, Copy)]
pub struct BoundedText<const N: usize> {
    length: usize,
    bytes: [u8; N],
}

impl<const N: usize> BoundedText<N> {
    /// Copies a text.
    pub fn new(text: &str) -> Self {
        let mut bytes = [0; N];
        let length = text.floor_char_boundary(N);
        bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
        BoundedText { length, bytes }
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

/// Room for the URL of a discovery's step, and what went wrong there.
const MAX_ERROR_BYTES: usize = 1024;

/// The state of one URL. Times are microseconds since 1970, 0 for never.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The URL, or the name of a discovery.
    url: BoundedText<MAX_NAME_BYTES>,
    /// The reason why the last fetch failed.
    pub(super) error: BoundedText<MAX_ERROR_BYTES>,
    /// Whether the server's own setting has the URL.
    pub(super) in_server_setting: bool,
    /// Whether a setting of a database or role has the URL.
    pub(super) in_catalog: bool,
    /// When a session last needed the URL.
    pub(super) needed_at: i64,
    /// How often tokens may request a fetch.
    pub(super) limit: RefetchLimit,
    /// Until when the provider wants no request.
    pub(super) not_before: i64,
    /// The revision of the stored key set: a new number with each set; 0 while there is none.
    pub revision: u64,
    /// The number of completed fetches, successful or not.
    pub fetches: u64,
    /// The number of them, and of those that failed, since the statistics were reset.
    pub counted_fetches: u64,
    pub failed_fetches: u64,
    /// The number of refetches that sessions have requested.
    pub requests: u64,
    /// When the last of them is due.
    pub request_due: i64,
    /// The highest request number that a completed fetch has covered.
    pub served: u64,
    /// When the key set was last received.
    pub fetched_at: i64,
    /// When it will be fetched next.
    pub next_at: i64,
}

impl Entry {
    /// The entry of a URL that was never fetched.
    pub fn new(url: &str) -> Self {
        Entry {
            url: BoundedText::new(url),
            error: BoundedText::new(""),
            in_server_setting: false,
            in_catalog: false,
            needed_at: 0,
            limit: RefetchLimit::default(),
            not_before: 0,
            revision: 0,
            fetches: 0,
            counted_fetches: 0,
            failed_fetches: 0,
            requests: 0,
            request_due: 0,
            served: 0,
            fetched_at: 0,
            next_at: 0,
        }
    }

    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Adds a request that is due at this time. Returns its number.
    pub(super) fn request(&mut self, due: i64) -> u64 {
        self.request_due = due;
        self.requests += 1;
        self.requests
    }

    /// The reason why the last fetch failed; empty if it did not.
    pub fn error(&self) -> &str {
        self.error.as_str()
    }
}
