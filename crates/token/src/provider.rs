//! The identity providers: which issuers are trusted, for whom their tokens are meant, and where their keys come from.
//!
//! ```json
//! [{"issuer": "https://example.com", "audience": "api", "jwks_file": "/etc/keys.json", "roles": ["authenticated"]}]
//! ```

use std::rc::Rc;

use jsonwebtoken::Algorithm;

use super::claims::Claims;
use super::compact::{self, Header};
use super::error::{Error, Excerpt};
use super::json::{self, Json, Members};
use super::key_set::{self, KeySet};
use super::key_url;
use super::keys::{Key, MAX_KEY_SET_BYTES};

/// Providers of one configuration; a token without `iss` is compared with all of them.
pub const MAX_PROVIDERS: usize = 100;

/// Bytes of the whole list, and so of any key set in it.
pub const MAX_PROVIDERS_BYTES: usize = MAX_KEY_SET_BYTES;

/// One provider. The JSON members have the same names.
#[derive(Debug, Clone)]
pub struct Provider {
    /// `iss` must be exactly this (RFC 7519 §4.1.1).
    pub issuer: Option<String>,
    /// `aud` must have one of these (RFC 7519 §4.1.3). Empty: any.
    pub audience: Vec<String>,
    /// Who may present its tokens. Empty: anyone.
    pub roles: Vec<String>,
    /// The claim that is the user id.
    pub user_id_claim: String,
    /// Signature algorithms that its tokens may have. Empty: whatever its keys allow.
    pub algorithms: Vec<Algorithm>,
    /// Where its keys come from.
    pub source: KeySource,
}

/// Where the keys of a provider come from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// `jwks`: in the configuration itself.
    Inline(Rc<KeySet>),
    /// `jwks_file`: a path.
    File(String),
    /// `jwks_url`: an address that [`key_url::check`] has passed.
    Url(String),
}

/// Reads the list of providers.
///
/// # Errors
/// [`Error::Providers`] with the place of the provider and what is wrong with it.
pub fn parse(text: &str) -> Result<Vec<Provider>, Error> {
    let whole = |problem: String| Error::Providers { place: None, problem };
    if text.len() > MAX_PROVIDERS_BYTES {
        return Err(whole(format!(
            "it has {} bytes; at most {MAX_PROVIDERS_BYTES} are accepted",
            text.len()
        )));
    }
    let Json::Array(list) = json::parse(text).map_err(whole)? else {
        return Err(whole("it is not an array".to_owned()));
    };
    if list.is_empty() || list.len() > MAX_PROVIDERS {
        return Err(whole(format!(
            "it has {} providers; 1 to {MAX_PROVIDERS} are possible",
            list.len()
        )));
    }
    let provider = |(place, value): (usize, &Json<'_>)| {
        Provider::parse(value).map_err(|problem| Error::Providers {
            place: Some(place),
            problem,
        })
    };
    list.iter().enumerate().map(provider).collect()
}

/// As [`parse`], for a text that others can read: a secret in it would let them sign.
///
/// # Errors
/// As [`parse`], and for a secret.
pub fn parse_public(text: &str) -> Result<Vec<Provider>, Error> {
    let list = parse(text)?;
    let secret = list
        .iter()
        .position(|provider| matches!(&provider.source, KeySource::Inline(set) if set.has_secret()));
    match secret {
        None => Ok(list),
        place => {
            let problem = "it has a symmetric key where others can read it";
            Err(Error::Providers {
                place,
                problem: problem.to_owned(),
            })
        }
    }
}

