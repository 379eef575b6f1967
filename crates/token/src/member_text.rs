//! The members of a provider that are texts.

use crate::json::Json;
use crate::placeholder;

/// The member as a string that is not empty, and has no placeholder.
pub fn text<'a>(member: &str, value: &'a Json<'_>) -> Result<&'a str, String> {
    match value.as_str() {
        Some(text) if !text.is_empty() => match placeholder::problem(&format!("\"{member}\""), text) {
            Some(problem) => Err(problem),
            None => Ok(text),
        },
        _ => Err(format!("has an invalid \"{member}\": a non-empty string is required")),
    }
}
