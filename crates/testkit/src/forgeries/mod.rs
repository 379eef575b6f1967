//! Tokens that must be rejected: signed by others than the provider, altered, or made for another purpose.

mod bombs;
mod keys;
mod rsa_padding;
mod texts;

use crate::clock::now;
use crate::signer::{HMAC, P256, RSA, Signer};

pub use rsa_padding::{PaddedTokens, RsaPadding};

/// The provider whose tokens are forged.
pub struct Victim<'a> {
    /// Its key `k1`. It also has the keys `k2` ([`RSA`]) and `k3` ([`P256`]), and perhaps `k4` ([`HMAC`]).
    pub key: &'a Signer,
    pub issuer: &'a str,
    /// Claims of each token, such as `"aud":"todos"`.
    pub claims: &'a str,
    /// Whom the attacker wants to become.
    pub user: &'a str,
    /// The attacker, who has a valid token of her own.
    pub attacker: &'a str,
}

/// A token, and how it is rejected.
pub struct Forgery {
    pub token: String,
    pub sqlstate: &'static str,
    pub message: &'static str,
}

impl Forgery {
    fn rejected(token: String, message: &'static str) -> Forgery {
        Forgery {
            token,
            sqlstate: "28000",
            message,
        }
    }
}

/// The header of the provider's tokens.
pub const HEADER: &str = r#"{"alg":"EdDSA","kid":"k1"}"#;

impl Victim<'_> {
    /// The public keys, as members of a set.
    pub fn public_keys(&self) -> String {
        let keys = [
            self.key.jwk(r#""kid":"k1""#),
            RSA.jwk(r#""kid":"k2""#),
            P256.jwk(r#""kid":"k3""#),
        ];
        keys.join(",")
    }

    /// A symmetric key, which is valid where end users cannot read it.
    pub fn secret_key(&self) -> String {
        HMAC.jwk(r#""kid":"k4""#)
    }

    /// Claims that are valid except for these members.
    pub fn payload(&self, members: &str) -> String {
        self.payload_of(&format!(r#""exp":{},{members}"#, now() + 3600))
    }

    /// The issuer, the provider's further claims, and these members.
    pub fn payload_of(&self, members: &str) -> String {
        let comma = if self.claims.is_empty() { "" } else { "," };
        format!(r#"{{"iss":"{}"{comma}{},{members}}}"#, self.issuer, self.claims)
    }

    /// A token of this header and payload, signed with `k1`.
    pub fn signed(&self, header: &str, payload: impl AsRef<[u8]>) -> String {
        self.key.token_with_header("EdDSA", header, payload)
    }

    /// A token that is valid except for these members.
    pub fn token_with(&self, members: &str) -> String {
        self.signed(HEADER, self.payload(members))
    }

    /// A valid token of this user.
    pub fn token(&self, user: &str) -> String {
        self.token_with(&format!(r#""sub":"{user}""#))
    }

    /// The claims that the attacker wants.
    fn wanted(&self) -> String {
        self.payload(&format!(r#""sub":"{}""#, self.user))
    }
}
