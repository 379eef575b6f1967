//! An identity as other sessions see it, in the words of a slot.
//!
//! ```text
//! word 0  the process, below the encoding of the texts (8 bits), the source (8) and whether it ends with its transaction (1)
//!      1  the database, below the role
//!      2  since, microseconds since 1970
//!      3  exp, microseconds since 1970; the smallest number where there is none
//!      4  the lengths of the texts, 16 bits each; 0xFFFF where there is none
//!      5  the texts, each in as many words as its limit needs
//! ```
//!
//! A writer cannot convert its texts: that needs the catalogs, and a rollback has none. They stay in the encoding of the
//! writer's database, and the reader converts them.

use pgrx::pg_sys::Oid;

use crate::pg::backend_slots::{CONTENT, Content};
use crate::pg::encoding;
use crate::token::NumericDate;

/// The most bytes of a text. OpenID Connect limits `sub` to 255 characters of ASCII.
const USER_ID_BYTES: usize = 256;
const ISSUER_BYTES: usize = 256;
const KID_BYTES: usize = 128;

/// The end of a text that was truncated.
const TRUNCATED: &[u8] = b"...";

const WORD: usize = size_of::<u64>();
const TEXTS: usize = 5;
const LIMITS: [usize; 3] = [USER_ID_BYTES, ISSUER_BYTES, KID_BYTES];
const LONGEST: usize = USER_ID_BYTES;

const _: () = assert!(TEXTS + (USER_ID_BYTES + ISSUER_BYTES + KID_BYTES) / WORD == CONTENT);

const NO_TEXT: u16 = u16::MAX;
const NO_DATE: i64 = i64::MIN;

/// Where an identity comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Provider = 1,
    Proxy = 2,
    Claims = 3,
}

impl Source {
    /// The word of `auth.status()`.
    pub fn mode(self) -> &'static str {
        match self {
            Source::Provider => "provider",
            Source::Proxy => "proxy",
            Source::Claims => "claims",
        }
    }
}

/// What a process writes. The texts are in the encoding of its database.
pub struct Record<'a> {
    pub pid: i32,
    pub database: Oid,
    pub role: Oid,
    pub source: Source,
    /// Whether the identity ends with its transaction.
    pub is_local: bool,
    pub since: NumericDate,
    pub expires: Option<NumericDate>,
    pub user_id: Option<&'a [u8]>,
    pub issuer: Option<&'a [u8]>,
    pub kid: Option<&'a [u8]>,
}

/// What another process reads. A text is None also where it is invalid in its encoding.
pub struct Row {
    pub pid: i32,
    pub database: Oid,
    pub role: Oid,
    pub source: Source,
    pub is_local: bool,
    pub since: NumericDate,
    pub expires: Option<NumericDate>,
    pub user_id: Option<String>,
    pub issuer: Option<String>,
    pub kid: Option<String>,
}

/// Writes a record. It raises nothing, and allocates nothing.
pub fn encode(record: &Record<'_>) -> Content {
    let mut content = [0; CONTENT];
    let encoding = u64::try_from(encoding::server_encoding()).unwrap_or(0) & 0xFF;
    content[0] = u64::from(record.pid.cast_unsigned())
        | encoding << 32
        | (record.source as u64) << 40
        | u64::from(record.is_local) << 48;
    content[1] = u64::from(record.database.to_u32()) | u64::from(record.role.to_u32()) << 32;
    content[2] = record.since.micros().cast_unsigned();
    content[3] = record.expires.map_or(NO_DATE, NumericDate::micros).cast_unsigned();
    let (header, mut rest) = content.split_at_mut(TEXTS);
    for (index, text) in [record.user_id, record.issuer, record.kid].into_iter().enumerate() {
        let (words, behind) = rest.split_at_mut(LIMITS[index] / WORD);
        let length = text.map_or(NO_TEXT, |text| write_text(words, text));
        header[4] |= u64::from(length) << (16 * index);
        rest = behind;
    }
    content
}

/// Writes a text, truncated to what fits, and returns its length.
fn write_text(words: &mut [u64], text: &[u8]) -> u16 {
    let limit = words.len() * WORD;
    let (text, end) = if text.len() <= limit {
        (text, &[][..])
    } else {
        (encoding::clip(text, limit - TRUNCATED.len()), TRUNCATED)
    };
    let mut bytes = [0; LONGEST];
    bytes[..text.len()].copy_from_slice(text);
    bytes[text.len()..][..end.len()].copy_from_slice(end);
    for (chunk, word) in bytes.as_chunks().0.iter().zip(words) {
        *word = u64::from_le_bytes(*chunk);
    }
    u16::try_from(text.len() + end.len()).unwrap_or(NO_TEXT)
}

/// Calls `read` with the user id, in the encoding of the writer. It allocates nothing.
pub fn user_id<R>(content: &Content, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
    text(content, 0, read)
}

/// Calls `read` with the text that has this index.
fn text<R>(content: &Content, index: usize, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
    let start = TEXTS + LIMITS[..index].iter().sum::<usize>() / WORD;
    let words = &content[start..start + LIMITS[index] / WORD];
    let mut bytes = [0; LONGEST];
    for (chunk, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
        *chunk = word.to_le_bytes();
    }
    let length = usize::from((content[4] >> (16 * index)) as u16);
    bytes.get(..length).filter(|_| length <= LIMITS[index]).map(read)
}

/// Reads what [`encode`] has written.
pub fn decode(content: &Content) -> Option<Row> {
    let source = match content[0] >> 40 & 0xFF {
        1 => Source::Provider,
        2 => Source::Proxy,
        3 => Source::Claims,
        _ => return None,
    };
    let encoding = i32::try_from(content[0] >> 32 & 0xFF).ok()?;
    let [user_id, issuer, kid] = [0, 1, 2].map(|index| {
        let in_utf8 = |text: &[u8]| encoding::from_encoding(text, encoding).map(|text| text.into_owned());
        text(content, index, in_utf8).flatten()
    });
    Some(Row {
        pid: (content[0] as u32).cast_signed(),
        database: Oid::from_u32(content[1] as u32),
        role: Oid::from_u32((content[1] >> 32) as u32),
        source,
        is_local: content[0] >> 48 & 1 == 1,
        since: NumericDate::from_micros(content[2].cast_signed()),
        expires: Some(content[3].cast_signed())
            .filter(|micros| *micros != NO_DATE)
            .map(NumericDate::from_micros),
        user_id,
        issuer,
        kid,
    })
}
