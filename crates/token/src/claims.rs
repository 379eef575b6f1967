//! The claims set of a payload (RFC 7519 §4), read once, with types.

use crate::error::{Error, Part};
use crate::json::{self, Json, Members};
use crate::time::NumericDate;

/// A claims set, borrowed from its payload.
#[derive(Debug)]
pub struct Claims<'a> {
    members: Members<'a>,
    /// `exp`
    pub expires: Option<NumericDate>,
    /// `nbf`
    pub not_before: Option<NumericDate>,
    /// `iat`
    pub issued_at: Option<NumericDate>,
}

impl<'a> Claims<'a> {
    /// Reads a payload and checks the types of the dates.
    ///
    /// # Errors
    /// [`Error::NotJson`] if it is not a usable JSON object, [`Error::ClaimDate`].
    pub fn parse(payload: &'a str) -> Result<Self, Error> {
        let members = json::parse_object(payload).map_err(|problem| Error::NotJson {
            part: Part::Payload,
            problem,
        })?;
        let date = |claim, title, read: fn(&Json) -> Option<NumericDate>| match members.get(claim) {
            None => Ok(None),
            Some(value) => read(value).map(Some).ok_or(Error::ClaimDate { claim, title }),
        };
        let expires = date("exp", "Expiration", NumericDate::from_json)?;
        let not_before = date("nbf", "Not Before", NumericDate::from_json_of_past)?;
        let issued_at = date("iat", "Issued At", NumericDate::from_json_of_past)?;
        Ok(Claims {
            members,
            expires,
            not_before,
            issued_at,
        })
    }

    /// A claims set that a trusted party has verified: its dates are not checked.
    pub(crate) fn without_dates(members: Members<'a>) -> Self {
        Claims {
            members,
            expires: None,
            not_before: None,
            issued_at: None,
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

    /// `jti`, if it is a 64-bit integer.
    pub fn integer_jti(&self) -> Option<i64> {
        if let Some(Json::Integer(jti)) = self.get("jti") {
            Some(*jti)
        } else {
            None
        }
    }
}