/// The URLs of those whose keys come from one, each once.
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
    /// Whether this role may present its tokens.
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
            return Err("it is not an object".to_owned());
        };
        if let Some((unknown, _)) = members.iter().find(|(name, _)| !MEMBERS.contains(name)) {
            return Err(format!("it has an unknown member \"{}\"", Excerpt::new(unknown)));
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
        // Some providers sign for all their tenants with the same keys: without either, every tenant would get in.
        if provider.issuer.is_none() && provider.audience.is_empty() {
            return Err("it has neither \"issuer\" nor \"audience\"; at least one is required".to_owned());
        }
        Ok(provider)
    }

    /// Judges what only a token of this provider must fulfil.
    ///
    /// # Errors
    /// [`Error::AlgorithmMismatch`], [`Error::Audience`].
    pub fn admit(&self, header: &Header, claims: &Claims) -> Result<(), Error> {
        if !self.algorithms.is_empty() && !self.algorithms.contains(&header.algorithm) {
            return Err(Error::AlgorithmMismatch { alg: header.algorithm });
        }
        if self.audience.is_empty() || self.is_meant_for(claims) {
            return Ok(());
        }
        let aud = claims.get("aud").map(|aud| Excerpt::new(&words(aud)));
        Err(Error::Audience { aud })
    }

    /// RFC 7519 §4.1.3: `aud` is a string, or an array of strings.
    fn is_meant_for(&self, claims: &Claims) -> bool {
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

/// The place of the provider, and the key, that a token means, before anything in it is believed.
///
/// `keys` gives the key set of the provider in a place, or why there is none. By `iss` first; where that leaves several
/// (or providers without an issuer), by `kid`, and by `aud` where they share their keys.
///
/// # Errors
/// [`Error::UnknownIssuer`], [`Error::UnknownKeyId`], [`Error::AmbiguousKey`], and those of `keys`.
pub fn select<'a>(
    providers: &[Provider],
    keys: impl Fn(usize) -> Result<&'a KeySet, Error>,
    header: &Header,
    claims: &Claims,
) -> Result<(usize, &'a Key), Error> {
    let issuer = claims.text("iss");
    // RFC 7519 §4.1.1: it is a string. One that is none is not the same as none.
    if issuer.is_none() && claims.get("iss").is_some() {
        return Err(Error::UnknownIssuer { iss: None });
    }
    let named = |provider: &Provider| provider.issuer.is_some() && provider.issuer.as_deref() == issuer;
    let by_issuer = providers.iter().any(named);
    let mut refused = None;
    let mut found: Vec<(usize, &Key)> = Vec::new();
    for (place, provider) in providers.iter().enumerate() {
        if !(if by_issuer {
            named(provider)
        } else {
            provider.issuer.is_none()
        }) {
            continue;
        }
        match keys(place).and_then(|set| set.select(header.kid.as_deref(), header.algorithm)) {
            Ok(key) => found.push((place, key)),
            Err(error) => refused = Some(refused.unwrap_or(error)),
        }
    }
    if found.len() > 1 {
        found.retain(|(place, _)| {
            let admitted = providers
                .get(*place)
                .map_or(Err(Error::NoKeys), |it| it.admit(header, claims));
            refused = refused.take().or(admitted.clone().err());
            admitted.is_ok()
        });
    }
    match found.as_slice() {
        [only] => Ok(*only),
        [] => Err(refused.unwrap_or_else(|| Error::UnknownIssuer {
            iss: issuer.map(Excerpt::new),
        })),
        several => Err(Error::AmbiguousKey {
            candidates: several.len(),
        }),
    }
}

fn text(member: &str, value: &Json<'_>) -> Result<String, String> {
    match value.as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("its \"{member}\" is not a string, or empty")),
    }
}

/// A string, or a list of strings that is not empty.
fn texts(member: &str, value: &Json<'_>) -> Result<Vec<String>, String> {
    match value {
        Json::Array(list) if list.is_empty() => Err(format!("its \"{member}\" is empty")),
        Json::Array(list) => list.iter().map(|element| text(member, element)).collect(),
        one => Ok(vec![text(member, one)?]),
    }
}

fn algorithms(members: &Members<'_>) -> Result<Vec<Algorithm>, String> {
    let Some(value) = members.get("algorithms") else {
        return Ok(Vec::new());
    };
    let known = |name: &String| {
        compact::algorithm(name).ok_or_else(|| format!("its algorithm \"{}\" is not supported", Excerpt::new(name)))
    };
    texts("algorithms", value)?.iter().map(known).collect()
}

fn source(members: &Members<'_>) -> Result<KeySource, String> {
    let sources = ["jwks", "jwks_file", "jwks_url"].map(|name| (name, members.get(name)));
    let mut given = sources
        .iter()
        .filter_map(|(name, value)| value.map(|value| (*name, value)));
    let (Some((name, value)), None) = (given.next(), given.next()) else {
        return Err("it must have exactly one of \"jwks\", \"jwks_file\" and \"jwks_url\"".to_owned());
    };
    match (name, value) {
        ("jwks", Json::Object(set)) => KeySet::from_members(set)
            .map(Rc::new)
            .map(KeySource::Inline)
            .map_err(|error| match &error {
                Error::NoUsableKey { members } => format!("{error} ({})", key_set::reasons(members)),
                _ => error.to_string(),
            }),
        ("jwks", _) => Err("its \"jwks\" is not an object".to_owned()),
        ("jwks_file", value) => text(name, value).map(KeySource::File),
        (_, value) => {
            let url = text(name, value)?;
            key_url::check(&url).map_err(|problem| format!("its \"jwks_url\" {problem}"))?;
            Ok(KeySource::Url(url))
        }
    }
}

fn words(aud: &Json<'_>) -> String {
    match aud {
        Json::Array(list) => list.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", "),
        other => other.as_str().unwrap_or("not a string").to_owned(),
    }
}
