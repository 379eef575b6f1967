//! The identity providers: the trusted issuers, the audiences of their tokens, and the sources of their keys.
//!
//! ```json
//! [{"issuer": "https://example.com", "audience": "api", "jwks_file": "/etc/keys.json", "roles": ["authenticated"]}]
//! ```

use crate::algorithm::{self, Algorithm};
use crate::claim_rule::ClaimRule;
use crate::error::Error;
use crate::excerpt::Excerpt;
use crate::json::{self, Json, Members};
use crate::key_problem::{KeyProblem, Member};
pub use crate::key_source::KeySource;
use crate::limits::{MAX_KEY_SET_BYTES, MAX_LEEWAY};
use crate::member_text::text;
use crate::token_type::TokenTypes;

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
    /// The claims that a token must have.
    pub claims: Vec<ClaimRule>,
    /// The accepted values of `typ`.
    pub token_types: TokenTypes,
    /// Whether tokens that are bound to a key (`cnf`, RFC 7800) are accepted.
    pub accepts_sender_constrained: bool,
    /// Whether a token must have `exp`.
    pub requires_expiry: bool,
    /// The leeway for its tokens, in seconds, in place of the caller's.
    pub leeway: Option<u32>,
    /// The greatest age of a token since `iat`, in seconds.
    pub max_age: Option<u32>,
    /// The source of its keys.
    pub source: KeySource,
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

/// Returns the URLs, and the names of the discoveries, from which providers get their keys, each once.
pub fn urls(providers: &[Provider]) -> Vec<String> {
    let mut urls: Vec<String> = Vec::new();
    for url in providers.iter().filter_map(|provider| provider.source.fetched_from()) {
        if !urls.contains(&url) {
            urls.push(url);
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
        const MEMBERS: [&str; 15] = [
            "issuer",
            "audience",
            "jwks",
            "jwks_file",
            "jwks_url",
            "discovery_url",
            "roles",
            "user_id_claim",
            "algorithms",
            "claims",
            "token_types",
            "sender_constrained",
            "expiry",
            "leeway",
            "max_age",
        ];
        let Json::Object(members) = value else {
            return Err("is not an object".to_owned());
        };
        if let Some((unknown, _)) = members.iter().find(|(name, _)| !MEMBERS.contains(name)) {
            return Err(format!("has an unknown member \"{}\"", Excerpt::new(unknown)));
        }
        let mut provider = Provider {
            issuer: members
                .get("issuer")
                .map(|issuer| text("issuer", issuer).map(str::to_owned))
                .transpose()?,
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
                Some(claim) => text("user_id_claim", claim)?.to_owned(),
                None => "sub".to_owned(),
            },
            algorithms: algorithms(members)?,
            claims: match members.get("claims") {
                Some(rules) => ClaimRule::parse_all(rules)?,
                None => Vec::new(),
            },
            token_types: match members.get("token_types") {
                Some(types) => TokenTypes::only(&texts("token_types", types)?),
                None => TokenTypes::Usual,
            },
            accepts_sender_constrained: is_set_to("accept", "sender_constrained", members)?,
            requires_expiry: !is_set_to("optional", "expiry", members)?,
            leeway: members.get("leeway").map(leeway).transpose()?,
            max_age: members.get("max_age").map(max_age).transpose()?,
            source: KeySource::parse(members)?,
        };
        // Some providers sign for all their tenants with the same keys. Without either member, every tenant is accepted.
        if provider.issuer.is_none() && provider.audience.is_empty() {
            return Err("must have \"issuer\" or \"audience\"".to_owned());
        }
        // Nothing says for which of the issuer's clients its ID tokens must be.
        if matches!(provider.source, KeySource::Discovery(_))
            && provider.token_types == TokenTypes::Usual
            && provider.audience.is_empty()
            && provider.claims.is_empty()
        {
            provider.token_types = TokenTypes::AccessToken;
        }
        Ok(provider)
    }

    /// Why a key of its set cannot be used for its tokens.
    pub fn problem_of(&self, key: &Member) -> Option<KeyProblem> {
        let is_allowed = |algorithm| self.algorithms.is_empty() || self.algorithms.contains(algorithm);
        match &key.problem {
            None if !key.algorithms.iter().any(is_allowed) => Some(KeyProblem::NotOfProvider),
            problem => problem.clone(),
        }
    }
}

/// The member as a list that is not empty; a string is a list of one.
fn texts(member: &str, value: &Json<'_>) -> Result<Vec<String>, String> {
    match value {
        Json::Array(list) if list.is_empty() => Err(format!("has an empty \"{member}\"")),
        Json::Array(list) => list
            .iter()
            .map(|element| text(member, element).map(str::to_owned))
            .collect(),
        one => Ok(vec![text(member, one)?.to_owned()]),
    }
}

/// Whether the member has the only value that it may have.
fn is_set_to(value: &str, member: &str, members: &Members<'_>) -> Result<bool, String> {
    match members.get(member) {
        None => Ok(false),
        Some(Json::String(text)) if text == value => Ok(true),
        Some(_) => Err(format!("has an invalid \"{member}\": \"{value}\" is required")),
    }
}

fn leeway(value: &Json<'_>) -> Result<u32, String> {
    let seconds = match value {
        Json::Integer(seconds) => u32::try_from(*seconds).ok().filter(|seconds| *seconds <= MAX_LEEWAY),
        _ => None,
    };
    seconds.ok_or_else(|| format!("has an invalid \"leeway\": a number of seconds from 0 to {MAX_LEEWAY} is required"))
}

fn max_age(value: &Json<'_>) -> Result<u32, String> {
    let seconds = match value {
        Json::Integer(seconds) => u32::try_from(*seconds).ok().filter(|seconds| *seconds > 0),
        _ => None,
    };
    seconds.ok_or_else(|| "has an invalid \"max_age\": a positive number of seconds is required".to_owned())
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
