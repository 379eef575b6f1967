//! Redirects: to a target on the same host and port, which may be relative (RFC 9110 §10.2.2).

use http::Uri;
use http::header::{HeaderMap, LOCATION};

use crate::token::key_url;

/// The target of a redirect, if it has the same scheme, host and port.
///
/// # Errors
/// There is no target, or it is elsewhere.
pub fn target(from: &Uri, headers: &HeaderMap) -> Result<Uri, String> {
    let to = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let absolute = resolve(from, to.ok_or("redirect has no Location header")?);
    match absolute.parse::<Uri>() {
        Ok(uri) if origin(&uri) == origin(from) && key_url::check(&absolute).is_ok() => Ok(uri),
        _ => Err("redirect to another host".to_owned()),
    }
}

/// A reference as an absolute URL (RFC 3986 §5.2), without its fragment.
fn resolve(from: &Uri, to: &str) -> String {
    let to = to.split_once('#').map_or(to, |(before, _)| before);
    if has_scheme(to) {
        return to.to_owned();
    }
    let scheme = from.scheme_str().unwrap_or_default();
    if to.starts_with("//") {
        return format!("{scheme}:{to}");
    }
    let authority = from.authority().map_or("", |it| it.as_str());
    let (path, query) = match to.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (to, None),
    };
    let (path, query) = match path {
        "" => (from.path().to_owned(), query.or(from.query())),
        _ if path.starts_with('/') => (without_dots(path), query),
        _ => {
            let directory = from.path().rsplit_once('/').map_or("", |(directory, _)| directory);
            (without_dots(&format!("{directory}/{path}")), query)
        }
    };
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    format!("{scheme}://{authority}{path}{query}")
}

/// Whether a reference begins with a scheme (RFC 3986 §4.2): a colon in its first segment.
fn has_scheme(to: &str) -> bool {
    let end = to.find([':', '/', '?']);
    end.is_some_and(|end| end > 0 && to[end..].starts_with(':'))
}

/// An absolute path without the segments `.` and `..` (RFC 3986 §5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

/// The origin of a URL: scheme, host and port (RFC 6454 §4).
fn origin(url: &Uri) -> (Option<&str>, Option<String>, Option<u16>) {
    let usual_port = if url.scheme_str() == Some("https") { 443 } else { 80 };
    let host = url.host().map(str::to_ascii_lowercase);
    (url.scheme_str(), host, url.port_u16().or(Some(usual_port)))
}
