//! The only form in which a text from outside gets into an error, a log line or a report.

use std::fmt;

/// An excerpt of a text from outside: at most 64 characters, with control and bidirectional characters escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    /// Cuts and escapes `text`.
    pub fn new(text: &str) -> Self {
        const MAX_CHARS: usize = 64;
        let mut out = String::new();
        let mut characters = text.chars();
        for character in characters.by_ref().take(MAX_CHARS) {
            if character == '"' || character == '\\' || !(character.is_ascii_graphic() || character == ' ') {
                out.extend(character.escape_default());
            } else {
                out.push(character);
            }
        }
        if characters.next().is_some() {
            out.push_str("...");
        }
        Excerpt(out)
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
