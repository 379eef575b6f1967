//! The reasons for which rejected tokens are counted: the rules of `auth.verify()`, and what is not the fault of a token.

use crate::token::rule::Rule;
use crate::token::{Error, Part};

/// Defines the reasons, with the names that they have in `auth.stats()`.
macro_rules! reasons {
    ($($reason:ident => $name:expr,)*) => {
        /// Why a token was rejected.
        #[derive(Clone, Copy)]
        pub enum Reason {
            $($reason,)*
        }

        impl Reason {
            /// All reasons, in the order of their counters.
            pub const ALL: [Reason; [$(Reason::$reason),*].len()] = [$(Reason::$reason),*];

            /// The reason in `auth.stats()`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Reason::$reason => $name,)*
                }
            }
        }
    };
}

reasons! {
    Form => Rule::Form.name(),
    Header => Rule::Header.name(),
    Payload => Rule::Payload.name(),
    Provider => Rule::Provider.name(),
    Key => Rule::Key.name(),
    Signature => Rule::Signature.name(),
    Algorithms => Rule::Algorithms.name(),
    TokenTypes => Rule::TokenTypes.name(),
    Audience => Rule::Audience.name(),
    Claims => Rule::Claims.name(),
    SenderConstrained => Rule::SenderConstrained.name(),
    NotBefore => Rule::NotBefore.name(),
    Expires => Rule::Expires.name(),
    TokenId => Rule::TokenId.name(),
    Expiry => Rule::Expiry.name(),
    MaxAge => Rule::MaxAge.name(),
    Encoding => "encoding",
    Roles => "roles",
    Login => "login",
    IdentityScope => "identity_scope",
    NoKeys => "no_keys",
    Settings => "settings",
}

impl Reason {
    /// The reason of an error.
    pub fn of(error: &Error) -> Reason {
        match error {
            Error::TokenTooLong { .. }
            | Error::NotCompact { .. }
            | Error::Empty
            | Error::BearerScheme
            | Error::NotBase64Url {
                part: Part::Signature, ..
            } => Reason::Form,
            Error::NotBase64Url { part, .. } | Error::NotJson { part, .. } => match part {
                Part::Header => Reason::Header,
                Part::Payload | Part::Signature => Reason::Payload,
            },
            Error::HeaderMember { .. } | Error::UnknownAlgorithm { .. } | Error::Critical { .. } => Reason::Header,
            Error::ClaimDate { .. } => Reason::Payload,
            Error::UnknownIssuer { .. } | Error::IssuerSlash { .. } | Error::AmbiguousProvider { .. } => {
                Reason::Provider
            }
            Error::UnknownKeyId { .. } | Error::AmbiguousKey { .. } => Reason::Key,
            Error::AlgorithmMismatch { .. } | Error::Signature => Reason::Signature,
            Error::AlgorithmExcluded { .. } => Reason::Algorithms,
            Error::TokenType { .. } | Error::NotAccessToken { .. } | Error::SecurityEvent => Reason::TokenTypes,
            Error::Audience { .. } | Error::AudienceType { .. } => Reason::Audience,
            Error::ClaimRule { .. } | Error::UserId { .. } => Reason::Claims,
            Error::SenderConstrained => Reason::SenderConstrained,
            Error::NotYetValid { .. } => Reason::NotBefore,
            Error::Expired { .. } => Reason::Expires,
            Error::TokenId | Error::TokenIdReplayed { .. } => Reason::TokenId,
            Error::NoExpiry => Reason::Expiry,
            Error::NoIssueTime | Error::TooOld { .. } => Reason::MaxAge,
            Error::NotEncodable => Reason::Encoding,
            Error::NoKeys | Error::NotFetched { .. } => Reason::NoKeys,
            Error::Providers { .. }
            | Error::KeySetTooLong { .. }
            | Error::OtherDocument { .. }
            | Error::KeyNotJson { .. }
            | Error::Key(_)
            | Error::NoUsableKey { .. }
            | Error::Discovery(_) => Reason::Settings,
        }
    }
}
