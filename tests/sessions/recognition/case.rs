//! What there is to know of a provider: from the URL that a person has to tokens that are not meant for her.

use testkit::messages;

use crate::providers::shapes::shape::Shape;

/// A provider, from its URL to its tokens.
pub struct Case {
    pub url: &'static str,
    pub fill_in: &'static str,
    /// Where the provider publishes its keys.
    pub keys: &'static str,
    pub shape: Shape,
    /// The role that may present its tokens.
    pub role: &'static str,
    /// Another form in which the same issuer writes its name.
    pub also: Option<&'static str>,
    pub others: Vec<Other>,
}

/// A token of another tenant or application, which the same key has signed. It differs in the payload before the values are
/// written into it: the text that is replaced, the text instead, and the message of the rejection.
pub struct Other(pub &'static str, pub String, pub &'static str);

const ISS: &str = r#""iss":"$iss""#;
const AUD: &str = r#""aud":$aud"#;

impl Case {
    /// A provider with this URL, these values, and its keys at this address.
    pub fn new(shape: Shape, url: &'static str, fill_in: &'static str, keys: &'static str) -> Case {
        Case {
            url,
            fill_in,
            keys,
            shape,
            role: "authenticated",
            also: None,
            others: Vec::new(),
        }
    }

    /// Another tenant has this issuer.
    pub fn tenant(mut self, issuer: &str) -> Case {
        let iss = format!(r#""iss":"{issuer}""#);
        self.others.push(Other(ISS, iss, messages::UNKNOWN_ISSUER));
        self
    }

    /// Tokens of another application have this audience, as JSON.
    pub fn audience(mut self, audience: &str) -> Case {
        let aud = format!(r#""aud":{audience}"#);
        self.others.push(Other(AUD, aud, messages::OTHER_AUDIENCE));
        self
    }

    /// Other tokens of the issuer have another value of a claim.
    pub fn claim(mut self, own: &'static str, other: &str) -> Case {
        self.others.push(Other(own, other.to_owned(), messages::OTHER_CLAIM));
        self
    }
}
