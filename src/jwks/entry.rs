//! What shared memory has of one URL.

use crate::token::key_url::MAX_URL_BYTES;

/// A text of at most N bytes; what is longer is cut.
#[derive(Clone, Copy)]
pub struct Text<const N: usize> {
    length: usize,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    pub fn new(text: &str) -> Self {
        let mut bytes = [0; N];
        let length = text.floor_char_boundary(N);
        bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
        Text { length, bytes }
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

/// One URL. Times are microseconds since 1970, 0 for never.
#[derive(Clone, Copy)]
pub struct Entry {
    url: Text<MAX_URL_BYTES>,
    /// Why the last fetch failed.
    pub(super) error: Text<256>,
    /// In which settings it stands.
    pub(super) in_server_setting: bool,
    pub(super) in_catalog: bool,
    /// When a session last needed it, and last asked for a fetch.
    pub(super) needed_at: i64,
    pub(super) requested_at: i64,
    /// Another number with each key set that is stored for this URL; 0 while there is none.
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
    pub fn new(url: &str) -> Self {
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
