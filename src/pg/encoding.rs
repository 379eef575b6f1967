//! Conversion of texts between UTF-8, the encoding of tokens, and the encoding of the database.

use std::borrow::Cow;

use pgrx::pg_sys;

use crate::pg::catalog;
use crate::token::{Error, Identity, json};

/// The most bytes that one byte can become (PostgreSQL, `src/include/mb/pg_wchar.h`, MAX_CONVERSION_GROWTH).
const MAX_GROWTH: usize = 4;

/// The flat form of an identity, in the database's encoding.
///
/// # Errors
/// [`Error::NotEncodable`]
pub fn flatten(mut identity: Identity) -> Result<Vec<u8>, Error> {
    if server_encoding() != UTF8
        && let Cow::Owned(unescaped) = json::unescape_non_ascii(&identity.claims)
    {
        identity.claims = unescaped;
    }
    identity.to_bytes(to_server)
}

/// A text in the database's encoding; None where that encoding cannot represent it.
///
/// Some encodings map two Unicode characters to one of theirs. Only the Unicode character that converts back is accepted;
/// otherwise two users could become one.
///
/// SQL_ASCII means that the database stores bytes unchanged: UTF-8 stays UTF-8.
pub fn to_server(text: &str) -> Option<Cow<'_, [u8]>> {
    let encoding = server_encoding();
    if text.is_ascii() || encoding == UTF8 || encoding == SQL_ASCII {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    let converted = convert(text.as_bytes(), UTF8, encoding)?;
    let back = convert(&converted, encoding, UTF8)?;
    (back == text.as_bytes()).then_some(Cow::Owned(converted))
}

/// A text of the database as UTF-8; None where it is invalid.
pub fn from_server(text: &[u8]) -> Option<Cow<'_, str>> {
    let encoding = server_encoding();
    if text.is_ascii() || encoding == UTF8 || encoding == SQL_ASCII {
        return std::str::from_utf8(text).ok().map(Cow::Borrowed);
    }
    convert(text, encoding, UTF8)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Cow::Owned)
}

const UTF8: i32 = pg_sys::pg_enc::PG_UTF8 as i32;
const SQL_ASCII: i32 = pg_sys::pg_enc::PG_SQL_ASCII as i32;

fn server_encoding() -> i32 {
    // SAFETY: reads a global that is valid from process start (PostgreSQL, mbutils.c).
    unsafe { pg_sys::GetDatabaseEncoding() }
}

/// Converts a text; None where that is impossible. It raises no error, because a setting's check hook must not.
fn convert(text: &[u8], from: i32, to: i32) -> Option<Vec<u8>> {
    if !catalog::in_transaction() {
        return None;
    }
    // SAFETY: a catalog lookup in a transaction.
    let procedure = unsafe { pg_sys::FindDefaultConversionProc(from, to) };
    if procedure == pg_sys::InvalidOid {
        return None;
    }
    let length = i32::try_from(text.len()).ok()?;
    let capacity = text.len().checked_mul(MAX_GROWTH)?.checked_add(1)?;
    let mut converted = vec![0_u8; capacity];
    // SAFETY: both buffers live across the call and have these lengths. The source is only read, although its type is
    // `*mut`. With noError the function stops at the first invalid character and returns its position.
    let consumed = unsafe {
        pg_sys::pg_do_encoding_conversion_buf(
            procedure,
            from,
            to,
            text.as_ptr().cast_mut(),
            length,
            converted.as_mut_ptr(),
            i32::try_from(capacity).ok()?,
            true,
        )
    };
    if consumed != length {
        return None;
    }
    // The result ends with a zero byte, and the source has none.
    converted.truncate(converted.iter().position(|byte| *byte == 0)?);
    Some(converted)
}
