//! The names of the rules for a token.

/// A rule, or a group of rules that are checked as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Size, three parts, base64url.
    Form,
    /// The header: JSON, `alg`, `kid`, `typ`, no unsupported extension.
    Header,
    /// The payload: JSON, the types of the dates.
    Payload,
    /// The provider that the token identifies.
    Provider,
    /// The key that the token identifies.
    Key,
    /// The algorithm of the key, and the signature.
    Signature,
    /// The provider's `algorithms`.
    Algorithms,
    /// The provider's `token_types`, and security events.
    TokenTypes,
    /// The provider's `audience`.
    Audience,
    /// The provider's `claims`.
    Claims,
    /// The provider's `sender_constrained`.
    SenderConstrained,
    /// `nbf`.
    NotBefore,
    /// `exp`.
    Expires,
    /// `jti`, in proxy mode.
    TokenId,
    /// The provider's `expiry`: whether there is `exp`.
    Expiry,
    /// The provider's `max_age`.
    MaxAge,
}

/// The rules for the token of a provider.
pub const OF_PROVIDER: [Rule; 15] = [
    Rule::Form,
    Rule::Header,
    Rule::Payload,
    Rule::Provider,
    Rule::Key,
    Rule::Signature,
    Rule::Algorithms,
    Rule::TokenTypes,
    Rule::Audience,
    Rule::Claims,
    Rule::SenderConstrained,
    Rule::NotBefore,
    Rule::Expires,
    Rule::Expiry,
    Rule::MaxAge,
];

/// The rules for a token of proxy mode.
pub const OF_PROXY: [Rule; 8] = [
    Rule::Form,
    Rule::Header,
    Rule::Key,
    Rule::Signature,
    Rule::Payload,
    Rule::NotBefore,
    Rule::Expires,
    Rule::TokenId,
];

impl Rule {
    /// The name in reports; for a rule of the provider, the member of its entry.
    pub const fn name(self) -> &'static str {
        match self {
            Rule::Form => "form",
            Rule::Header => "header",
            Rule::Payload => "payload",
            Rule::Provider => "provider",
            Rule::Key => "key",
            Rule::Signature => "signature",
            Rule::Algorithms => "algorithms",
            Rule::TokenTypes => "token_types",
            Rule::Audience => "audience",
            Rule::Claims => "claims",
            Rule::SenderConstrained => "sender_constrained",
            Rule::NotBefore => "nbf",
            Rule::Expires => "exp",
            Rule::TokenId => "jti",
            Rule::Expiry => "expiry",
            Rule::MaxAge => "max_age",
        }
    }
}
