//! One key set from one URL, with limits for time and size. This is plain Rust, because it runs in a thread that must not
//! call PostgreSQL.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use http::Uri;
use http::header::{CACHE_CONTROL, HeaderMap, LOCATION};
use ureq::config::Config;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Proxy};

use crate::token::key_url;
use crate::token::key_url::is_loopback;
use crate::token::limits::MAX_KEY_SET_BYTES;
use crate::worker::authorities::authorities;

/// The limit for resolving the name, and for connecting.
const CONNECT: Duration = Duration::from_secs(2);
/// The limit for one attempt.
const TOTAL: Duration = Duration::from_secs(5);
/// The pauses before the second and the third attempt.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];
const MAX_REDIRECTS: usize = 3;

/// How long a set is used before it is fetched again, unless the provider specifies a time.
const USUAL_AGE: Duration = Duration::from_secs(300);
const LEAST_AGE: Duration = Duration::from_secs(60);
const GREATEST_AGE: Duration = Duration::from_secs(3600);

/// A key set as received.
pub struct Fetched {
    pub text: String,
    pub max_age: Duration,
}

/// Fetches a key set in at most three attempts. `ca_file` replaces the system's certificate authorities.
///
/// # Errors
/// The reason why the last attempt failed, for an administrator.
pub fn fetch(url: &str, ca_file: Option<PathBuf>) -> Result<Fetched, String> {
    let mut outcome = fetch_once(url, &ca_file);
    for pause in PAUSES {
        if outcome.is_ok() {
            break;
        }
        sleep(pause);
        outcome = fetch_once(url, &ca_file);
    }
    outcome
}

fn fetch_once(url: &str, ca_file: &Option<PathBuf>) -> Result<Fetched, String> {
    let deadline = Instant::now() + TOTAL;
    let mut url: Uri = url.parse().map_err(|error| format!("not a URL: {error}"))?;
    for _ in 0..=MAX_REDIRECTS {
        let agent = agent(&url, ca_file, deadline.saturating_duration_since(Instant::now()))?;
        let mut response = agent.get(&url).call().map_err(reason)?;
        let status = response.status();
        if status.is_redirection() {
            url = same_host(&url, response.headers())?;
            continue;
        }
        if status != 200 {
            return Err(format!("server returned HTTP status {}", status.as_u16()));
        }
        let max_age = max_age(response.headers());
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
    Err(format!("more than {MAX_REDIRECTS} redirects"))
}

fn reason(error: ureq::Error) -> String {
    match error {
        ureq::Error::BodyExceedsLimit(_) => format!("response has more than {MAX_KEY_SET_BYTES} bytes"),
        other => other.to_string(),
    }
}

fn agent(url: &Uri, ca_file: &Option<PathBuf>, time: Duration) -> Result<Agent, String> {
    let is_local = url.host().is_some_and(is_loopback);
    let mut config = Config::builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_global(Some(time))
        .accept("application/json")
        .user_agent(concat!("pg_session_jwt/", env!("CARGO_PKG_VERSION")))
        // The proxy of the server's environment (HTTPS_PROXY, NO_PROXY). Requests to this machine need none.
        .proxy(if is_local { None } else { Proxy::try_from_env() });
    if url.scheme_str() == Some("https") {
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .root_certs(RootCerts::new_with_certs(&authorities(ca_file)?));
        config = config.tls_config(tls.build());
    }
    let plain_http = url.scheme_str() == Some("http");
    Ok(Agent::with_parts(
        config.build(),
        DefaultConnector::default(),
        Names { plain_http },
    ))
}

/// Resolves names as usual, but for plain http accepts only addresses of this machine.
struct Names {
    plain_http: bool,
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
        Ok(addresses)
    }
}

/// The target of a redirect, if it has the same scheme, host and port.
fn same_host(from: &Uri, headers: &HeaderMap) -> Result<Uri, String> {
    let to = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let to = to.ok_or("redirect has no Location header")?;
    let path_alone = to.starts_with('/') && !to.starts_with("//");
    let (scheme, authority) = (
        from.scheme_str().unwrap_or_default(),
        from.authority().map_or("", |it| it.as_str()),
    );
    let absolute = if path_alone {
        format!("{scheme}://{authority}{to}")
    } else {
        to.to_owned()
    };
    match absolute.parse::<Uri>() {
        Ok(uri) if origin(&uri) == origin(from) && key_url::check(&absolute).is_ok() => Ok(uri),
        _ => Err("redirect to another host".to_owned()),
    }
}

/// The origin of a URL: scheme, host and port (RFC 6454 §4).
fn origin(url: &Uri) -> (Option<&str>, Option<String>, Option<u16>) {
    let usual_port = if url.scheme_str() == Some("https") { 443 } else { 80 };
    let host = url.host().map(str::to_ascii_lowercase);
    (url.scheme_str(), host, url.port_u16().or(Some(usual_port)))
}

/// How long the response may be used (RFC 9111 §5.2.2), between a minute and an hour.
fn max_age(headers: &HeaderMap) -> Duration {
    let values = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let directives: Vec<String> = values
        .flat_map(|value| value.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase())
        .collect();
    if directives.iter().any(|it| it == "no-store" || it == "no-cache") {
        return LEAST_AGE;
    }
    let seconds = |directive: &String| {
        let digits = directive.strip_prefix("max-age=")?.trim_matches('"');
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        // RFC 9111 §1.2.2: a number that is too large counts as the largest.
        is_number.then(|| digits.parse().unwrap_or(u64::MAX))
    };
    let age = directives.iter().find_map(seconds);
    age.map_or(USUAL_AGE, |seconds| {
        Duration::from_secs(seconds).clamp(LEAST_AGE, GREATEST_AGE)
    })
}
