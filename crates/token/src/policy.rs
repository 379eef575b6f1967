//! What a verified claims set must fulfil to be an identity. Pure functions of the claims and the caller's clock.

use super::claims::{Claims, NumericDate};
use super::error::Error;

/// The rules and the time.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// The time of judgement.
    pub now: NumericDate,
    /// Seconds of grace for `exp` and `nbf` (RFC 7519 §4.1.4: "usually no more than a few minutes").
    pub leeway: u32,
    /// What is asked of `jti`.
    pub jti: TokenId,
}

/// What is asked of `jti` (RFC 7519 §4.1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenId {
    /// Nothing.
    Any,
    /// An integer.
    Integer,
    /// An integer greater than this one.
    GreaterThan(i64),
}

impl Policy {
    /// Judges a claims set.
    ///
    /// # Errors
    /// [`Error::NotYetValid`], [`Error::Expired`], [`Error::TokenId`], [`Error::TokenIdReplayed`].
    pub fn admit(&self, claims: &Claims) -> Result<(), Error> {
        in_time(claims.not_before, claims.expires, self.now, self.leeway)?;
        token_id(claims.integer_jti(), self.jti)
    }
}

/// `nbf` and `exp` together.
///
/// # Errors
/// [`Error::NotYetValid`], [`Error::Expired`].
pub fn in_time(nbf: Option<NumericDate>, exp: Option<NumericDate>, now: NumericDate, leeway: u32) -> Result<(), Error> {
    started(nbf, now, leeway)?;
    unexpired(exp, now, leeway)
}

/// `nbf`: the time must not be before it, give or take the leeway.
///
/// # Errors
/// [`Error::NotYetValid`]
pub fn started(nbf: Option<NumericDate>, now: NumericDate, leeway: u32) -> Result<(), Error> {
    match nbf {
        Some(nbf) if now.plus_seconds(leeway) < nbf => Err(Error::NotYetValid { nbf, now, leeway }),
        _ => Ok(()),
    }
}

/// `exp`: the time must be before it, give or take the leeway; on it is too late.
///
/// # Errors
/// [`Error::Expired`]
pub fn unexpired(exp: Option<NumericDate>, now: NumericDate, leeway: u32) -> Result<(), Error> {
    match exp {
        Some(exp) if now >= exp.plus_seconds(leeway) => Err(Error::Expired { exp, now, leeway }),
        _ => Ok(()),
    }
}

fn token_id(jti: Option<i64>, asked: TokenId) -> Result<(), Error> {
    match (asked, jti) {
        (TokenId::Any, _) | (TokenId::Integer, Some(_)) => Ok(()),
        (TokenId::GreaterThan(last), Some(jti)) if jti > last => Ok(()),
        (TokenId::GreaterThan(last), Some(jti)) => Err(Error::TokenIdReplayed { jti, last }),
        (TokenId::Integer | TokenId::GreaterThan(_), None) => Err(Error::TokenId),
    }
}
