//! The identity providers: the trusted issuers, the audiences of their tokens, and the sources of their keys.
//!
//! ```json
//! [{"issuer": "https://example.com", "audience": "api", "jwks_file": "/etc/keys.json", "roles": ["authenticated"]}]
//! ```

use std::rc::Rc;

use crate::algorithm::{self, Algorithm};
use crate::claims::Claims;
use crate::compact::Header;
use crate::error::Error;
use crate::excerpt::Excerpt;
use crate::json::{self, Json, Members};
use crate::key_problem::reasons;
use crate::key_set::KeySet;
use crate::key_url;
use crate::limits::MAX_KEY_SET_BYTES;

/// The maximum number of providers of a configuration. A token without `iss` is compared with each one without an issuer.
pub const MAX_PROVIDERS: usize = 100;

/// The maximum number of bytes of the list, and therefore of any key set in it.
pub const MAX_PROVIDERS_BYTES: usize = MAX_KEY_SET_BYTES;

/// One provider. The JSON members have the same names.
#[derive(Debug, Clone)]
pub struct Provider {
    /// The exact value that `iss` must have (RFC 7519 §4.1.1).
    pub issuer: Option<String>,
    /// The audiences of which `aud` must contain one (RFC 7519 §4.1.3). Empty: any.
    pub audience: Vec<String>,
    /// The database roles that may use the tokens of this provider. Empty: all.
    pub roles: Vec<String>,
    /// The name of the claim that is the user id.
    pub user_id_claim: String,
    /// The allowed signature algorithms. Empty: all that its keys allow.
    pub algorithms: Vec<Algorithm>,
    /// The source of its keys.
    pub source: KeySource,
}

/// The source of the keys of a provider.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// `jwks`: in the configuration itself.
    Inline(Rc<KeySet>),
    /// `jwks_file`: a path.
    File(String),
    /// `jwks_url`: a URL that [`key_url::check`] accepts.
    Url(String),
}

/// Reads the list of providers.
///
/// # Errors
/// [`Error::Providers`] with the index of the provider and its problem.
pub fn parse(text: &str) -> Result<Vec<Provider>, Error> {
    let whole = |problem: String| Error::Providers { index: None, problem };
    if text.len() > MAX_PROVIDERS_BYTES {
        return Err(whole(format!(
            "has {} bytes; the limit is {MAX_PROVIDERS_BYTES}",
            text.len()
        )));
    }
    let Json::Array(list) = json::parse(text).map_err(|problem| whole(format!("was rejected: {problem}")))? else {
        return Err(whole("is not an array".to_owned()));
    };
    if list.is_empty() || list.len() > MAX_PROVIDERS {
        return Err(whole(format!(
            "has {} providers; 1 to {MAX_PROVIDERS} are allowed",
            list.len()
        )));
    }
    let provider = |(index, value): (usize, &Json<'_>)| {
        Provider::parse(value).map_err(|problem| Error::Providers {
            index: Some(index),
            problem,
        })
    };
    list.iter().enumerate().map(provider).collect()
}

/// Like [`parse`], for a text that others can read: they could sign with a secret in it.
///
/// # Errors
/// Those of [`parse`], and [`Error::Providers`] for a secret.
pub fn parse_public(text: &str) -> Result<Vec<Provider>, Error> {
    let list = parse(text)?;
    let secret = list
        .iter()
        .position(|provider| matches!(&provider.source, KeySource::Inline(set) if set.has_secret()));
    match secret {
        None => Ok(list),
        index => Err(Error::Providers {
            index,
            problem: "has a symmetric key where others can read it".to_owned(),
        }),
    }
}

/// Returns the URLs from which providers get their keys, each once.
pub fn urls(providers: &[Provider]) -> Vec<String> {
    let mut urls: Vec<String> = Vec::new();
    for provider in providers {
        if let KeySource::Url(url) = &provider.source
            && !urls.contains(url)
        {
            urls.push(url.clone());
        }
    }
    urls
}

impl Provider {
    /// Whether this role may use the tokens of the provider. The caller, which knows the current
    /// role, must ask for it.
    #[must_use]
    pub fn allows(&self, role: &[u8]) -> bool {
        self.roles.is_empty() || self.roles.iter().any(|allowed| allowed.as_bytes() == role)
    }

