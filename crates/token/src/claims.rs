//! The claims set of a payload (RFC 7519 §4), read once, with types.

use super::error::{Error, Part};
use super::json::{self, Json, Members};

/// Seconds from 1970 to the end of the year 9999; later dates are a unit mistake (milliseconds) or an attack.
const MAX_SECONDS: i64 = 253_402_300_799;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// A point in time (RFC 7519 §2), in microseconds since 1970-01-01 UTC, to which a claim is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumericDate(i64);

impl NumericDate {
    /// From microseconds since 1970-01-01 UTC.
    pub const fn from_micros(micros: i64) -> Self {
        NumericDate(micros)
    }

    /// Microseconds since 1970-01-01 UTC.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This many seconds later.
    pub fn plus_seconds(self, seconds: u32) -> Self {
        NumericDate(
            self.0
                .saturating_add(i64::from(seconds).saturating_mul(MICROS_PER_SECOND)),
        )
    }

    fn from_json(value: &Json) -> Option<Self> {
        match *value {
            Json::Integer(seconds @ 0..=MAX_SECONDS) => Some(NumericDate(seconds.saturating_mul(MICROS_PER_SECOND))),
            // Both bounds and 1e6 are exact as doubles. The error of the double and that of its product with 1e6 are together
            // less than half a microsecond before 2^32 seconds (the year 2106), so that rounding gives the claim's own
            // digits. After that the error is less than 17 microseconds.
            Json::Number(seconds) if (0.0..=253_402_300_799.0).contains(&seconds) =>
            {
                #[expect(clippy::as_conversions, reason = "in range, and there is no TryFrom<f64>")]
                Some(NumericDate((seconds * 1e6).round() as i64))
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for NumericDate {
    /// Seconds since 1970-01-01 UTC, with a fraction only where there is one, as in the claim.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

/// A claims set, borrowed from its payload.
#[derive(Debug)]
pub struct Claims<'a> {
    members: Members<'a>,
    /// `exp`
    pub expires: Option<NumericDate>,
    /// `nbf`
    pub not_before: Option<NumericDate>,
}

impl<'a> Claims<'a> {
    /// Reads a payload and checks the types of the dates.
    ///
    /// # Errors
    /// [`Error::NotJson`] where it is no JSON object that can be kept, [`Error::ClaimDate`].
    pub fn parse(payload: &'a str) -> Result<Self, Error> {
        let members = json::parse_object(payload).map_err(|problem| Error::NotJson {
            part: Part::Payload,
            problem,
        })?;
        let date = |claim, title| match members.get(claim) {
            None => Ok(None),
            Some(value) => NumericDate::from_json(value)
                .map(Some)
                .ok_or(Error::ClaimDate { claim, title }),
        };
        let expires = date("exp", "Expiration")?;
        let not_before = date("nbf", "Not Before")?;
        date("iat", "Issued At")?;
        Ok(Claims {
            members,
            expires,
            not_before,
        })
    }

    /// A claims set that somebody else has judged: its dates are not looked at.
    pub(super) fn without_dates(members: Members<'a>) -> Self {
        Claims {
            members,
            expires: None,
            not_before: None,
        }
    }

    /// The value of a claim.
    pub fn get(&self, claim: &str) -> Option<&Json<'a>> {
        self.members.get(claim)
    }

    /// The value of a claim that is a string.
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.get(claim).and_then(Json::as_str)
    }

    /// `jti`, where it is an integer of 64 bits.
    pub fn integer_jti(&self) -> Option<i64> {
        if let Some(Json::Integer(jti)) = self.get("jti") {
            Some(*jti)
        } else {
            None
        }
    }
}
