//! What was fetched for a provider, as one text: a key set, for a discovery after a line with the facts of the document.
//!
//! The line is stored with the keys, so that a restart applies the same facts, and it is checked again at each reading.

use crate::discovery::Discovery;
use crate::discovery_document::{DiscoveryDocument, DiscoveryProblem};
use crate::error::Error;
use crate::excerpt::Excerpt;
use crate::key_set::KeySet;
use crate::limits::MAX_KEY_SET_BYTES;

/// The maximum number of bytes of the line: an issuer and a URL, each with each byte escaped, and all algorithms.
const MAX_LINE_BYTES: usize = 8 * 1024;

/// The maximum number of bytes of the whole text.
pub const MAX_FETCHED_BYTES: usize = MAX_LINE_BYTES + 1 + MAX_KEY_SET_BYTES;

/// Reads the keys of a `jwks_url`, or of a discovery by its [name](Discovery::name).
///
/// # Errors
/// Those of [`KeySet::from_public_jwks`], and [`Error::Discovery`].
pub fn read(place: &str, text: &str) -> Result<KeySet, Error> {
    let Some((document, set)) = split(place, text) else {
        return KeySet::from_public_jwks(text);
    };
    match document.map_err(Error::Discovery)?.algorithms {
        Some(algorithms) => KeySet::from_narrowed_jwks(set, &algorithms),
        None => KeySet::from_public_jwks(set),
    }
}

/// Whether a reading says that the place has no keys any more, while the text itself is complete.
pub fn is_withdrawal(error: &Error) -> bool {
    matches!(
        error,
        Error::NoUsableKey { .. } | Error::Discovery(DiscoveryProblem::OtherIssuer(_))
    )
}

/// The URL that a discovery has found; None for a `jwks_url`, and where it has found none.
pub fn discovered_url(place: &str, text: &str) -> Option<String> {
    let (document, _) = split(place, text)?;
    document.ok().map(|document| document.jwks_uri)
}

/// The text of a key set to which a document has led.
pub fn with_document(discovery: &Discovery, document: &DiscoveryDocument, set: &str) -> String {
    format!("{}\n{set}", document.line(discovery.issuer()))
}

/// The text of a discovery whose document is of another issuer: no keys.
pub fn of_other_issuer(issuer: &Excerpt) -> String {
    let members = serde_json::json!({ "issuer": issuer.to_string() });
    format!("{members}\n")
}

/// The document and the key set; None for a `jwks_url`.
fn split<'a>(place: &str, text: &'a str) -> Option<(Result<DiscoveryDocument, DiscoveryProblem>, &'a str)> {
    let discovery = Discovery::from_name(place)?;
    let (line, set) = text.split_once('\n').unwrap_or((text, ""));
    Some((DiscoveryDocument::parse(line, &discovery), set))
}
