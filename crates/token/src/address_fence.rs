//! The addresses that an issuer's document must not lead to: those of this machine and of its link.
//!
//! An issuer is trusted to name its keys. It is not trusted to have this server connect to services that only this machine
//! can reach, such as the one with a cloud instance's credentials.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

use crate::key_url;

/// Which of these addresses are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressFence {
    loopback: bool,
    link_local: bool,
}

/// What an address leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// This machine: RFC 1122 §3.2.1.3, RFC 4291 §2.5.2 and §2.5.3.
    Loopback,
    /// Its link: RFC 3927, RFC 4291 §2.5.6.
    LinkLocal,
    /// Anything else, private networks too.
    Beyond,
}

impl AddressFence {
    /// No fence, for addresses that an administrator has set.
    pub const OPEN: AddressFence = AddressFence {
        loopback: true,
        link_local: true,
    };

    /// The fence for what a document of this issuer names. Its kind of address is allowed where the issuer's is of that kind.
    pub fn of_issuer(issuer: &str) -> Self {
        let reach = issuer
            .parse()
            .ok()
            .and_then(|uri: Uri| uri.host().and_then(reach_of_host));
        AddressFence {
            loopback: reach == Some(Reach::Loopback),
            link_local: reach == Some(Reach::LinkLocal),
        }
    }

    /// Checks the text of a URL: what [`key_url::check`] demands, and its host. A name must be checked again when it is
    /// resolved, with [`allows`](Self::allows).
    ///
    /// # Errors
    /// What is wrong with the URL, as the predicate of a sentence.
    pub fn check(&self, url: &str) -> Result<(), &'static str> {
        key_url::check(url)?;
        let uri: Uri = url.parse().map_err(|_| "is not a URL")?;
        match uri.host().and_then(reach_of_host) {
            Some(reach) if self.allows_reach(reach) => Ok(()),
            Some(_) => Err("has a loopback or link-local address, and its issuer has not"),
            None => Err("has a host that is neither a name nor an IP address"),
        }
    }

    /// Whether a connection to this address is allowed.
    pub fn allows(&self, address: IpAddr) -> bool {
        self.allows_reach(reach_of(address))
    }

    fn allows_reach(self, reach: Reach) -> bool {
        match reach {
            Reach::Loopback => self.loopback,
            Reach::LinkLocal => self.link_local,
            Reach::Beyond => true,
        }
    }
}

/// What a host leads to by its text alone. None for a number in a form that only some resolvers read, such as `127.1`.
fn reach_of_host(host: &str) -> Option<Reach> {
    if let Some(inside) = host.strip_prefix('[') {
        // Without the zone of RFC 6874.
        let address = inside.trim_end_matches(']').split('%').next().unwrap_or_default();
        return address.parse().ok().map(|address| reach_of(IpAddr::V6(address)));
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if let Ok(address) = host.parse() {
        return Some(reach_of(IpAddr::V4(address)));
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    match last {
        _ if is_number => None,
        // RFC 6761 §6.3
        "localhost" => Some(Reach::Loopback),
        _ => Some(Reach::Beyond),
    }
}

fn reach_of(address: IpAddr) -> Reach {
    let address = match address {
        IpAddr::V6(address) => embedded(address).map_or(IpAddr::V6(address), IpAddr::V4),
        address => address,
    };
    let is_link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    // Connecting to 0.0.0.0 or :: connects to this machine.
    let is_this_host = matches!(address, IpAddr::V4(address) if address.octets().first() == Some(&0));
    if address.is_loopback() || address.is_unspecified() || is_this_host {
        Reach::Loopback
    } else if is_link_local {
        Reach::LinkLocal
    } else {
        Reach::Beyond
    }
}

/// The IPv4 address in an IPv6 address: mapped (RFC 4291 §2.5.5), or translated (RFC 6052 §2.1).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let translated = match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    };
    address.to_ipv4_mapped().or(translated)
}
