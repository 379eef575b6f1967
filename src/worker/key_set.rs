//! The key set of a provider, from its `jwks_url`, or from the URL that the issuer's document names. This is plain Rust, like
//! [`fetch`](super::fetch).

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use crate::token::Excerpt;
use crate::token::address_fence::AddressFence;
use crate::token::discovery::Discovery;
use crate::token::discovery_document::{DiscoveryDocument, DiscoveryProblem};
use crate::token::fetched_keys;
use crate::worker::fetch::{Failed, Fetched, attempt, fetch_once};
use crate::worker::response_headers::LEAST_AGE;

/// Why there is no document that can be used.
struct NoDocument {
    /// With the addresses in the reason.
    failed: Failed,
    /// The issuer of a complete document that is of another one.
    other_issuer: Option<Excerpt>,
}

impl AsRef<Failed> for NoDocument {
    fn as_ref(&self) -> &Failed {
        &self.failed
    }
}

/// Fetches the key set of a URL, or of a discovery by its name. Each fetch of a discovery reads the document first.
///
/// # Errors
/// The reason why the last attempt failed. For a discovery it begins with the step.
pub fn fetch(place: &str, ca_file: &Option<PathBuf>) -> Result<Fetched, Failed> {
    match Discovery::from_name(place) {
        Some(discovery) => discover(&discovery, ca_file),
        None => attempt(|| fetch_once(place, AddressFence::OPEN, ca_file)),
    }
}

fn discover(discovery: &Discovery, ca_file: &Option<PathBuf>) -> Result<Fetched, Failed> {
    let is_certain = Cell::new(true);
    let read = attempt(|| {
        let read = read_document(discovery, ca_file);
        let other_issuer = read.as_ref().err().and_then(|failure| failure.other_issuer.as_ref());
        is_certain.set(is_certain.get() && other_issuer.is_some());
        read
    });
    let (document, max_age) = match read {
        Ok(read) => read,
        // Each attempt has found another issuer in the place of this one, so the former keys do not count any more.
        Err(NoDocument {
            other_issuer: Some(other),
            ..
        }) if is_certain.get() => {
            return Ok(Fetched {
                text: fetched_keys::of_other_issuer(&other),
                max_age: LEAST_AGE,
            });
        }
        Err(NoDocument { failed, .. }) => return Err(failed.of("discovery document ")),
    };
    let url = &document.jwks_uri;
    let step = format!("key set \"{url}\": ");
    let set = attempt(|| fetch_once(url, discovery.fence(), ca_file)).map_err(|failed| failed.of(&step))?;
    let text = fetched_keys::with_document(discovery, &document, &set.text);
    match fetched_keys::read(&discovery.name(), &text) {
        Err(error) if !fetched_keys::is_withdrawal(&error) => Err(Failed::from(error.line()).of(&step)),
        _ => Ok(Fetched {
            text,
            max_age: set.max_age.min(max_age),
        }),
    }
}

/// The document, and how long it may be used. The next address is tried where the server has no document at the one before.
fn read_document(
    discovery: &Discovery,
    ca_file: &Option<PathBuf>,
) -> Result<(DiscoveryDocument, Duration), NoDocument> {
    let mut reasons: Vec<String> = Vec::new();
    let mut retry_after = None;
    for url in discovery.documents() {
        // No fence: an administrator has set the issuer.
        match fetch_once(&url, AddressFence::OPEN, ca_file) {
            Ok(fetched) => {
                let document = DiscoveryDocument::parse(&fetched.text, discovery);
                return document
                    .map(|document| (document, fetched.max_age))
                    .map_err(|problem| NoDocument {
                        failed: Failed::from(format!("\"{url}\": {problem}")),
                        other_issuer: match problem {
                            // The first address may be without its document for a moment, and the second one that of
                            // another issuer.
                            DiscoveryProblem::OtherIssuer(other) if reasons.is_empty() => Some(other),
                            DiscoveryProblem::OtherIssuer(_) | DiscoveryProblem::Unusable(_) => None,
                        },
                    });
            }
            Err(failed) => {
                reasons.push(format!("\"{url}\": {}", failed.reason));
                retry_after = failed.retry_after;
                if !is_absent(&failed) {
                    break;
                }
            }
        }
    }
    Err(NoDocument {
        failed: Failed {
            status: None,
            reason: reasons.join("; "),
            retry_after,
        },
        other_issuer: None,
    })
}

/// Whether the server has answered that there is no document: 4xx, except where it only asks to wait.
fn is_absent(failed: &Failed) -> bool {
    failed
        .status
        .is_some_and(|status| (400..500).contains(&status) && ![408, 425, 429].contains(&status))
}
