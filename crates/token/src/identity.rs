//! An identity: the verified claims about the bearer of a token, and the flat form in which a process stores it.
//!
//! ```text
//! byte  0  u16 little-endian   the parts below that are present, see the masks
//!       2  16 bytes            the user id as UUID
//!      18  16 bytes            the organisation's UUID
//!      34  i64 little-endian   exp, microseconds since 1970
//!      42  i64 little-endian   nbf, microseconds since 1970
//!      50  i64 little-endian   jti
//!      58  6 × u32 little-endian  the end of each text, counted from byte 82
//!      82  the texts, in the order of `IdentityText`, in the encoding of the writer
//! ```

use std::borrow::Cow;

use crate::claims::Claims;
use crate::error::Error;
use crate::json::{self, Json, Members};
use crate::time::NumericDate;
use crate::uuid;

/// The verified claims about the bearer of a token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The user-id claim, if it is a string.
    pub user_id: Option<String>,
    /// Whether the user-id claim is present and is not a string.
    pub user_id_malformed: bool,
    /// `iss`
    pub issuer: Option<String>,
    /// The header's `kid`.
    pub kid: Option<String>,
    /// Claim `role`, if it is a string.
    pub role: Option<String>,
    /// Claim `email`, if it is a string.
    pub email: Option<String>,
    /// The payload as it was signed.
    pub claims: String,
    /// Whether claim `o` is an object.
    pub has_organization: bool,
    /// `o.id`, if it is a UUID.
    pub organization_id: Option<[u8; 16]>,
    /// `exp`: the end of its validity.
    pub expires: Option<NumericDate>,
    /// `nbf`: the beginning of its validity.
    pub not_before: Option<NumericDate>,
    /// `jti`, if it is an integer.
    pub jti: Option<i64>,
}

impl Identity {
    /// The identity in a payload whose signature and claims were verified. `user_id_claim` is the name of the claim that
    /// is the user id.
    pub fn new(payload: &str, claims: &Claims, kid: Option<String>, user_id_claim: &str) -> Self {
        let text = |claim| claims.text(claim).map(str::to_owned);
        let organization = claims.get("o");
        Identity {
            user_id: text(user_id_claim),
            user_id_malformed: claims.get(user_id_claim).is_some_and(|id| id.as_str().is_none()),
            issuer: text("iss"),
            kid,
            role: text("role"),
            email: text("email"),
            claims: payload.to_owned(),
            has_organization: matches!(organization, Some(Json::Object(_))),
            organization_id: organization.and_then(organization_id),
            expires: claims.expires,
            not_before: claims.not_before,
            jti: claims.integer_jti(),
        }
    }

    /// The identity in a claims text that a trusted party has verified. Its dates are not checked.
    ///
    /// # Errors
    /// What is wrong with the JSON. A text that is not an object is not an error; the identity then has no user id.
    pub fn trusted(text: &str) -> Result<Self, String> {
        let members = match json::parse(text)? {
            Json::Object(members) => members,
            _ => Members::default(),
        };
        let claims = Claims::without_dates(members);
        Ok(Identity {
            user_id_malformed: false,
            ..Identity::new(text, &claims, None, "sub")
        })
    }

    /// The user id as UUID.
    pub fn uid(&self) -> Option<[u8; 16]> {
        self.user_id.as_deref().and_then(uuid::parse)
    }

    /// Returns the flat form. `encode` converts its texts, and returns None for a text that it cannot convert.
    ///
    /// # Errors
    /// [`Error::NotEncodable`]
    pub fn to_bytes(&self, encode: impl Fn(&str) -> Option<Cow<'_, [u8]>>) -> Result<Vec<u8>, Error> {
        let texts = [
            self.user_id.as_deref(),
            self.issuer.as_deref(),
            self.kid.as_deref(),
            self.role.as_deref(),
            self.email.as_deref(),
            Some(self.claims.as_str()),
        ];
        let uid = self.uid();
        let mut present = 0_u16;
        let flags = [
            (UID, uid.is_some()),
            (ORGANIZATION_ID, self.organization_id.is_some()),
            (ORGANIZATION, self.has_organization),
            (USER_ID_MALFORMED, self.user_id_malformed),
            (EXPIRES, self.expires.is_some()),
            (NOT_BEFORE, self.not_before.is_some()),
            (JTI, self.jti.is_some()),
        ];
        for (mask, _) in flags.into_iter().filter(|(_, set)| *set) {
            present |= mask;
        }
        let mut ends = Vec::with_capacity(TEXTS);
        let mut content = Vec::with_capacity(self.claims.len().saturating_add(256));
        for (text, mask) in texts.into_iter().zip(TEXT_MASKS) {
            if let Some(text) = text {
                present |= mask;
                content.extend_from_slice(&encode(text).ok_or(Error::NotEncodable)?);
            }
            ends.push(u32::try_from(content.len()).map_err(|_| Error::NotEncodable)?);
        }
        let mut bytes = Vec::with_capacity(HEADER.saturating_add(content.len()));
        bytes.extend_from_slice(&present.to_le_bytes());
        bytes.extend_from_slice(&uid.unwrap_or_default());
        bytes.extend_from_slice(&self.organization_id.unwrap_or_default());
        bytes.extend_from_slice(&self.expires.map_or(0, NumericDate::micros).to_le_bytes());
        bytes.extend_from_slice(&self.not_before.map_or(0, NumericDate::micros).to_le_bytes());
        bytes.extend_from_slice(&self.jti.unwrap_or_default().to_le_bytes());
        bytes.extend(ends.into_iter().flat_map(u32::to_le_bytes));
        bytes.append(&mut content);
        Ok(bytes)
    }
}

