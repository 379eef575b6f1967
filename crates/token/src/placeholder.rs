//! Placeholders such as `<audience>`, as the documentation and [`recognition`](crate::recognition) write them.

/// The first placeholder in a text: letters, spaces, hyphens and underscores between angle brackets.
///
/// A setting with a placeholder was copied and not completed, so it is rejected as a whole.
pub fn find(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        if let Some((name, _)) = after.split_once('>')
            && !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b' ' | b'-' | b'_'))
        {
            return Some(name);
        }
    }
    None
}

/// What to write into a placeholder's place, as the predicate of a sentence about a provider; None without a placeholder.
pub fn problem(member: &str, text: &str) -> Option<String> {
    find(text).map(|name| format!("has the placeholder \"<{name}>\" in {member}: replace it"))
}
