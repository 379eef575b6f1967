//! `jwks_url`: the addresses from which key sets may be fetched.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::Uri;

/// The maximum number of bytes of a URL.
pub const MAX_URL_BYTES: usize = 512;

/// Checks that a key set from this URL arrives as its host sent it: by `https`, or by `http` within this machine.
///
/// # Errors
/// What is wrong with the URL, as the predicate of a sentence.
pub fn check(url: &str) -> Result<(), &'static str> {
    if url.len() > MAX_URL_BYTES {
        return Err("is longer than 512 bytes");
    }
    let uri: Uri = url.parse().map_err(|_| "is not a URL")?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("is not an absolute URL");
    };
    if authority.host().is_empty() {
        return Err("has no host");
    }
    // The reports and the log show the URL, so it must not contain a password. A fragment never reaches a server.
    if authority.as_str().contains('@') {
        return Err("has a user name or password in it");
    }
    if url.contains('#') {
        return Err("has a fragment (#)");
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_loopback(authority.host()) => Ok(()),
        "http" => Err("is http, which is accepted only for loopback addresses; use https"),
        _ => Err("is neither https nor http"),
    }
}

/// Whether the host of a URL is this machine (RFC 6761 §6.3; RFC 4291 §2.5.3; RFC 1122 §3.2.1.3).
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
        || bare.parse().is_ok_and(|address: Ipv6Addr| address.is_loopback())
}
