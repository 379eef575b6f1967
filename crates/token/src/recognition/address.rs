//! URLs as they are pasted: read strictly, and split.

use crate::key_url;

/// The maximum number of bytes of a URL, before it is read.
pub const MAX_BYTES: usize = 2048;

/// What may follow an issuer: the documents of OpenID Connect Discovery 1.0 §4 and RFC 8414 §3, and the usual name of a key set.
const WELL_KNOWN: [&str; 3] = ["openid-configuration", "oauth-authorization-server", "jwks.json"];

/// A URL.
pub struct Address {
    /// Scheme, host in lower case, and port.
    pub origin: String,
    /// The segments of the path, without the name of a well-known document.
    pub path: Vec<String>,
    /// The part after `?`.
    pub query: Option<String>,
    /// Whether the path ends with a slash, and names no document.
    pub ends_with_slash: bool,
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, as the predicate of a sentence.
    pub fn parse(text: &str) -> Result<Address, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("has {} bytes; the limit is {MAX_BYTES}", text.len()));
        }
        if !text.bytes().all(is_allowed) {
            return Err("has a character that the URLs of providers do not have".to_owned());
        }
        let (scheme, rest) = match text.split_once("://") {
            Some(parts) => parts,
            None if is_issuer_without_scheme(text) => ("https", text),
            None => return Err("does not begin with https://".to_owned()),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let origin = origin(scheme, authority)?;
        let mut segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        let ends_with_slash = rest.len() > authority.len() && segments.last().is_some_and(String::is_empty);
        segments.pop_if(|last| last.is_empty());
        if path.contains(['[', ']']) || segments.iter().any(|part| matches!(part.as_str(), "" | "." | "..")) {
            return Err("has a path that the URLs of providers do not have".to_owned());
        }
        Ok(Address {
            origin,
            ends_with_slash,
            path: without_document(segments),
            query,
        })
    }

    /// The origin and the first `count` segments of the path.
    pub fn up_to(&self, count: usize) -> String {
        let mut text = self.origin.clone();
        for segment in self.path.iter().take(count) {
            text.push('/');
            text.push_str(segment);
        }
        text
    }

    /// The whole URL without query and the name of a document.
    pub fn stem(&self) -> String {
        self.up_to(self.path.len())
    }
}

/// Whether this is an issuer that is no URL (Stytch, Validate a session; Google, OpenID Connect, ID token payload).
fn is_issuer_without_scheme(text: &str) -> bool {
    text.starts_with("stytch.com/") || text == "accounts.google.com"
}

/// Scheme, host in lower case, and port.
fn origin(scheme: &str, authority: &str) -> Result<String, String> {
    if authority.contains('@') {
        return Err("has a user name or password in it".to_owned());
    }
    let authority = authority.to_ascii_lowercase();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority.as_str(), None),
    };
    if port.is_some_and(|port| port.starts_with(['0', '+']) || port.parse::<u16>().is_err()) {
        return Err("has an invalid port".to_owned());
    }
    let is_loopback = key_url::is_loopback(host);
    if !is_loopback && !is_name(host) {
        return Err("has no valid host name".to_owned());
    }
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Ok(format!("https://{authority}")),
        "http" if is_loopback => Ok(format!("http://{authority}")),
        "http" => Err("is http, which is accepted only for loopback addresses; use https".to_owned()),
        _ => Err("does not begin with https://".to_owned()),
    }
}

/// Whether this is a host name of two labels or more (RFC 1123 §2.1).
fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.len() <= 253 && host.contains('.') && host.split('.').all(is_label)
}

/// Removes `/.well-known/` and the document.
fn without_document(mut path: Vec<String>) -> Vec<String> {
    if let [before @ .., well_known, document] = path.as_slice()
        && well_known == ".well-known"
        && WELL_KNOWN.contains(&document.as_str())
    {
        path.truncate(before.len());
    }
    path
}

/// The characters of URLs of providers: no escapes, quotes or fragments, and nothing beyond ASCII.
fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?@=&+,[]".contains(&byte)
}
