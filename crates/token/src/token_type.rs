//! The media type of a token, `typ` (RFC 7515 §4.1.9). An issuer signs other things than access tokens and ID tokens with the
//! same keys: logout tokens, security events, proofs of possession, answers (RFC 8725 §3.11).

use crate::error::Error;
use crate::excerpt::Excerpt;

/// The type of access tokens (RFC 9068 §2.1).
const ACCESS_TOKEN: &str = "at+jwt";

/// The types that a provider without `token_types` accepts, beside none at all: those of ordinary tokens (RFC 7519 §5.1, RFC
/// 9068 §2.1).
const USUAL: [&str; 2] = ["jwt", ACCESS_TOKEN];

/// The types that a provider accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenTypes {
    /// Those of ordinary tokens.
    Usual,
    /// That of access tokens. An ID token has no separate type, and is for whichever client its `aud` names.
    AccessToken,
    /// Exactly these.
    Only(Vec<String>),
}

impl TokenTypes {
    /// Exactly these types.
    pub(crate) fn only(types: &[String]) -> TokenTypes {
        TokenTypes::Only(types.iter().map(|name| normal(name)).collect())
    }

    /// Checks the type of a token.
    ///
    /// # Errors
    /// [`Error::TokenType`], [`Error::NotAccessToken`].
    pub fn check(&self, typ: Option<&str>) -> Result<(), Error> {
        let normal = typ.map(normal);
        let is_accepted = match self {
            TokenTypes::Usual => normal.is_none_or(|typ| USUAL.contains(&typ.as_str())),
            TokenTypes::AccessToken => normal.is_some_and(|typ| typ == ACCESS_TOKEN),
            TokenTypes::Only(types) => normal.is_some_and(|typ| types.contains(&typ)),
        };
        let typ = typ.map(Excerpt::new);
        match self {
            _ if is_accepted => Ok(()),
            TokenTypes::AccessToken => Err(Error::NotAccessToken { typ }),
            TokenTypes::Usual | TokenTypes::Only(_) => Err(Error::TokenType { typ }),
        }
    }
}

/// Media types do not depend on case, and `application/` may be left out if there is no other slash.
fn normal(typ: &str) -> String {
    let typ = typ.to_ascii_lowercase();
    match typ.strip_prefix("application/") {
        Some(subtype) if !subtype.contains('/') => subtype.to_owned(),
        _ => typ,
    }
}
