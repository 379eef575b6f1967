//! Which provider a URL belongs to, and the entry of that provider in the list of providers.
//!
//! | module | content |
//! |---|---|
//! | [`table`], [`known`] | the providers, and the type of a row |
//! | [`address`] | the URL, read strictly |
//! | [`pattern`], [`values`] | patterns, and the values of the names in them |
//! | [`entry`] | the entry as JSON |
//! | [`list`] | the list of providers, to which the entry is added |

pub mod address;
pub mod entry;
pub mod known;
pub mod list;
pub mod pattern;
pub mod table;
pub mod values;

use crate::key_url::MAX_URL_BYTES;
use address::Address;
use known::{FillIn, Form, Known};
use pattern::Captures;
use values::{Value, Values};

/// An entry for a provider.
#[derive(Debug)]
pub struct Recognized {
    /// The provider.
    pub known: &'static Known,
    /// The entry: a JSON object in ASCII. It has placeholders for the values that are missing.
    pub entry: String,
    /// The values that are missing.
    pub to_fill_in: Vec<&'static FillIn>,
}

/// Why there is no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The URL; the text is the predicate of a sentence.
    Url(String),
    /// The values that were given; the text is the predicate of a sentence.
    FillIn(String),
}

/// Recognises the provider of a URL: of its issuer, key set or discovery document. `fill_in` is a JSON object with values that
/// the URL does not have.
///
/// The entries are those of one provider, which can stand in a list together.
///
/// # Errors
/// [`Problem`]
pub fn recognize(url: &str, fill_in: &str) -> Result<Vec<Recognized>, Problem> {
    let url = Address::parse(url).map_err(Problem::Url)?;
    let (known, form, captures) = find(&url).map_err(Problem::Url)?;
    if form.entries.is_empty() {
        return Err(Problem::Url(format!(
            "belongs to {}, {}, whose access tokens cannot be verified",
            known.name, form.which
        )));
    }
    let mut values = Values::default();
    for (name, text) in captures {
        let kind = form.to_fill_in.iter().find(|fill_in| fill_in.name == name);
        if kind.is_none_or(|fill_in| values::is_word(fill_in.kind, &text)) {
            values.add(name, Value::One(text));
        }
    }
    values
        .add_all(fill_in, &missing(form, &values))
        .map_err(Problem::FillIn)?;
    let is_too_long = |url: String| url.len() > MAX_URL_BYTES;
    if form
        .entries
        .iter()
        .any(|entry| entry::key_set_url(entry, &values).is_some_and(is_too_long))
    {
        return Err(Problem::Url(format!(
            "gives a \"jwks_url\" of more than {MAX_URL_BYTES} bytes"
        )));
    }
    let recognized = |entry| Recognized {
        known,
        entry: entry::write(entry, &values),
        to_fill_in: missing(form, &values),
    };
    Ok(form.entries.iter().map(recognized).collect())
}

/// The provider of a URL, the form of the URL, and the values in it.
fn find(url: &Address) -> Result<(&'static Known, &'static Form, Captures), String> {
    for known in table::providers() {
        for form in known.forms {
            if let Some(captures) = form.urls.iter().find_map(|pattern| pattern::captures(pattern, url)) {
                return Ok((known, form, captures));
            }
        }
    }
    let has_host = |known: &&Known| {
        let mut urls = known.forms.iter().flat_map(|form| form.urls);
        urls.any(|pattern| pattern::has_host(pattern, url))
    };
    if let Some(known) = table::providers().find(has_host) {
        return Err(format!(
            "has a host of {}, but is not its issuer, key set or discovery document",
            known.name
        ));
    }
    if url.query.is_some() {
        return Err("has a query (?), and its provider is not known".to_owned());
    }
    let is_key_set = url.path.last().is_some_and(|last| {
        let last = last.to_ascii_lowercase();
        ["jwk", "keys", "certs"].iter().any(|word| last.contains(word))
    });
    let form = if is_key_set { &table::KEY_SET } else { &table::ISSUER };
    let end = if url.ends_with_slash { "/" } else { "" };
    Ok((&table::OTHER, form, vec![("url", format!("{}{end}", url.stem()))]))
}

/// The values of a form that are not there yet.
fn missing(form: &'static Form, values: &Values) -> Vec<&'static FillIn> {
    let is_missing = |fill_in: &&FillIn| values.get(fill_in.name).is_none() && is_used(form, fill_in.name);
    form.to_fill_in.iter().filter(is_missing).collect()
}

fn is_used(form: &'static Form, name: &str) -> bool {
    let mut patterns = form.entries.iter().flat_map(entry::patterns);
    patterns.any(|pattern| pattern::names(pattern).contains(&name))
}
