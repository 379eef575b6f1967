//! Which user ids may log in: PostgreSQL writes them to its log as they are, and pg_ident.conf compares them.

/// Characters that no reader sees, or that change the line or the direction in which the rest is written: U+2028, U+2029,
/// the marks, embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX #9), and those without width.
const UNSEEN: [std::ops::RangeInclusive<char>; 8] = [
    '\u{ad}'..='\u{ad}',
    '\u{61c}'..='\u{61c}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
    '\u{fff9}'..='\u{fffb}',
];

/// Whether a user id can be told from every other by who reads it: it is not empty, has no control characters and no
/// [`UNSEEN`] ones, and neither begins nor ends with a blank.
#[must_use]
pub fn is_readable(user_id: &str) -> bool {
    let is_unseen = |c: char| c.is_control() || UNSEEN.iter().any(|range| range.contains(&c));
    !user_id.is_empty() && user_id.trim() == user_id && !user_id.chars().any(is_unseen)
}
