//! The shared memory of the statistics, 322 KiB in four parts.
//!
//! ```text
//! the head:        when the counters were 0 | evictions | 6 unused words
//! the names:       128 rows of 40 words, see `rows`
//! the rejections:  129 rows of 24 words: a counter for each reason
//! the stripes:     32 times 129 rows of 8 words: a counter for each origin | nanoseconds | 4 unused words
//! ```
//!
//! Row 128 has the counters of all issuers without a row. A row of a stripe is one cache line, so that processes of different
//! stripes do not wait for each other's writes.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::pg::clock;
use crate::pg::shared_memory::{self, Region};
use crate::pg::shared_words::SharedWords;
use crate::statistics::origin::Origin;
use crate::statistics::reason::Reason;

/// The number of rows that have a name.
pub const ROWS: usize = 128;
/// The words of a name.
pub const NAME: usize = 40;

const HEAD: usize = 8;
const REASONS: usize = 24;
const STRIPES: usize = 32;
/// The words of a cache line.
const LINE: usize = 8;
const WORDS_IN_ALL: usize = HEAD + ROWS * NAME + (ROWS + 1) * (REASONS + STRIPES * LINE);

/// The word of a line that has the time.
const NANOSECONDS: usize = Origin::ALL.len();

const _: () = assert!(Reason::ALL.len() <= REASONS && NANOSECONDS < LINE);

static WORDS: SharedWords = SharedWords::new(c"pg_session_jwt_statistics", || WORDS_IN_ALL, begin);
static REGIONS: [&dyn Region; 1] = [&WORDS];

/// Requests the memory, while the library is preloaded.
pub fn request() {
    shared_memory::request(&REGIONS);
}

/// Sets all counters to 0, before any process uses them.
fn begin(words: &[AtomicU64]) -> bool {
    words.iter().for_each(|word| word.store(0, Relaxed));
    if let Some(reset_at) = words.first() {
        reset_at.store(clock::now().micros().cast_unsigned(), Relaxed);
    }
    true
}

/// The memory by its parts.
pub struct Memory {
    head: &'static [AtomicU64; HEAD],
    names: &'static [[AtomicU64; NAME]],
    rejections: &'static [[AtomicU64; REASONS]],
    stripes: &'static [[AtomicU64; LINE]],
}

/// The counters of a row in one stripe.
pub struct Line(&'static [AtomicU64; LINE]);

impl Line {
    pub fn accepted(&self, origin: Origin) -> &'static AtomicU64 {
        &self.0[origin as usize]
    }

    pub fn nanoseconds(&self) -> &'static AtomicU64 {
        &self.0[NANOSECONDS]
    }
}

impl Memory {
    /// The memory; None unless the library is preloaded.
    pub fn get() -> Option<Memory> {
        let (head, rest) = WORDS.get().split_first_chunk()?;
        let (names, rest) = rest.split_at_checked(ROWS * NAME)?;
        let (rejections, stripes) = rest.split_at_checked((ROWS + 1) * REASONS)?;
        Some(Memory {
            head,
            names: names.as_chunks().0,
            rejections: rejections.as_chunks().0,
            stripes: stripes.as_chunks().0,
        })
    }

    /// When the counters were 0, in microseconds since 1970.
    pub fn reset_at(&self) -> &'static AtomicU64 {
        &self.head[0]
    }

    /// The evictions of the shared cache.
    pub fn evictions(&self) -> &'static AtomicU64 {
        &self.head[1]
    }

    /// The names of the rows.
    pub fn names(&self) -> &'static [[AtomicU64; NAME]] {
        self.names
    }

    /// The counter of a row and a reason.
    pub fn rejections(&self, row: usize, reason: Reason) -> &'static AtomicU64 {
        &self.rejections[row][reason as usize]
    }

    /// The counters of a row in the stripe of a process.
    pub fn line(&self, process: usize, row: usize) -> Line {
        Line(&self.stripes[process % STRIPES * (ROWS + 1) + row])
    }

    /// The counters of a row in all stripes.
    pub fn lines(&self, row: usize) -> impl Iterator<Item = Line> {
        (0..STRIPES).map(move |stripe| self.line(stripe, row))
    }

    /// All counters.
    pub fn counters(&self) -> impl Iterator<Item = &'static AtomicU64> {
        let evictions = std::iter::once(self.evictions());
        let rejections = self.rejections.iter().flatten();
        evictions.chain(rejections).chain(self.stripes.iter().flatten())
    }
}
