//! The numbers and names that the message of an error leaves out.

use crate::error::Error;
use crate::key_problem::reasons;
use crate::limits::{MAX_KEY_SET_BYTES, MAX_TOKEN_BYTES};

impl Error {
    /// Returns the numbers and names that the message leaves out, as sentences.
    pub fn detail(&self) -> Option<String> {
        Some(match self {
            Error::TokenTooLong { bytes } => format!("The token has {bytes} bytes; the limit is {MAX_TOKEN_BYTES}."),
            Error::NotCompact { parts } => {
                let found = match parts {
                    1 => "one part: an opaque token".to_owned(),
                    5 => "five parts: an encrypted token".to_owned(),
                    parts => format!("{parts} parts"),
                };
                format!("A JWT has three parts with dots between them; this token has {found}.")
            }
            Error::Empty => "The token is empty.".to_owned(),
            Error::BearerScheme => "It still begins with Bearer.".to_owned(),
            Error::NotJson { problem, .. } | Error::KeyNotJson { problem } => {
                format!("The text was rejected: {problem}.")
            }
            Error::UnknownAlgorithm { alg } => format!("The JWT has alg=\"{alg}\"."),
            Error::AlgorithmMismatch { alg } | Error::AlgorithmExcluded { alg } => format!("The JWT has alg=\"{alg:?}\"."),
            Error::Critical { member } => format!("The JWT header has \"{member}\"."),
            Error::UnknownKeyId { kid } => format!("The JWT has kid=\"{kid}\"."),
            Error::AmbiguousKey { candidates } => format!("{candidates} keys match; exactly one must."),
            Error::Expired { exp, now, leeway } => format!("exp={exp}, now={now}, leeway={leeway}"),
            Error::NotYetValid { nbf, now, leeway } => format!("nbf={nbf}, now={now}, leeway={leeway}"),
            Error::TokenIdReplayed { jti, last } => format!("jti={jti}, last={last}"),
            Error::UnknownIssuer { iss: Some(iss) } => format!("The JWT has iss=\"{iss}\"."),
            Error::UnknownIssuer { iss: None } => "The JWT has no string \"iss\".".to_owned(),
            Error::AmbiguousProvider { first, second } => {
                let [first, second] = [first, second].map(|index| index.saturating_add(1));
                format!("Providers {first} and {second} both accept it.")
            }
            Error::IssuerSlash { iss } => {
                format!("The JWT has iss=\"{iss}\", which differs from the issuer that is set by a slash at the end.")
            }
            Error::AudienceType { is_array: true } => "A member of \"aud\" is not a string.".to_owned(),
            Error::Audience { aud: Some(aud) } => format!("The JWT has aud=\"{aud}\"."),
            Error::Audience { aud: None } => "The JWT has no \"aud\".".to_owned(),
            Error::ClaimRule { claim, is_absent: true } => format!("The JWT has no \"{claim}\"."),
            Error::ClaimRule {
                claim,
                is_absent: false,
            } => format!("The JWT has another \"{claim}\"."),
            Error::TokenType { typ: Some(typ) } | Error::NotAccessToken { typ: Some(typ) } => format!("The JWT has typ=\"{typ}\"."),
            Error::TokenType { typ: None } | Error::NotAccessToken { typ: None } => "The JWT has no \"typ\".".to_owned(),
            Error::SecurityEvent => "The JWT has \"events\".".to_owned(),
            Error::SenderConstrained => "The JWT has \"cnf\".".to_owned(),
            Error::NoExpiry => "The JWT has no \"exp\".".to_owned(),
            Error::NoIssueTime => "The JWT has no \"iat\".".to_owned(),
            Error::TooOld {
                iat,
                now,
                max_age,
                leeway,
            } => format!("iat={iat}, now={now}, max_age={max_age}, leeway={leeway}"),
            Error::Providers { index, problem } => match index {
                Some(index) => format!("Provider {} {problem}.", index.saturating_add(1)),
                None => format!("The list {problem}."),
            },
            Error::OtherDocument { found, .. } => found.detail().to_owned(),
            Error::KeySetTooLong { bytes } => format!("The text has {bytes} bytes; the limit is {MAX_KEY_SET_BYTES}."),
            Error::Key(problem) => format!("The key was rejected: {problem}."),
            Error::NoUsableKey { members } => format!("The keys were rejected: {}.", reasons(members)),
            Error::Discovery(problem) => format!("The document was rejected: {problem}."),
            Error::NotFetched { index, means } => {
                let has = match *means {
                    "jwks_url" => "has a \"jwks_url\"",
                    _ => "has no keys in the setting or in a file",
                };
                format!("Provider {} {has}.", index.saturating_add(1))
            }
            Error::ClaimDate { claim: "exp", .. } => {
                "The claim must be a number from 0 to 253402300799 (the end of the year 9999).".to_owned()
            }
            Error::ClaimDate { .. } => {
                "The claim must be a number up to 253402300799 (the end of the year 9999), and an integer if it is negative."
                    .to_owned()
            }
            Error::TokenId => "The claim must be a 64-bit integer.".to_owned(),
            Error::AudienceType { is_array: false }
            | Error::NotBase64Url { .. }
            | Error::HeaderMember { .. }
            | Error::Signature
            | Error::UserId { .. }
            | Error::NoKeys
            | Error::NotEncodable => return None,
        })
    }

    /// Returns the message and the detail as one line, for an administrator.
    pub fn line(&self) -> String {
        match self.detail() {
            Some(detail) => format!("{self} ({})", detail.trim_end_matches('.')),
            None => self.to_string(),
        }
    }
}
