//! Numbers as PostgreSQL compares and calculates them. Plain Rust.

use std::cmp::Ordering;

/// The digits that a decimal may have; those of longer ones are not read.
const MAX_DIGITS: usize = 30;

/// A value of type numeric: a number that is divided by a power of ten. It has no trailing zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    digits: i128,
    scale: u32,
}

/// A value of type float4 or float8. As in PostgreSQL, NaN is equal to itself and greater than all others.
#[derive(Debug, Clone, Copy)]
pub struct Float(f64);

impl Decimal {
    /// The number that numeric_out writes; None for a long one, NaN and infinity.
    pub fn parse(text: &[u8]) -> Option<Decimal> {
        let (is_negative, text) = text.strip_prefix(b"-").map_or((false, text), |text| (true, text));
        let point = text.iter().position(|byte| *byte == b'.');
        let digits = text.iter().filter(|byte| **byte != b'.').copied();
        if text.is_empty() || text.len() > MAX_DIGITS || !digits.clone().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = digits.fold(0_i128, |all, byte| all * 10 + i128::from(byte - b'0'));
        let decimal = Decimal {
            digits: if is_negative { -digits } else { digits },
            scale: point.map_or(Some(0), |point| u32::try_from(text.len() - point - 1).ok())?,
        };
        Some(decimal.shortened())
    }

    fn shortened(mut self) -> Decimal {
        while self.scale > 0 && self.digits % 10 == 0 {
            self.digits /= 10;
            self.scale -= 1;
        }
        self
    }

    /// The digits of both at the same scale.
    fn aligned(self, other: Decimal) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        let at_scale = |it: Decimal| it.digits.checked_mul(10_i128.checked_pow(scale - it.scale)?);
        Some((at_scale(self)?, at_scale(other)?, scale))
    }

    pub fn order(self, other: Decimal) -> Option<Ordering> {
        self.aligned(other).map(|(a, b, _)| a.cmp(&b))
    }

    pub fn calculated(self, operator: &[u8], other: Decimal) -> Option<Decimal> {
        let (a, b, scale) = self.aligned(other)?;
        let (digits, scale) = match operator {
            b"+" => (a.checked_add(b)?, scale),
            b"-" => (a.checked_sub(b)?, scale),
            b"*" => (self.digits.checked_mul(other.digits)?, self.scale + other.scale),
            _ => return None,
        };
        Some(Decimal { digits, scale }.shortened())
    }

    /// The nearest float, by way of the text as in PostgreSQL.
    pub fn to_float(self) -> Option<Float> {
        format!("{}e-{}", self.digits, self.scale).parse().ok().map(Float)
    }
}

impl std::convert::From<i64> for Decimal {
    fn from(value: i64) -> Decimal {
        Decimal {
            digits: value.into(),
            scale: 0,
        }
    }
}

impl Float {
    pub fn new(value: f64) -> Float {
        Float(value)
    }

    /// The same value as a float4.
    #[expect(clippy::cast_possible_truncation, reason = "PostgreSQL's cast to float4 rounds, too")]
    pub fn to_single(self) -> Float {
        Float(f64::from(self.0 as f32))
    }

    pub fn order(self, other: Float) -> Ordering {
        let order = self.0.partial_cmp(&other.0);
        order.unwrap_or_else(|| self.0.is_nan().cmp(&other.0.is_nan()))
    }

    pub fn calculated(self, operator: &[u8], other: Float) -> Option<Float> {
        let value = match operator {
            b"+" => self.0 + other.0,
            b"-" => self.0 - other.0,
            b"*" => self.0 * other.0,
            _ => return None,
        };
        // PostgreSQL raises an error where the result is too large.
        value.is_finite().then_some(Float(value))
    }
}

impl PartialEq for Float {
    fn eq(&self, other: &Float) -> bool {
        self.order(*other).is_eq()
    }
}

impl Eq for Float {}
