//! The dates of a claims set (RFC 7519 §2, NumericDate).

use std::fmt;

use crate::json::Json;

/// Seconds from 1970 to the end of the year 9999; later dates are a unit mistake (milliseconds) or an attack.
const MAX_SECONDS: i64 = 253_402_300_799;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// A point in time, in microseconds since 1970-01-01 UTC. A claim is rounded to the nearest microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumericDate(i64);

impl NumericDate {
    /// The date that is `micros` microseconds after 1970-01-01 UTC.
    pub const fn from_micros(micros: i64) -> Self {
        NumericDate(micros)
    }

    /// Microseconds since 1970-01-01 UTC.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The date `seconds` seconds later.
    pub fn plus_seconds(self, seconds: u32) -> Self {
        NumericDate(
            self.0
                .saturating_add(i64::from(seconds).saturating_mul(MICROS_PER_SECOND)),
        )
    }

    /// The date that a claim holds; None for anything but a number of seconds between 1970 and 9999.
    pub fn from_json(value: &Json) -> Option<Self> {
        match *value {
            Json::Integer(seconds @ 0..=MAX_SECONDS) => Some(NumericDate(seconds.saturating_mul(MICROS_PER_SECOND))),
            // Both bounds and 1e6 are exact as doubles. The double and its product with 1e6 each add an error. Before 2^32
            // seconds (the year 2106) the sum is less than half a microsecond, so rounding restores the claim's own digits.
            // After that it is less than 17 microseconds.
            Json::Number(seconds) if (0.0..=253_402_300_799.0).contains(&seconds) =>
            {
                #[expect(clippy::as_conversions, reason = "in range, and there is no TryFrom<f64>")]
                Some(NumericDate((seconds * 1e6).round() as i64))
            }
            _ => None,
        }
    }

    /// The same for a date that may be before 1970: a library that has none writes that of the year 1.
    pub fn from_json_of_past(value: &Json) -> Option<Self> {
        match *value {
            Json::Integer(seconds) if (-MAX_SECONDS..0).contains(&seconds) => {
                Some(NumericDate(seconds.saturating_mul(MICROS_PER_SECOND)))
            }
            _ => NumericDate::from_json(value),
        }
    }
}

impl fmt::Display for NumericDate {
    /// Writes seconds since 1970-01-01 UTC, with a fraction only where there is one, like the claim itself.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (seconds, micros) = (self.0 / MICROS_PER_SECOND, self.0 % MICROS_PER_SECOND);
        let (seconds, micros) = (seconds.unsigned_abs(), micros.unsigned_abs());
        if micros == 0 {
            write!(formatter, "{sign}{seconds}")
        } else {
            write!(formatter, "{sign}{seconds}.{micros:06}")
        }
    }
}
