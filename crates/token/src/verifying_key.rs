//! The primitives that check a signature: those of jsonwebtoken, and aws-lc-rs itself for ES512, which jsonwebtoken lacks.

use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{AlgorithmFamily, DecodingKey, DecodingKeyKind};

use crate::algorithm::Algorithm;

/// A key in the form that its primitive expects.
#[derive(Debug, Clone)]
pub enum VerifyingKey {
    /// A key of jsonwebtoken.
    Jose(DecodingKey),
    /// A point of P-521, which only ES512 uses.
    P521(ParsedPublicKey),
}

impl VerifyingKey {
    /// Whether the signature, in base64url, is one of the message by this key.
    pub fn is_signature(&self, signature: &str, message: &[u8], algorithm: Algorithm) -> bool {
        match (self, of_jsonwebtoken(algorithm)) {
            (VerifyingKey::Jose(key), Some(algorithm)) => {
                jsonwebtoken::crypto::verify(signature, message, key, algorithm).unwrap_or(false)
            }
            (VerifyingKey::P521(key), None) => URL_SAFE_NO_PAD
                .decode(signature)
                .is_ok_and(|signature| key.verify_sig(message, &signature).is_ok()),
            _ => false,
        }
    }

    /// Whether the key is a secret: anyone who can read it can sign.
    pub fn is_secret(&self) -> bool {
        matches!(self, VerifyingKey::Jose(key) if key.family() == AlgorithmFamily::Hmac)
    }

    /// Whether both are the same key.
    pub fn is_same(&self, other: &VerifyingKey) -> bool {
        use DecodingKeyKind::{RsaModulusExponent, SecretOrDer};
        let (one, other) = match (self, other) {
            (VerifyingKey::Jose(one), VerifyingKey::Jose(other)) if one.family() == other.family() => (one, other),
            (VerifyingKey::P521(one), VerifyingKey::P521(other)) => return one.as_ref() == other.as_ref(),
            _ => return false,
        };
        match (one.kind(), other.kind()) {
            (SecretOrDer(one), SecretOrDer(two)) => one == two,
            (RsaModulusExponent { n, e }, RsaModulusExponent { n: other_n, e: other_e }) => {
                n == other_n && e == other_e
            }
            _ => false,
        }
    }
}

/// The name of jsonwebtoken for an algorithm; None for ES512.
fn of_jsonwebtoken(algorithm: Algorithm) -> Option<jsonwebtoken::Algorithm> {
    use jsonwebtoken::Algorithm as Name;
    Some(match algorithm {
        Algorithm::HS256 => Name::HS256,
        Algorithm::HS384 => Name::HS384,
        Algorithm::HS512 => Name::HS512,
        Algorithm::RS256 => Name::RS256,
        Algorithm::RS384 => Name::RS384,
        Algorithm::RS512 => Name::RS512,
        Algorithm::PS256 => Name::PS256,
        Algorithm::PS384 => Name::PS384,
        Algorithm::PS512 => Name::PS512,
        Algorithm::ES256 => Name::ES256,
        Algorithm::ES384 => Name::ES384,
        Algorithm::EdDSA => Name::EdDSA,
        Algorithm::ES512 => return None,
    })
}