    fn parse(value: &Json<'_>) -> Result<Self, String> {
        const MEMBERS: [&str; 8] = [
            "issuer",
            "audience",
            "jwks",
            "jwks_file",
            "jwks_url",
            "roles",
            "user_id_claim",
            "algorithms",
        ];
        let Json::Object(members) = value else {
            return Err("is not an object".to_owned());
        };
        if let Some((unknown, _)) = members.iter().find(|(name, _)| !MEMBERS.contains(name)) {
            return Err(format!("has an unknown member \"{}\"", Excerpt::new(unknown)));
        }
        let provider = Provider {
            issuer: members.get("issuer").map(|issuer| text("issuer", issuer)).transpose()?,
            audience: members
                .get("audience")
                .map(|audience| texts("audience", audience))
                .transpose()?
                .unwrap_or_default(),
            roles: members
                .get("roles")
                .map(|roles| texts("roles", roles))
                .transpose()?
                .unwrap_or_default(),
            user_id_claim: match members.get("user_id_claim") {
                Some(claim) => text("user_id_claim", claim)?,
                None => "sub".to_owned(),
            },
            algorithms: algorithms(members)?,
            source: source(members)?,
        };
        // Some providers sign for all their tenants with the same keys. Without either member, every tenant is accepted.
        if provider.issuer.is_none() && provider.audience.is_empty() {
            return Err("must have \"issuer\" or \"audience\"".to_owned());
        }
        Ok(provider)
    }

    /// Checks the requirements of this provider: algorithm and audience.
    ///
    /// # Errors
    /// [`Error::AlgorithmMismatch`], [`Error::Audience`].
    pub fn check(&self, header: &Header, claims: &Claims) -> Result<(), Error> {
        if !self.algorithms.is_empty() && !self.algorithms.contains(&header.algorithm) {
            return Err(Error::AlgorithmMismatch { alg: header.algorithm });
        }
        if self.audience.is_empty() || self.is_intended_audience(claims) {
            return Ok(());
        }
        let aud = claims.get("aud").map(|aud| Excerpt::new(&audience_text(aud)));
        Err(Error::Audience { aud })
    }

    /// Whether `aud` contains an audience of this provider. It is a string, or an array of strings (RFC 7519 §4.1.3).
    fn is_intended_audience(&self, claims: &Claims) -> bool {
        let wanted = |aud: &Json<'_>| {
            aud.as_str()
                .is_some_and(|aud| self.audience.iter().any(|wanted| wanted == aud))
        };
        match claims.get("aud") {
            Some(Json::Array(list)) => list.iter().all(|aud| aud.as_str().is_some()) && list.iter().any(wanted),
            Some(aud) => wanted(aud),
            None => false,
        }
    }
}

/// The member as a string that is not empty.
fn text(member: &str, value: &Json<'_>) -> Result<String, String> {
    match value.as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("has an invalid \"{member}\": a non-empty string is required")),
    }
}

/// The member as a list that is not empty; a string is a list of one.
fn texts(member: &str, value: &Json<'_>) -> Result<Vec<String>, String> {
    match value {
        Json::Array(list) if list.is_empty() => Err(format!("has an empty \"{member}\"")),
        Json::Array(list) => list.iter().map(|element| text(member, element)).collect(),
        one => Ok(vec![text(member, one)?]),
    }
}

fn algorithms(members: &Members<'_>) -> Result<Vec<Algorithm>, String> {
    let Some(value) = members.get("algorithms") else {
        return Ok(Vec::new());
    };
    let known = |name: &String| {
        algorithm::by_name(name).ok_or_else(|| format!("has an unsupported algorithm \"{}\"", Excerpt::new(name)))
    };
    texts("algorithms", value)?.iter().map(known).collect()
}

fn source(members: &Members<'_>) -> Result<KeySource, String> {
    let sources = ["jwks", "jwks_file", "jwks_url"].map(|name| (name, members.get(name)));
    let mut given = sources
        .iter()
        .filter_map(|(name, value)| value.map(|value| (*name, value)));
    let (Some((name, value)), None) = (given.next(), given.next()) else {
        return Err("must have exactly one of \"jwks\", \"jwks_file\" and \"jwks_url\"".to_owned());
    };
    match (name, value) {
        ("jwks", Json::Object(set)) => KeySet::from_members(set)
            .map(Rc::new)
            .map(KeySource::Inline)
            .map_err(|error| match &error {
                Error::NoUsableKey { members } => format!("has an invalid \"jwks\": {error} ({})", reasons(members)),
                _ => format!("has an invalid \"jwks\": {error}"),
            }),
        ("jwks", _) => Err("has an invalid \"jwks\": an object is required".to_owned()),
        ("jwks_file", value) => text(name, value).map(KeySource::File),
        (_, value) => {
            let url = text(name, value)?;
            key_url::check(&url).map_err(|problem| format!("has an invalid \"jwks_url\": it {problem}"))?;
            Ok(KeySource::Url(url))
        }
    }
}

/// The audiences of a token, for a report.
fn audience_text(aud: &Json<'_>) -> String {
    match aud {
        Json::Array(list) => list.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", "),
        other => other.as_str().unwrap_or("not a string").to_owned(),
    }
}
