//! The document that an issuer publishes about itself: where its keys are, and which algorithms it signs with.

use crate::algorithm::{self, Algorithm, HMAC};
use crate::discovery::Discovery;
use crate::excerpt::Excerpt;
use crate::json::{self, Json, Members};
use crate::limits::MAX_KEY_SET_BYTES;

const ALGORITHMS: &str = "id_token_signing_alg_values_supported";

/// What is used of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveryDocument {
    /// The URL of the key set.
    pub jwks_uri: String,
    /// The announced algorithms that are supported, without the symmetric ones; None where none are announced.
    pub algorithms: Option<Vec<Algorithm>>,
}

/// Why a document cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryProblem {
    /// A complete document, whose `issuer` is not the one that is set.
    #[error("its issuer is \"{0}\"")]
    OtherIssuer(Excerpt),
    /// Anything else.
    #[error("{0}")]
    Unusable(String),
}

impl DiscoveryDocument {
    /// Reads a document. Its `issuer` must be exactly the one of the discovery (OpenID Connect Discovery 1.0 §4.3, RFC 8414
    /// §3.3), and its `jwks_uri` within the discovery's fence.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn parse(text: &str, discovery: &Discovery) -> Result<Self, DiscoveryProblem> {
        let unusable = |problem: String| DiscoveryProblem::Unusable(problem);
        if text.len() > MAX_KEY_SET_BYTES {
            return Err(unusable(format!("it has more than {MAX_KEY_SET_BYTES} bytes")));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let members = json::parse_object(text).map_err(unusable)?;
        let issuer = string(&members, "issuer")?;
        if issuer != discovery.issuer() {
            return Err(DiscoveryProblem::OtherIssuer(Excerpt::new(issuer)));
        }
        let jwks_uri = string(&members, "jwks_uri")?;
        // Reports and the log show it as it is.
        match is_printable(jwks_uri) {
            true => discovery.fence().check(jwks_uri),
            false => Err("is not a URL"),
        }
        .map_err(|problem| unusable(format!("its \"jwks_uri\" {problem}")))?;
        Ok(DiscoveryDocument {
            jwks_uri: jwks_uri.to_owned(),
            algorithms: members.get(ALGORITHMS).map(algorithms).transpose().map_err(unusable)?,
        })
    }

    /// A document with these facts, on one line.
    pub fn line(&self, issuer: &str) -> String {
        let mut members = vec![("issuer", issuer.into()), ("jwks_uri", self.jwks_uri.as_str().into())];
        if let Some(algorithms) = &self.algorithms {
            let names: Vec<String> = algorithms.iter().map(|algorithm| format!("{algorithm:?}")).collect();
            members.push((ALGORITHMS, names.into()));
        }
        let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
        serde_json::Value::Object(members.collect()).to_string()
    }
}

/// Whether a text has only characters that a report can show without escapes.
fn is_printable(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

fn string<'a>(members: &'a Members<'_>, name: &str) -> Result<&'a str, DiscoveryProblem> {
    let value = members.get(name).and_then(Json::as_str);
    value.ok_or_else(|| DiscoveryProblem::Unusable(format!("it has no string \"{name}\"")))
}

/// The announced algorithms that are supported, each once. Secrets are never fetched, so symmetric ones do not count.
fn algorithms(value: &Json<'_>) -> Result<Vec<Algorithm>, String> {
    let names: Option<Vec<&str>> = match value {
        Json::Array(list) => list.iter().map(Json::as_str).collect(),
        _ => None,
    };
    let names = names.ok_or_else(|| format!("its \"{ALGORITHMS}\" is not a list of strings"))?;
    let mut found = Vec::new();
    for algorithm in names.into_iter().filter_map(algorithm::by_name) {
        let is_symmetric = HMAC.iter().any(|(symmetric, _)| *symmetric == algorithm);
        if !is_symmetric && !found.contains(&algorithm) {
            found.push(algorithm);
        }
    }
    if found.is_empty() {
        return Err(format!("its \"{ALGORITHMS}\" has no supported algorithm"));
    }
    Ok(found)
}
