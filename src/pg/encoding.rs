//! Conversion of texts between UTF-8, the encoding of tokens, and the encoding of the database.

use std::borrow::Cow;
use std::fmt;

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

/// Whether the database stores UTF-8 unchanged.
pub fn stores_utf8() -> bool {
    matches!(server_encoding(), UTF8 | SQL_ASCII)
}

/// A text in the database's encoding; None where that encoding cannot represent it.
///
/// Some encodings map two Unicode characters to one of theirs. Only the Unicode character that converts back is accepted;
/// otherwise two users could become one.
///
/// SQL_ASCII means that the database stores bytes unchanged: UTF-8 stays UTF-8.
pub fn to_server(text: &str) -> Option<Cow<'_, [u8]>> {
    if text.is_ascii() || stores_utf8() {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    let encoding = server_encoding();
    let converted = convert(text.as_bytes(), UTF8, encoding)?;
    let back = convert(&converted, encoding, UTF8)?;
    (back == text.as_bytes()).then_some(Cow::Owned(converted))
}

/// A text of the database as UTF-8; None where it is invalid.
pub fn from_server(text: &[u8]) -> Option<Cow<'_, str>> {
    from_encoding(text, server_encoding())
}

/// A text in this encoding as UTF-8; None where it is invalid.
pub fn from_encoding(text: &[u8], encoding: i32) -> Option<Cow<'_, str>> {
    if text.is_ascii() || encoding == UTF8 || encoding == SQL_ASCII {
        return std::str::from_utf8(text).ok().map(Cow::Borrowed);
    }
    convert(text, encoding, UTF8)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Cow::Owned)
}

const UTF8: i32 = pg_sys::pg_enc::PG_UTF8 as i32;
const SQL_ASCII: i32 = pg_sys::pg_enc::PG_SQL_ASCII as i32;

/// The number of the database's encoding.
pub fn server_encoding() -> i32 {
    // SAFETY: reads a global that is valid from process start (PostgreSQL, mbutils.c).
    unsafe { pg_sys::GetDatabaseEncoding() }
}

/// The beginning of a text of the database: whole characters, and no more bytes than `limit`. It raises no error.
pub fn clip(text: &[u8], limit: usize) -> &[u8] {
    let encoding = match server_encoding() {
        SQL_ASCII => UTF8,
        encoding => encoding,
    };
    let clipped = || {
        let (length, limit) = (i32::try_from(text.len()).ok()?, i32::try_from(limit).ok()?);
        // SAFETY: the text has this length, and is only read.
        let bytes = unsafe { pg_sys::pg_encoding_mbcliplen(encoding, text.as_ptr().cast(), length, limit) };
        text.get(..usize::try_from(bytes).ok()?)
    };
    clipped().unwrap_or_default()
}

/// Writes a text of the database as ASCII without control characters, in any state of the process. It allocates nothing, and
/// no byte becomes more than 6. Where the encoding is not UTF-8, which only a catalog could convert, bytes that are not ASCII
/// have their numbers.
///
/// # Errors
/// `out` has no room.
pub fn escape(text: &[u8], out: &mut impl fmt::Write) -> fmt::Result {
    match std::str::from_utf8(text) {
        Ok(text) if text.is_ascii() || stores_utf8() => text.chars().try_for_each(|c| escape_char(c, out)),
        _ => text.iter().try_for_each(|byte| match byte {
            byte if byte.is_ascii() => escape_char(char::from(*byte), out),
            byte => write!(out, "\\x{byte:02x}"),
        }),
    }
}

fn escape_char(c: char, out: &mut impl fmt::Write) -> fmt::Result {
    match c {
        '"' | '\\' => write!(out, "\\{c}"),
        ' '..='~' => out.write_char(c),
        _ => write!(out, "{}", c.escape_unicode()),
    }
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
