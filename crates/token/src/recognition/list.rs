//! Adds entries to a list of providers, and drops none.

use crate::error::Error;
use crate::excerpt::Excerpt;
use crate::key_problem::{KeyProblem, Member};
use crate::provider::{self, KeySource, Provider};
use crate::recognition::entry::ascii;

/// The list that is set, to which entries are added. It may be empty.
pub struct List {
    text: String,
    providers: Vec<Provider>,
}

impl List {
    /// Reads the list that is set. Others will be able to read the new one.
    ///
    /// # Errors
    /// Those of [`provider::parse_public`], and [`Error::Providers`] for a key that others must not read, used or not.
    pub fn parse(text: &str) -> Result<List, Error> {
        let text = text.trim_ascii();
        let providers = match text {
            "" => Vec::new(),
            text => provider::parse_public(text)?,
        };
        if let Some(index) = providers.iter().position(has_private_key) {
            return Err(Error::Providers {
                index: Some(index),
                problem: "has a private or symmetric key, which others must not read".to_owned(),
            });
        }
        Ok(List {
            text: ascii(text),
            providers,
        })
    }

    /// The index of the first provider that may accept tokens of this entry. With both in the list such a token would be
    /// ambiguous, and rejected. None for an entry with placeholders.
    pub fn provider_like(&self, entry: &str) -> Option<usize> {
        let entry = provider::parse(&format!("[{entry}]")).ok()?.pop()?;
        self.providers.iter().position(|provider| overlap(provider, &entry))
    }

    /// Adds an entry.
    pub fn add(&mut self, entry: &str) {
        let before = match self.text.strip_suffix(']') {
            Some(list) => format!("{}, ", list.trim_ascii_end()),
            None => "[".to_owned(),
        };
        self.text = format!("{before}{entry}]");
    }

    /// The list as JSON, in ASCII.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Whether the text has a key that others must not read, even one that is not used.
fn has_private_key(provider: &Provider) -> bool {
    let is_private =
        |key: &Member| key.kty == Some(Excerpt::new("oct")) || matches!(key.problem, Some(KeyProblem::Private(_)));
    matches!(&provider.source, KeySource::Inline(set) if set.members.iter().any(is_private))
}

/// Whether a token may fit both providers: same issuer, perhaps the same keys, and neither audiences nor claims exclude it.
fn overlap(a: &Provider, b: &Provider) -> bool {
    let has_other_keys = match (&a.source, &b.source) {
        (KeySource::Url(a), KeySource::Url(b)) => a != b,
        (KeySource::Discovery(a), KeySource::Discovery(b)) => a.name() != b.name(),
        _ => false,
    };
    let has_other_audience = !a.audience.is_empty()
        && !b.audience.is_empty()
        && !a.audience.iter().any(|audience| b.audience.contains(audience));
    let has_other_claims = a
        .claims
        .iter()
        .any(|rule| b.claims.iter().any(|other| rule.excludes(other)));
    a.issuer == b.issuer && !has_other_keys && !has_other_audience && !has_other_claims
}
