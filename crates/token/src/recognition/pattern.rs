//! Patterns such as `https://<tenant>.auth0.com`, and texts made of them.
//!
//! `<name>` stands for one part of a path, or for the beginning of a host. At the beginning of a pattern `<address>` stands
//! for an origin and any path. Each part is compared at its ends only, so the work grows with the length of the URL.

use crate::recognition::address::Address;

/// What the names of a pattern stand for.
pub type Captures = Vec<(&'static str, String)>;

const ADDRESS: &str = "<address>";

/// What the names of a pattern stand for in a URL; None for a URL of another pattern.
pub fn captures(pattern: &'static str, url: &Address) -> Option<Captures> {
    let mut found = Captures::new();
    let (pattern, query) = match pattern.split_once('?') {
        Some((pattern, query)) => (pattern, Some(query)),
        None => (pattern, None),
    };
    match (query, &url.query) {
        (Some(pattern), Some(query)) => {
            capture(pattern, query, &mut found)?;
            // It becomes a part of a path, which cannot have these characters.
            if query.bytes().any(|byte| matches!(byte, b'/' | b'?' | b'&' | b';')) || query.contains("..") {
                return None;
            }
        }
        (None, None) => {}
        _ => return None,
    }
    let mut parts = pattern.strip_prefix("https://").unwrap_or(pattern).split('/');
    let host = parts.next()?;
    let parts: Vec<&'static str> = parts.collect();
    let before = url.path.len().checked_sub(parts.len())?;
    if host == ADDRESS {
        found.push(("address", url.up_to(before)));
    } else {
        capture(host, url.origin.strip_prefix("https://")?, &mut found)?;
        if before > 0 {
            return None;
        }
    }
    for (part, segment) in parts.into_iter().zip(url.path.iter().skip(before)) {
        capture(part, segment, &mut found)?;
    }
    Some(found)
}

/// Whether a URL has the host of a pattern.
pub fn has_host(pattern: &'static str, url: &Address) -> bool {
    let host = pattern
        .strip_prefix("https://")
        .and_then(|pattern| pattern.split(['/', '?']).next());
    let own = url.origin.strip_prefix("https://");
    match (host, own) {
        (Some(host), Some(own)) => capture(host, own, &mut Captures::new()).is_some(),
        _ => false,
    }
}

/// Compares a text with a pattern of at most one name.
fn capture(pattern: &'static str, text: &str, found: &mut Captures) -> Option<()> {
    let Some((before, name, after)) = split(pattern) else {
        return (pattern == text).then_some(());
    };
    let value = text.strip_prefix(before)?.strip_suffix(after)?;
    if value.is_empty() {
        return None;
    }
    found.push((name, value.to_owned()));
    Some(())
}

/// A pattern's first name, and what is around it.
fn split(pattern: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let (before, rest) = pattern.split_once('<')?;
    let (name, after) = rest.split_once('>')?;
    Some((before, name, after))
}

/// The name, if a text is nothing else.
pub fn only_name(text: &'static str) -> Option<&'static str> {
    split(text).and_then(|(before, name, after)| (before.is_empty() && after.is_empty()).then_some(name))
}

/// The names in a text.
pub fn names(text: &'static str) -> Vec<&'static str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, name, after)) = split(rest) {
        names.push(name);
        rest = after;
    }
    names
}

/// Replaces the names in a text that have a value; the others stay.
pub fn filled<'v>(text: &'static str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, name, after)) = split(rest) {
        out.push_str(before);
        match value(name) {
            Some(value) => out.push_str(value),
            None => {
                out.push('<');
                out.push_str(name);
                out.push('>');
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}
