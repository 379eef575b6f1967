//! What the server has counted since its start or `auth.reset_stats()`, for `auth.stats()`.
//!
//! The memory has a fixed size, and all counters are words that processes add to without a lock. Counting therefore cannot
//! fail, and neither an error nor a rollback undoes it. A crash of a process ends all others, and the counters begin with 0
//! again.
//!
//! A repeated token costs one addition to a word that other processes seldom use: the counters of accepted tokens are in
//! stripes, which `auth.stats()` sums. Only a signature check reads the clock.
//!
//! PostgreSQL 18 and 19 could store the counters at a shutdown, as a custom kind of cumulative statistics. That is not used:
//! a kind needs a number that PostgreSQL's community assigns, and pgrx 0.19.4 does not bind its callbacks.

#![forbid(unsafe_code)]

mod memory;
mod origin;
mod reason;
mod rows;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::pg::{backend, clock};
use crate::statistics::memory::ROWS;
pub use crate::statistics::memory::request;
use crate::statistics::memory::{Line, Memory};
pub use crate::statistics::origin::Origin;
pub use crate::statistics::reason::Reason;
pub use crate::statistics::rows::{DatabaseIssuer, IssuerRow, Row, without_issuer};
use crate::token::NumericDate;

/// Counts an accepted token, and the time of its verification.
pub fn accepted(row: Row, origin: Origin, nanoseconds: u64) {
    if let Some(line) = own_line(row) {
        line.accepted(origin).fetch_add(1, Relaxed);
        add_time(&line, nanoseconds);
    }
}

/// Counts a rejected token, and the time of its verification.
pub fn rejected(row: Row, reason: Reason, nanoseconds: u64) {
    if let Some(memory) = Memory::get() {
        memory.rejections(row.0, reason).fetch_add(1, Relaxed);
    }
    if let Some(line) = own_line(row) {
        add_time(&line, nanoseconds);
    }
}

/// Counts an entry of the shared cache that was evicted.
pub fn evicted() {
    if let Some(memory) = Memory::get() {
        memory.evictions().fetch_add(1, Relaxed);
    }
}

/// The line of a row in the stripe of this process.
fn own_line(row: Row) -> Option<Line> {
    Some(Memory::get()?.line(backend::number().unwrap_or(0), row.0))
}

fn add_time(line: &Line, nanoseconds: u64) {
    if nanoseconds > 0 {
        line.nanoseconds().fetch_add(nanoseconds, Relaxed);
    }
}

/// All statistics at one moment.
pub struct Statistics {
    /// When the counters were 0.
    pub reset_at: NumericDate,
    pub evictions: u64,
    pub rows: Vec<RowCounts>,
}

/// The counters of a row.
pub struct RowCounts {
    /// None for the row of all others.
    pub issuer: Option<DatabaseIssuer>,
    /// By [`Origin`].
    pub accepted: [u64; Origin::ALL.len()],
    /// By [`Reason`].
    pub rejected: [u64; Reason::ALL.len()],
    /// The time of verifications.
    pub nanoseconds: u64,
}

/// Reads all statistics; None unless the library is preloaded.
pub fn read() -> Option<Statistics> {
    let memory = Memory::get()?;
    let mut rows: Vec<RowCounts> = (0..ROWS)
        .filter_map(|number| {
            let issuer = rows::read(&memory, number)?;
            Some(RowCounts {
                issuer: Some(issuer),
                ..counts(&memory, number)
            })
        })
        .collect();
    let others = counts(&memory, ROWS);
    if rows.len() == ROWS || !others.are_zero() {
        rows.push(others);
    }
    Some(Statistics {
        reset_at: NumericDate::from_micros(memory.reset_at().load(Relaxed).cast_signed()),
        evictions: memory.evictions().load(Relaxed),
        rows,
    })
}

/// The counters of the row with this number.
fn counts(memory: &Memory, number: usize) -> RowCounts {
    let sum = |counter: &dyn Fn(Line) -> &'static AtomicU64| {
        let counters = memory.lines(number).map(counter);
        counters.map(|counter| counter.load(Relaxed)).sum()
    };
    RowCounts {
        issuer: None,
        accepted: Origin::ALL.map(|origin| sum(&|line| line.accepted(origin))),
        rejected: Reason::ALL.map(|reason| memory.rejections(number, reason).load(Relaxed)),
        nanoseconds: sum(&|line| line.nanoseconds()),
    }
}

impl RowCounts {
    fn are_zero(&self) -> bool {
        self.nanoseconds == 0 && self.accepted.iter().chain(&self.rejected).all(|count| *count == 0)
    }
}

/// Sets all counters to 0. The rows stay: processes remember their numbers. False unless the library is preloaded.
pub fn reset() -> bool {
    let Some(memory) = Memory::get() else { return false };
    memory.counters().for_each(|counter| counter.store(0, Relaxed));
    memory.reset_at().store(clock::now().micros().cast_unsigned(), Relaxed);
    true
}
