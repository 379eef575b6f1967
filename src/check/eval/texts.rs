//! Functions of texts that PostgreSQL has, for values that depend on no row. Plain Rust.

use pgrx::pg_sys::{self, Oid};

use crate::check::eval::known::Known::{self, Boolean, Integer, Text};
use crate::check::eval::patterns;

/// The longest text that is made.
const MAX_BYTES: usize = 1000;

/// The result of a function; None where it is not known. Only ASCII has a length and a case that no locale changes.
pub fn result(function: Oid, arguments: &[Known]) -> Option<Known> {
    let is_ascii = |it: &Known| !matches!(it, Text(text) if !text.is_ascii());
    if !arguments.iter().all(is_ascii) {
        return None;
    }
    let length = |text: &[u8]| i64::try_from(text.len()).ok().map(Integer);
    match (function.to_u32(), arguments) {
        (pg_sys::F_LOWER_TEXT, [Text(text)]) => Some(Text(text.to_ascii_lowercase())),
        (pg_sys::F_UPPER_TEXT, [Text(text)]) => Some(Text(text.to_ascii_uppercase())),
        (pg_sys::F_LENGTH_TEXT | pg_sys::F_CHAR_LENGTH_TEXT | pg_sys::F_CHARACTER_LENGTH_TEXT, [Text(text)]) => {
            length(text)
        }
        (pg_sys::F_BTRIM_TEXT, [Text(text)]) => {
            let is_space = |byte: &u8| *byte == b' ';
            let start = text.iter().position(|byte| !is_space(byte)).unwrap_or(text.len());
            let end = text
                .iter()
                .rposition(|byte| !is_space(byte))
                .map_or(start, |last| last + 1);
            Some(Text(text[start..end].to_vec()))
        }
        (pg_sys::F_TEXTCAT, [Text(a), Text(b)]) => joined(&[a, b]),
        (pg_sys::F_CONCAT, texts) => {
            let texts: Option<Vec<&[u8]>> = texts.iter().map(as_text).collect();
            joined(&texts?)
        }
        (pg_sys::F_LEFT, [Text(text), Integer(count)]) => Some(Text(text[..end(text, *count)].to_vec())),
        (pg_sys::F_RIGHT, [Text(text), Integer(count)]) => Some(Text(text[text.len() - end(text, *count)..].to_vec())),
        (pg_sys::F_SUBSTR_TEXT_INT4 | pg_sys::F_SUBSTRING_TEXT_INT4, [Text(text), Integer(from)]) => {
            let start = usize::try_from(from.saturating_sub(1)).unwrap_or(0).min(text.len());
            Some(Text(text[start..].to_vec()))
        }
        (
            pg_sys::F_SUBSTR_TEXT_INT4_INT4 | pg_sys::F_SUBSTRING_TEXT_INT4_INT4,
            [Text(text), Integer(from), Integer(count @ 0..)],
        ) => {
            let end = from.saturating_add(*count).saturating_sub(1);
            let within = |at: i64| usize::try_from(at).unwrap_or(0).min(text.len());
            let (start, end) = (within(from.saturating_sub(1)), within(end));
            Some(Text(text[start.min(end)..end].to_vec()))
        }
        (pg_sys::F_STARTS_WITH, [Text(text), Text(start)]) => Some(Boolean(text.starts_with(start))),
        (pg_sys::F_STRPOS | pg_sys::F_POSITION_TEXT_TEXT, [Text(text), Text(part)]) => {
            let at = match part.is_empty() {
                true => Some(0),
                false => text.windows(part.len()).position(|window| window == part.as_slice()),
            };
            i64::try_from(at.map_or(0, |at| at + 1)).ok().map(Integer)
        }
        (pg_sys::F_SIMILAR_TO_ESCAPE_TEXT, [Text(pattern)]) => patterns::of_similar(pattern).map(Text),
        _ => None,
    }
}

fn as_text(value: &Known) -> Option<&[u8]> {
    match value {
        Text(text) => Some(text),
        Known::Null => Some(b""),
        _ => None,
    }
}

fn joined(texts: &[&[u8]]) -> Option<Known> {
    let length: usize = texts.iter().map(|text| text.len()).sum();
    (length <= MAX_BYTES).then(|| Text(texts.concat()))
}

/// How many bytes of a text `left` and `right` take; a negative number counts from the other end.
fn end(text: &[u8], count: i64) -> usize {
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let count = if count < 0 { length.saturating_add(count) } else { count };
    usize::try_from(count.clamp(0, length)).unwrap_or(0)
}