fn organization_id(organization: &Json) -> Option<[u8; 16]> {
    let Json::Object(members) = organization else {
        return None;
    };
    members.get("id").and_then(Json::as_str).and_then(uuid::parse)
}

const TEXTS: usize = 6;
const TEXT_MASKS: [u16; TEXTS] = [1, 2, 4, 8, 16, 32];
const UID: u16 = 1 << 8;
const ORGANIZATION_ID: u16 = 1 << 9;
const ORGANIZATION: u16 = 1 << 10;
const USER_ID_MALFORMED: u16 = 1 << 11;
const EXPIRES: u16 = 1 << 12;
const NOT_BEFORE: u16 = 1 << 13;
const JTI: u16 = 1 << 14;
const HEADER: usize = 82;

/// The texts of a flat identity, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityText {
    /// The user id.
    UserId,
    /// `iss`
    Issuer,
    /// `kid`
    KeyId,
    /// `role`
    Role,
    /// `email`
    Email,
    /// The payload.
    Claims,
}

impl IdentityText {
    const fn index(self) -> usize {
        match self {
            IdentityText::UserId => 0,
            IdentityText::Issuer => 1,
            IdentityText::KeyId => 2,
            IdentityText::Role => 3,
            IdentityText::Email => 4,
            IdentityText::Claims => 5,
        }
    }
}

/// An identity in its flat form. The readers allocate nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlatIdentity<'a> {
    bytes: &'a [u8],
}

impl<'a> FlatIdentity<'a> {
    /// Reads the result of [`Identity::to_bytes`]. The readers never read outside of `bytes`, whatever their content.
    pub const fn new(bytes: &'a [u8]) -> Self {
        FlatIdentity { bytes }
    }

    /// A text, in the encoding of the writer.
    pub fn text(&self, text: IdentityText) -> Option<&'a [u8]> {
        let index = text.index();
        TEXT_MASKS.get(index).filter(|mask| self.has(**mask))?;
        let start = index.checked_sub(1).map_or(Some(0), |before| self.end(before))?;
        self.bytes.get(HEADER..)?.get(start..self.end(index)?)
    }

    /// Whether all texts are ASCII, which is the same in every encoding of the writer.
    pub fn is_ascii(&self) -> bool {
        self.bytes.get(HEADER..).is_some_and(<[u8]>::is_ascii)
    }

    /// The user id as UUID.
    pub fn uid(&self) -> Option<[u8; 16]> {
        self.when(UID, self.array(2))
    }

    /// `o.id`, if it is a UUID.
    pub fn organization_id(&self) -> Option<[u8; 16]> {
        self.when(ORGANIZATION_ID, self.array(18))
    }

    /// Whether claim `o` is an object.
    pub fn has_organization(&self) -> bool {
        self.has(ORGANIZATION)
    }

    /// Whether the user-id claim is present and is not a string.
    pub fn user_id_malformed(&self) -> bool {
        self.has(USER_ID_MALFORMED)
    }

    /// `exp`: the end of its validity.
    pub fn expires(&self) -> Option<NumericDate> {
        self.when(EXPIRES, self.array(34))
            .map(|micros| NumericDate::from_micros(i64::from_le_bytes(micros)))
    }

    /// `nbf`: the beginning of its validity.
    pub fn not_before(&self) -> Option<NumericDate> {
        self.when(NOT_BEFORE, self.array(42))
            .map(|micros| NumericDate::from_micros(i64::from_le_bytes(micros)))
    }

    /// `jti`, if it is an integer.
    pub fn jti(&self) -> Option<i64> {
        self.when(JTI, self.array(50)).map(i64::from_le_bytes)
    }

    fn has(&self, mask: u16) -> bool {
        self.array(0)
            .is_some_and(|present| u16::from_le_bytes(present) & mask != 0)
    }

    fn when<T>(&self, mask: u16, value: Option<T>) -> Option<T> {
        value.filter(|_| self.has(mask))
    }

    fn end(&self, index: usize) -> Option<usize> {
        let at = index.checked_mul(4)?.checked_add(58)?;
        usize::try_from(u32::from_le_bytes(self.array(at)?)).ok()
    }

    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..)?.first_chunk().copied()
    }
}
