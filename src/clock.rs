//! The time that tokens are judged by.

use pgrx::pg_sys;

use crate::token::claims::NumericDate;

/// 2000-01-01, PostgreSQL's epoch, in microseconds since 1970-01-01 (`src/include/datatype/timestamp.h`).
pub const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// When the current statement arrived: the same in a parallel leader and its workers, and no system call.
///
/// A process that runs no statement of a client has none; then it is now.
pub fn statement_start() -> NumericDate {
    // SAFETY: reads a global of this process.
    let mut start = unsafe { pg_sys::GetCurrentStatementStartTimestamp() };
    if start == 0 {
        // SAFETY: asks the operating system for the time.
        start = unsafe { pg_sys::GetCurrentTimestamp() };
    }
    NumericDate::from_micros(start.saturating_add(POSTGRES_EPOCH_MICROS))
}
