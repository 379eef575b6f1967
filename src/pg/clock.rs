//! The time at which tokens are verified, and how long that takes.

use std::cell::Cell;
use std::time::{Duration, Instant};

use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys;

use crate::pg::statement;
use crate::token::NumericDate;

/// 2000-01-01, PostgreSQL's epoch, in microseconds since 1970-01-01 (`src/include/datatype/timestamp.h`).
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The time at which an identity must be valid: the arrival of the current statement or, if later, the start of its current
/// transaction. It is the same in a parallel leader and its workers, and costs no system call.
///
/// A statement that commits (a procedure, a DO block) begins its next transaction by the clock (xact.c,
/// StartTransaction). It therefore does not outlive the identity that it began with. A process without a client's statement
/// has neither time, and uses the current one.
pub fn statement_start() -> NumericDate {
    match statement::start().max(statement::transaction_start()) {
        0 => now(),
        start => from_postgres(start),
    }
}

/// The current time of the system's clock.
pub fn now() -> NumericDate {
    // SAFETY: reads the operating system's clock.
    from_postgres(unsafe { pg_sys::GetCurrentTimestamp() })
}

fn from_postgres(time: pg_sys::TimestampTz) -> NumericDate {
    NumericDate::from_micros(time.saturating_add(POSTGRES_EPOCH_MICROS))
}

/// The date as a PostgreSQL value; None outside of PostgreSQL's range.
pub fn timestamp(date: NumericDate) -> Option<TimestampWithTimeZone> {
    TimestampWithTimeZone::try_from(date.micros().checked_sub(POSTGRES_EPOCH_MICROS)?).ok()
}

/// The time that some work takes, which may have several parts.
#[derive(Default)]
pub struct Stopwatch(Cell<Duration>);

impl Stopwatch {
    /// Adds the time of a part.
    pub fn time<R>(&self, part: impl FnOnce() -> R) -> R {
        let begin = Instant::now();
        let result = part();
        self.0.set(self.0.get() + begin.elapsed());
        result
    }

    /// The time of all parts.
    pub fn nanoseconds(&self) -> u64 {
        u64::try_from(self.0.get().as_nanos()).unwrap_or(u64::MAX)
    }
}
