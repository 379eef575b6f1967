//! Where the keys of a provider are.

use std::rc::Rc;

use crate::discovery::Discovery;
use crate::error::Error;
use crate::json::{Json, Members};
use crate::key_problem::reasons;
use crate::key_set::KeySet;
use crate::key_url;
use crate::member_text::text;

/// The source of the keys of a provider.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// `jwks`: in the configuration itself.
    Inline(Rc<KeySet>),
    /// `jwks_file`: a path.
    File(String),
    /// `jwks_url`: a URL that [`key_url::check`] accepts.
    Url(String),
    /// The issuer's document, at its usual address or at `discovery_url`.
    Discovery(Discovery),
}

impl KeySource {
    /// Reads the source from the members of a provider. Without any of them, the issuer's document names the keys.
    pub(crate) fn parse(members: &Members<'_>) -> Result<Self, String> {
        let sources = ["jwks", "jwks_file", "jwks_url", "discovery_url"].map(|name| (name, members.get(name)));
        let mut given = sources
            .iter()
            .filter_map(|(name, value)| value.map(|value| (*name, value)));
        let first = given.next();
        if given.next().is_some() {
            return Err(
                "must have at most one of \"jwks\", \"jwks_file\", \"jwks_url\" and \"discovery_url\"".to_owned(),
            );
        }
        match first {
            Some(("jwks", Json::Object(set))) => {
                KeySet::from_members(set)
                    .map(Rc::new)
                    .map(KeySource::Inline)
                    .map_err(|error| match &error {
                        Error::NoUsableKey { members } => {
                            format!("has an invalid \"jwks\": {error} ({})", reasons(members))
                        }
                        _ => format!("has an invalid \"jwks\": {error}"),
                    })
            }
            Some(("jwks", _)) => Err("has an invalid \"jwks\": an object is required".to_owned()),
            Some(("jwks_file", value)) => text("jwks_file", value).map(|path| KeySource::File(path.to_owned())),
            Some(("jwks_url", value)) => {
                let url = text("jwks_url", value)?;
                key_url::check(url).map_err(|problem| format!("has an invalid \"jwks_url\": it {problem}"))?;
                Ok(KeySource::Url(url.to_owned()))
            }
            Some((name, value)) => discovery(members, Some(text(name, value)?)),
            None => discovery(members, None),
        }
    }

    /// The URL from which the keys are fetched, or the name of the discovery that finds it; None where nothing is fetched.
    pub fn fetched_from(&self) -> Option<String> {
        match self {
            KeySource::Inline(_) | KeySource::File(_) => None,
            KeySource::Url(url) => Some(url.clone()),
            KeySource::Discovery(discovery) => Some(discovery.name()),
        }
    }
}

fn discovery(members: &Members<'_>, document: Option<&str>) -> Result<KeySource, String> {
    let Some(issuer) = members.get("issuer") else {
        return Err(match document {
            Some(_) => "must have \"issuer\" beside \"discovery_url\"".to_owned(),
            None => "must have \"issuer\", or one of \"jwks\", \"jwks_file\" and \"jwks_url\"".to_owned(),
        });
    };
    Discovery::new(text("issuer", issuer)?, document).map(KeySource::Discovery)
}
