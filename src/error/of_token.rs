//! The SQLSTATE and the hint of each error of the verifier.

use pgrx::prelude::*;

use crate::token::Error;
use crate::token::key_document::Document;

/// Whatever is wrong with a token is 28000, so that a program needs one rule: it answers class 28 with HTTP status 401. A
/// malformed key or setting is 22023.
pub fn sqlstate(error: &Error) -> PgSqlErrorCode {
    use PgSqlErrorCode as State;
    match error {
        Error::TokenTooLong { .. }
        | Error::NotCompact { .. }
        | Error::Empty
        | Error::BearerScheme
        | Error::NotBase64Url { .. }
        | Error::NotJson { .. }
        | Error::HeaderMember { .. }
        | Error::UnknownAlgorithm { .. }
        | Error::Critical { .. }
        | Error::UnknownKeyId { .. }
        | Error::UnknownIssuer { .. }
        | Error::IssuerSlash { .. }
        | Error::AmbiguousProvider { .. }
        | Error::Audience { .. }
        | Error::AudienceType { .. }
        | Error::ClaimRule { .. }
        | Error::TokenType { .. }
        | Error::NotAccessToken { .. }
        | Error::SecurityEvent
        | Error::SenderConstrained
        | Error::NoExpiry
        | Error::NoIssueTime
        | Error::TooOld { .. }
        | Error::AmbiguousKey { .. }
        | Error::AlgorithmMismatch { .. }
        | Error::AlgorithmExcluded { .. }
        | Error::Signature
        | Error::Expired { .. }
        | Error::NotYetValid { .. }
        | Error::ClaimDate { .. }
        | Error::TokenId
        | Error::TokenIdReplayed { .. }
        | Error::UserId { .. }
        | Error::NotEncodable => State::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
        Error::NoKeys | Error::NotFetched { .. } => State::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        Error::KeySetTooLong { .. }
        | Error::KeyNotJson { .. }
        | Error::Discovery(_)
        | Error::OtherDocument { .. }
        | Error::Key(_)
        | Error::NoUsableKey { .. }
        | Error::Providers { .. } => State::ERRCODE_INVALID_PARAMETER_VALUE,
    }
}

/// What to do about it.
pub const fn hint(error: &Error) -> Option<&'static str> {
    match error {
        Error::NotCompact { parts: 1 } => {
            Some("Present a JWT. Some providers issue one only for an audience that the login names.")
        }
        Error::NotCompact { parts: 5 } => Some("Have the provider sign its tokens without encrypting them."),
        Error::BearerScheme => Some("Present only the text after Bearer."),
        Error::IssuerSlash { .. } => {
            Some("\"issuer\" of pg_session_jwt.providers must be exactly the \"iss\" of the tokens.")
        }
        Error::AmbiguousProvider { .. } => {
            Some("Distinguish the providers by \"issuer\", \"audience\" or \"claims\" in pg_session_jwt.providers.")
        }
        Error::OtherDocument {
            found: Document::Key, ..
        } => Some("Provide {\"keys\":[...]} with the key in the array."),
        Error::OtherDocument {
            found: Document::KeySet,
            ..
        } => Some("Provide one key of the set, or the set in pg_session_jwt.providers."),
        Error::OtherDocument {
            found: Document::Discovery,
            ..
        } => Some("Set \"issuer\" alone in pg_session_jwt.providers: its document leads to the keys."),
        Error::NotAccessToken { .. } => Some(
            "Present an access token with \"typ\" at+jwt, or set \"audience\", \"claims\" or \"token_types\" of the provider.",
        ),
        Error::Expired { .. } | Error::TooOld { .. } => Some("Present a new token."),
        Error::NotYetValid { .. } => Some("The clock of the issuer or of this server may be wrong."),
        Error::Key(_) | Error::KeyNotJson { .. } => Some(
            "Provide one public JSON Web Key: {\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"...\"}, or kty EC or RSA.",
        ),
        Error::UnknownKeyId { .. } => Some("Present a new token; the provider may have retired the key."),
        Error::NoKeys => Some("An administrator can find the reason in auth.providers()."),
        Error::NotFetched { .. } => Some(
            "Add pg_session_jwt to shared_preload_libraries and restart the server, or provide the keys with \"jwks\" \
             or \"jwks_file\".",
        ),
        _ => None,
    }
}
