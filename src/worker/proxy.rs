//! The proxy for a request, from the environment of the server, as curl reads it.

use std::env;
use std::net::IpAddr;

use http::Uri;
use ureq::Proxy;

use crate::token::key_url::is_loopback;

/// The variables for https. The first that is set counts, and an empty one means no proxy.
const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const EXCEPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];
/// curl's port for a proxy without one.
const USUAL_PORT: u16 = 1080;

/// The proxy for a URL; None for requests to this machine, and to the hosts in `NO_PROXY`.
///
/// # Errors
/// The proxy is of a kind that is not supported.
pub fn proxy(url: &Uri) -> Result<Option<Proxy>, String> {
    let host = url.host().unwrap_or_default();
    let Some((variable, value)) = first_set(&VARIABLES) else {
        return Ok(None);
    };
    let exceptions = first_set(&EXCEPTIONS).map_or_else(String::new, |(_, value)| value);
    if value.is_empty() || is_loopback(host) || is_exception(host, url.port_u16().unwrap_or(443), &exceptions) {
        return Ok(None);
    }
    parse(&value)
        .map(Some)
        .map_err(|problem| format!("{variable} {problem}"))
}

fn first_set(variables: &[&'static str]) -> Option<(&'static str, String)> {
    variables.iter().find_map(|name| Some((*name, env::var(name).ok()?)))
}

/// Reads the address of a proxy. The messages do not repeat it, because it may have a password.
fn parse(value: &str) -> Result<Proxy, &'static str> {
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    match scheme.to_ascii_lowercase().as_str() {
        "http" => {}
        "https" => return Err("names a proxy over https, which is not supported; use http://"),
        scheme if scheme.starts_with("socks") => {
            return Err("names a SOCKS proxy, which is not supported; use http://");
        }
        _ => return Err("does not begin with http://"),
    }
    let malformed = "is not the address of a proxy, such as http://host:port";
    let uri: Uri = format!("http://{rest}").parse().map_err(|_| malformed)?;
    let authority = uri.authority().ok_or(malformed)?.as_str();
    if uri.host().is_none_or(str::is_empty) {
        return Err(malformed);
    }
    if authority.contains('%') {
        return Err("has a percent sign in the user name or password, which is not supported");
    }
    let port = uri
        .port_u16()
        .map_or_else(|| format!(":{USUAL_PORT}"), |_| String::new());
    Proxy::new(&format!("http://{authority}{port}")).map_err(|_| malformed)
}

/// Whether `NO_PROXY` has a host: by its name or a domain that contains it, its address or a network, or `*`.
fn is_exception(host: &str, port: u16, exceptions: &str) -> bool {
    let host = bare(host);
    let address: Option<IpAddr> = host.parse().ok();
    exceptions
        .split([',', ' ', '\t'])
        .filter(|entry| !entry.is_empty())
        .any(|entry| match address {
            _ if entry == "*" => true,
            _ if without_port(entry, port).is_some_and(|entry| has(entry, &host, address)) => true,
            _ => has(entry, &host, address),
        })
}

/// An entry `host:port` without its port, where that is the port of the request. curl has no such entries, but others do.
fn without_port(entry: &str, port: u16) -> Option<&str> {
    let (host, of_entry) = entry.rsplit_once(':')?;
    (of_entry.parse() == Ok(port)).then_some(host)
}

fn has(entry: &str, host: &str, address: Option<IpAddr>) -> bool {
    let entry = bare(entry);
    match address {
        Some(address) => match entry.split_once('/') {
            Some((network, bits)) => network.parse().is_ok_and(|network| is_in(address, network, bits)),
            None => entry.parse() == Ok(address),
        },
        None => {
            let domain = entry.trim_start_matches('*').trim_start_matches('.');
            let before = host.strip_suffix(domain);
            !domain.is_empty() && before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        }
    }
}

/// Whether an address is in a network, such as 10.0.0.0/8 (RFC 4632 §3.1).
fn is_in(address: IpAddr, network: IpAddr, bits: &str) -> bool {
    let Ok(bits) = bits.parse::<u32>() else { return false };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) if bits <= 32 => {
            (address.to_bits() ^ network.to_bits()).leading_zeros() >= bits
        }
        (IpAddr::V6(address), IpAddr::V6(network)) if bits <= 128 => {
            (address.to_bits() ^ network.to_bits()).leading_zeros() >= bits
        }
        _ => false,
    }
}

/// A host in lower case, without the brackets of an address or the dot at the end of a name.
fn bare(host: &str) -> String {
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .trim_end_matches('.')
        .to_ascii_lowercase()
}
