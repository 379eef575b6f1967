//! Discovery: an issuer publishes a document that names its key set (OpenID Connect Discovery 1.0 §4, RFC 8414 §3).

use crate::address_fence::AddressFence;
use crate::key_url::{self, MAX_URL_BYTES};

/// The beginning of a discovery's name, and what is between its issuer and its document. No URL has a space.
const ISSUER: &str = "issuer ";
const AT: &str = " at ";

/// The maximum number of bytes of a discovery's name.
pub const MAX_NAME_BYTES: usize = 2 * MAX_URL_BYTES + ISSUER.len() + AT.len();

/// An issuer whose document names its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    issuer: String,
    /// `discovery_url`: the only address of the document.
    document: Option<String>,
}

impl Discovery {
    /// Checks an issuer, which is a URL without query and fragment (OpenID Connect Discovery 1.0 §3, RFC 8414 §2), and its
    /// `discovery_url`.
    ///
    /// # Errors
    /// What is wrong, as the predicate of a sentence about the provider.
    pub fn new(issuer: &str, document: Option<&str>) -> Result<Self, String> {
        key_url::check(issuer)
            .and_then(|()| match issuer.contains('?') {
                true => Err("has a query (?)"),
                false => Ok(()),
            })
            .map_err(|problem| format!("cannot discover its keys: its \"issuer\" {problem}"))?;
        let discovery = Discovery {
            issuer: issuer.to_owned(),
            document: document.map(str::to_owned),
        };
        for document in discovery.documents() {
            key_url::check(&document).map_err(|problem| match discovery.document {
                Some(_) => format!("has an invalid \"discovery_url\": it {problem}"),
                None => format!("cannot discover its keys: the address of its document {problem}"),
            })?;
        }
        Ok(discovery)
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The addresses at which the document may be, in the order in which they are tried. A slash at the end of the issuer is
    /// removed. OpenID appends the well-known part to the path (§4.1), and RFC 8414 §3.1 inserts it before the path.
    pub fn documents(&self) -> Vec<String> {
        if let Some(document) = &self.document {
            return vec![document.clone()];
        }
        let issuer = self.issuer.strip_suffix('/').unwrap_or(&self.issuer);
        let after_scheme = issuer.find("://").map_or(0, |at| at.saturating_add(3));
        let (scheme, rest) = issuer.split_at_checked(after_scheme).unwrap_or(("", issuer));
        let (host, path) = rest
            .split_at_checked(rest.find('/').unwrap_or(rest.len()))
            .unwrap_or((rest, ""));
        vec![
            format!("{issuer}/.well-known/openid-configuration"),
            format!("{scheme}{host}/.well-known/oauth-authorization-server{path}"),
        ]
    }

    /// The fence for the addresses that the document names.
    pub fn fence(&self) -> AddressFence {
        AddressFence::of_issuer(&self.issuer)
    }

    /// The name of this discovery where a `jwks_url` has its URL. It determines the discovery, and is never a URL.
    pub fn name(&self) -> String {
        match &self.document {
            Some(document) => format!("{ISSUER}{}{AT}{document}", self.issuer),
            None => format!("{ISSUER}{}", self.issuer),
        }
    }

    /// The discovery that has this name; None for a URL.
    pub fn from_name(name: &str) -> Option<Self> {
        let rest = name.strip_prefix(ISSUER)?;
        let (issuer, document) = match rest.split_once(AT) {
            Some((issuer, document)) => (issuer, Some(document)),
            None => (rest, None),
        };
        Discovery::new(issuer, document).ok()
    }
}
