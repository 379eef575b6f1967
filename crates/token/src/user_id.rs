//! The user ids that may log in. PostgreSQL writes them to its log unchanged, and pg_ident.conf compares them.

/// Invisible characters, and those that change the line or the direction of the text after them.
///
/// These are U+2028, U+2029, the characters without width, and the marks, embeddings, overrides and isolates of Unicode's
/// bidirectional algorithm (UAX #9).
const INVISIBLE: [std::ops::RangeInclusive<char>; 8] = [
    '\u{ad}'..='\u{ad}',
    '\u{61c}'..='\u{61c}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
    '\u{fff9}'..='\u{fffb}',
];

/// Whether a reader can distinguish a user id from every other one.
///
/// A readable user id is not empty, has no control characters and no [`INVISIBLE`] ones, and neither begins nor ends with
/// a blank.
#[must_use]
pub fn is_readable(user_id: &str) -> bool {
    let is_invisible = |c: char| c.is_control() || INVISIBLE.iter().any(|range| range.contains(&c));
    !user_id.is_empty() && user_id.trim() == user_id && !user_id.chars().any(is_invisible)
}
