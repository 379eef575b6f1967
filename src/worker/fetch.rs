//! One text, mostly a key set, from one URL, with limits for time and size. This is plain Rust, because it runs in a thread that must not
//! call PostgreSQL.

use std::fmt;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use http::Uri;
use ureq::Agent;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectProxyConnector, Connector as _, NextTimeout};

use crate::token::address_fence::AddressFence;
use crate::token::limits::MAX_KEY_SET_BYTES;
use crate::worker::authorities::authorities;
use crate::worker::race::{CONNECT, Race};
use crate::worker::tls::{self, Tls};
use crate::worker::{proxy, redirect, response_headers};

/// The limit for one attempt.
const TOTAL: Duration = Duration::from_secs(5);
/// The pauses before the second and the third attempt.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];
const MAX_REDIRECTS: usize = 3;

/// A text as received.
pub struct Fetched {
    pub text: String,
    pub max_age: Duration,
}

/// Why a text was not received.
pub struct Failed {
    /// The status of the response, if it was not 200.
    pub status: Option<u16>,
    /// The reason, for an administrator.
    pub reason: String,
    /// How long the server wants no request, if it says so.
    pub retry_after: Option<Duration>,
}

impl From<String> for Failed {
    fn from(reason: String) -> Self {
        Failed {
            status: None,
            reason,
            retry_after: None,
        }
    }
}

impl Failed {
    /// The same, with what failed before the reason.
    pub fn of(self, step: &str) -> Self {
        let reason = format!("{step}{}", self.reason);
        Failed { reason, ..self }
    }
}

impl AsRef<Failed> for Failed {
    fn as_ref(&self) -> &Failed {
        self
    }
}

/// Makes at most three attempts. None follows where the server wants no request.
///
/// # Errors
/// The error of the last attempt.
pub fn attempt<T, E: AsRef<Failed>>(once: impl Fn() -> Result<T, E>) -> Result<T, E> {
    let mut outcome = once();
    for pause in PAUSES {
        match &outcome {
            Err(error) if error.as_ref().retry_after.is_none() => sleep(pause),
            _ => break,
        }
        outcome = once();
    }
    outcome
}

/// Fetches a text in one attempt. `ca_file` replaces the system's certificate authorities. The host must have been checked
/// with the fence; here its addresses are.
///
/// # Errors
/// The reason of the failure.
pub fn fetch_once(url: &str, fence: AddressFence, ca_file: &Option<PathBuf>) -> Result<Fetched, Failed> {
    let deadline = Instant::now() + TOTAL;
    let mut url: Uri = url.parse().map_err(|error| format!("not a URL: {error}"))?;
    for _ in 0..=MAX_REDIRECTS {
        let agent = agent(&url, fence, ca_file, deadline)?;
        let mut response = agent.get(&url).call().map_err(reason)?;
        let status = response.status();
        if status.is_redirection() {
            url = redirect::target(&url, response.headers())?;
            continue;
        }
        if status != 200 {
            let status = status.as_u16();
            return Err(Failed {
                status: Some(status),
                reason: format!("server returned HTTP status {status}"),
                retry_after: response_headers::retry_after(status, response.headers()),
            });
        }
        if let Some(coding) = response_headers::compression(response.headers()) {
            return Err(format!("response is compressed ({coding}), although \"identity\" was requested").into());
        }
        let max_age = response_headers::max_age(response.headers());
        let limit = u64::try_from(MAX_KEY_SET_BYTES).unwrap_or(u64::MAX);
        // One more byte than is accepted: the parser of key sets rejects what is too long.
        let body = response
            .body_mut()
            .with_config()
            .limit(limit.saturating_add(1))
            .read_to_vec();
        let text = String::from_utf8(body.map_err(reason)?).map_err(|_| "response is not UTF-8".to_owned())?;
        return Ok(Fetched { text, max_age });
    }
    Err(format!("more than {MAX_REDIRECTS} redirects").into())
}

fn reason(error: ureq::Error) -> String {
    match error {
        ureq::Error::Other(ours) => ours.to_string(),
        ureq::Error::BodyExceedsLimit(_) => format!("response has more than {MAX_KEY_SET_BYTES} bytes"),
        ureq::Error::Rustls(error) => tls::reason(&error),
        ureq::Error::Io(error) => match error.get_ref().and_then(|error| error.downcast_ref()) {
            Some(error) => tls::reason(error),
            None => error.to_string(),
        },
        other => other.to_string(),
    }
}

/// One request: with these limits, the proxy of the environment, and TLS for https. Each address that is tried has passed
/// the resolver.
fn agent(url: &Uri, fence: AddressFence, ca_file: &Option<PathBuf>, deadline: Instant) -> Result<Agent, String> {
    let config = Config::builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_global(Some(deadline.saturating_duration_since(Instant::now())))
        // RFC 7517 §8.5.2, and the type that most providers send.
        .accept("application/jwk-set+json, application/json")
        .accept_encoding("identity")
        .user_agent(concat!("pg_session_jwt/", env!("CARGO_PKG_VERSION")))
        .proxy(proxy::proxy(url)?)
        .build();
    let names = Names {
        plain_http: url.scheme_str() == Some("http"),
        fence,
    };
    let connection = ().chain(ConnectProxyConnector::default()).chain(Race { deadline });
    Ok(if url.scheme_str() == Some("https") {
        let tls = Tls::new(authorities(ca_file)?)?;
        Agent::with_parts(config, connection.chain(tls), names)
    } else {
        Agent::with_parts(config, connection, names)
    })
}

/// Resolves names as usual, but accepts only addresses within the fence, and for plain http only those of this machine.
struct Names {
    plain_http: bool,
    fence: AddressFence,
}

impl fmt::Debug for Names {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Names")
    }
}

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let addresses = DefaultResolver::default().resolve(uri, config, timeout)?;
        if self.plain_http && !addresses.iter().all(|address| address.ip().is_loopback()) {
            return Err(ureq::Error::HostNotFound);
        }
        // The addresses are those of the proxy, if there is one: an administrator has chosen it, and it resolves the name.
        let is_direct = config.proxy().is_none();
        if is_direct && !addresses.iter().all(|address| self.fence.allows(address.ip())) {
            let reason = "host has a loopback or link-local address, and the issuer does not name one";
            return Err(ureq::Error::Other(reason.into()));
        }
        Ok(addresses)
    }
}
