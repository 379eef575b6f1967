//! The rules of `exp`, `nbf` and `jti`, for a claims set whose signature is valid. Pure functions of the claims and the
//! caller's clock.

use crate::claims::Claims;
use crate::error::Error;
use crate::time::NumericDate;

/// The rules, and the current time.
#[derive(Debug, Clone, Copy)]
pub struct Validity {
    /// The current time.
    pub now: NumericDate,
    /// The leeway for `exp` and `nbf`, in seconds (RFC 7519 §4.1.4: "usually no more than a few minutes").
    pub leeway: u32,
    /// The requirement for `jti`.
    pub jti: TokenId,
}

/// A requirement for `jti` (RFC 7519 §4.1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenId {
    /// None.
    Any,
    /// An integer.
    Integer,
    /// An integer greater than this one.
    GreaterThan(i64),
}

impl Validity {
    /// Checks `nbf`.
    ///
    /// # Errors
    /// [`Error::NotYetValid`].
    pub(crate) fn check_not_before(&self, claims: &Claims) -> Result<(), Error> {
        check_not_before(claims.not_before, self.now, self.leeway)
    }

    /// Checks `exp`.
    ///
    /// # Errors
    /// [`Error::Expired`].
    pub(crate) fn check_expires(&self, claims: &Claims) -> Result<(), Error> {
        check_expiry(claims.expires, self.now, self.leeway)
    }

    /// Checks `jti`.
    ///
    /// # Errors
    /// [`Error::TokenId`], [`Error::TokenIdReplayed`].
    pub(crate) fn check_token_id(&self, claims: &Claims) -> Result<(), Error> {
        check_token_id(claims.integer_jti(), self.jti)
    }
}

/// Checks `nbf` and `exp`.
///
/// # Errors
/// [`Error::NotYetValid`], [`Error::Expired`].
pub fn check_dates(
    nbf: Option<NumericDate>,
    exp: Option<NumericDate>,
    now: NumericDate,
    leeway: u32,
) -> Result<(), Error> {
    check_not_before(nbf, now, leeway)?;
    check_expiry(exp, now, leeway)
}

/// `nbf`: the current time, plus the leeway, must not be before it.
fn check_not_before(nbf: Option<NumericDate>, now: NumericDate, leeway: u32) -> Result<(), Error> {
    match nbf {
        Some(nbf) if now.plus_seconds(leeway) < nbf => Err(Error::NotYetValid { nbf, now, leeway }),
        _ => Ok(()),
    }
}

/// `exp`: the current time, minus the leeway, must be before it. At `exp` plus the leeway a token is expired.
fn check_expiry(exp: Option<NumericDate>, now: NumericDate, leeway: u32) -> Result<(), Error> {
    match exp {
        Some(exp) if now >= exp.plus_seconds(leeway) => Err(Error::Expired { exp, now, leeway }),
        _ => Ok(()),
    }
}

fn check_token_id(jti: Option<i64>, required: TokenId) -> Result<(), Error> {
    match (required, jti) {
        (TokenId::Any, _) | (TokenId::Integer, Some(_)) => Ok(()),
        (TokenId::GreaterThan(last), Some(jti)) if jti > last => Ok(()),
        (TokenId::GreaterThan(last), Some(jti)) => Err(Error::TokenIdReplayed { jti, last }),
        (TokenId::Integer | TokenId::GreaterThan(_), None) => Err(Error::TokenId),
    }
}
