//! Hosts, as `--postgres` has them, and their addresses.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::lookup_host;

const PORT: u16 = 5432;

/// A server's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    Tcp { name: String, port: u16 },
    Unix(PathBuf),
}

/// One address of a host. A connection and its cancel requests use the same one: another address of the name can belong to
/// another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// The name is for TLS.
    Tcp {
        name: String,
        address: SocketAddr,
    },
    Unix(PathBuf),
}

impl Host {
    /// Reads `name`, `name:port`, `[address]:port`, `/directory` or `/directory:port`.
    pub fn parse(text: &str) -> Result<Host, String> {
        let port_of = |text: &str| {
            text.parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| format!("invalid port in \"{text}\""))
        };
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') && (!name.contains(':') || name.ends_with(']')) => {
                (name, port_of(port)?)
            }
            _ => (text, PORT),
        };
        if name.is_empty() {
            return Err("host is empty".to_owned());
        }
        if name.starts_with('/') {
            return Ok(Host::Unix(PathBuf::from(name).join(format!(".s.PGSQL.{port}"))));
        }
        let name = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
            .unwrap_or(name);
        Ok(Host::Tcp {
            name: name.to_owned(),
            port,
        })
    }

    /// All that the name stands for, to be tried in this order.
    pub async fn addresses(&self) -> io::Result<Vec<Address>> {
        match self {
            Host::Unix(path) => Ok(vec![Address::Unix(path.clone())]),
            Host::Tcp { name, port } => Ok(lookup_host((name.as_str(), *port))
                .await?
                .map(|address| Address::Tcp {
                    name: name.clone(),
                    address,
                })
                .collect()),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Tcp { name, port } => write!(formatter, "{name}:{port}"),
            Host::Unix(path) => write!(formatter, "{}", path.display()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { address, .. } => address.fmt(formatter),
            Address::Unix(path) => path.display().fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("db.example", "db.example:5432")]
    #[case("db.example:6432", "db.example:6432")]
    #[case("127.0.0.1:1", "127.0.0.1:1")]
    #[case("::1", "::1:5432")]
    #[case("[::1]", "::1:5432")]
    #[case("[::1]:6432", "::1:6432")]
    #[case("/run/postgresql", "/run/postgresql/.s.PGSQL.5432")]
    #[case("/run/postgresql:6432", "/run/postgresql/.s.PGSQL.6432")]
    fn hosts(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(Host::parse(text).unwrap().to_string(), shown);
    }

    #[rstest]
    #[case("")]
    #[case(":5432")]
    #[case("a:")]
    #[case("a:0")]
    #[case("a:65536")]
    #[case("a:x")]
    fn invalid_hosts(#[case] text: &str) {
        assert!(Host::parse(text).is_err());
    }
}
