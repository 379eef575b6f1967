//! The time that tokens are judged by.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys;

use crate::token::NumericDate;

/// 2000-01-01, PostgreSQL's epoch, in microseconds since 1970-01-01 (`src/include/datatype/timestamp.h`).
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The time that an identity is asked at: when the current statement arrived or, where that is later, when its current
/// transaction began. The same in a parallel leader and its workers, and no system call.
///
/// A statement that commits (a procedure, a DO block) begins its next transaction by the clock (xact.c,
/// StartTransaction), so that it does not outlive the identity that it began with. A process that runs no statement of a
/// client has none of the two; then it is now.
pub fn statement_start() -> NumericDate {
    // SAFETY: reads a global of this process.
    let statement = unsafe { pg_sys::GetCurrentStatementStartTimestamp() };
    // SAFETY: as above.
    let transaction = unsafe { pg_sys::GetCurrentTransactionStartTimestamp() };
    match statement.max(transaction) {
        0 => now(),
        start => from_postgres(start),
    }
}

/// Now, by the system's clock.
pub fn now() -> NumericDate {
    // SAFETY: asks the operating system for the time.
    from_postgres(unsafe { pg_sys::GetCurrentTimestamp() })
}

fn from_postgres(time: pg_sys::TimestampTz) -> NumericDate {
    NumericDate::from_micros(time.saturating_add(POSTGRES_EPOCH_MICROS))
}

/// As PostgreSQL has it; None where it is out of PostgreSQL's range.
pub fn timestamp(date: NumericDate) -> Option<TimestampWithTimeZone> {
    TimestampWithTimeZone::try_from(date.micros().checked_sub(POSTGRES_EPOCH_MICROS)?).ok()
}
