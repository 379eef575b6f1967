//! The documents that a provider publishes about its keys. They are easily taken for each other.

use std::fmt;

use crate::json::{Json, Members};

/// A document about keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// One key (RFC 7517 §4).
    Key,
    /// A set of keys (RFC 7517 §5).
    KeySet,
    /// The description of a provider (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).
    Discovery,
}

impl Document {
    /// What an object is, as far as its members show it.
    pub fn of(object: &Members) -> Option<Document> {
        if matches!(object.get("keys"), Some(Json::Array(_))) {
            Some(Document::KeySet)
        } else if object.get("kty").is_some() {
            Some(Document::Key)
        } else if object.get("jwks_uri").is_some() {
            Some(Document::Discovery)
        } else {
            None
        }
    }

    /// How the document is recognized, as a sentence.
    pub(crate) fn detail(self) -> &'static str {
        match self {
            Document::Key => "It has \"kty\"; a key set has the array \"keys\".",
            Document::KeySet => "It has the array \"keys\".",
            Document::Discovery => "It has \"jwks_uri\", the address of the key set.",
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Document::Key => "a single JSON Web Key",
            Document::KeySet => "a key set",
            Document::Discovery => "a discovery document",
        })
    }
}
