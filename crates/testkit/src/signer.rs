//! Keys and tokens, made when a test runs and never stored.
//!
//! Signs with aws-lc-rs itself: what signs here is not the code that verifies.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// A private key.
pub enum Signer {
    Ed25519(Ed25519KeyPair),
    Ecdsa { pair: EcdsaKeyPair, curve: &'static str },
    Rsa(RsaKeyPair),
    Hmac(Vec<u8>),
}

pub static ED25519: LazyLock<Signer> = LazyLock::new(Signer::ed25519);
pub static P256: LazyLock<Signer> = LazyLock::new(Signer::p256);
pub static P384: LazyLock<Signer> = LazyLock::new(|| {
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    Signer::Ecdsa { pair, curve: "P-384" }
});
pub static P521: LazyLock<Signer> = LazyLock::new(Signer::p521);
pub static RSA: LazyLock<Signer> = LazyLock::new(Signer::rsa);
pub static HMAC: LazyLock<Signer> = LazyLock::new(|| Signer::hmac(64));

impl Signer {
    pub fn ed25519() -> Signer {
        Signer::Ed25519(Ed25519KeyPair::generate().unwrap())
    }

    pub fn p256() -> Signer {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Signer::Ecdsa { pair, curve: "P-256" }
    }

    pub fn p521() -> Signer {
        let pair = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap();
        Signer::Ecdsa { pair, curve: "P-521" }
    }

    pub fn rsa() -> Signer {
        Signer::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// A secret of so many bytes.
    pub fn hmac(bytes: usize) -> Signer {
        let mut secret = vec![0; bytes];
        aws_lc_rs::rand::fill(&mut secret).unwrap();
        Signer::Hmac(secret)
    }

    /// The JWK of the public half (of a secret: of itself), with further members such as `"kid":"a"`.
    pub fn jwk(&self, more: &str) -> String {
        let members = match self {
            Signer::Ed25519(pair) => format!(r#""kty":"OKP","crv":"Ed25519","x":"{}""#, part(pair.public_key())),
            Signer::Ecdsa { pair, curve } => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                format!(r#""kty":"EC","crv":"{curve}","x":"{}","y":"{}""#, part(x), part(y))
            }
            Signer::Rsa(pair) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
                format!(r#""kty":"RSA","n":"{}","e":"{}""#, part(n), part(e))
            }
            Signer::Hmac(secret) => format!(r#""kty":"oct","k":"{}""#, part(secret)),
        };
        let comma = if more.is_empty() { "" } else { "," };
        format!("{{{members}{comma}{more}}}")
    }

    /// Every text of the public key that a confused verifier could take for a secret.
    pub fn public_texts(&self) -> Vec<Vec<u8>> {
        let der = |der: PublicKeyX509Der| der.as_ref().to_vec();
        let (raw, der) = match self {
            Signer::Ed25519(pair) => (pair.public_key().as_ref(), der(pair.public_key().as_der().unwrap())),
            Signer::Ecdsa { pair, .. } => (pair.public_key().as_ref(), der(pair.public_key().as_der().unwrap())),
            Signer::Rsa(pair) => (pair.public_key().as_ref(), der(pair.public_key().as_der().unwrap())),
            Signer::Hmac(_) => panic!("a secret has no public text"),
        };
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(&der)
        );
        vec![
            raw[1..].to_vec(),
            raw.to_vec(),
            der,
            pem.trim_end().into(),
            pem.into(),
            self.jwk("").into(),
            Vec::new(),
            vec![0; 32],
        ]
    }

    /// The modulus of an RSA key.
    pub fn modulus(&self) -> Vec<u8> {
        let Signer::Rsa(pair) = self else { panic!("no RSA key") };
        pair.public_key().modulus().big_endian_without_leading_zero().to_vec()
    }

    /// A token with the header `{"alg": alg}`.
    pub fn token(&self, alg: &str, payload: impl AsRef<[u8]>) -> String {
        self.token_with_header(alg, format!(r#"{{"alg":"{alg}"}}"#), payload)
    }

    /// A token with any header; `alg` is what really signs.
    pub fn token_with_header(&self, alg: &str, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        self.seal(alg, &format!("{}.{}", part(header), part(payload)))
    }

    /// A token whose first two parts are this text, whatever it is.
    pub fn seal(&self, alg: &str, signing_input: &str) -> String {
        let signature = self.sign(alg, signing_input.as_bytes());
        format!("{signing_input}.{}", part(signature))
    }

    pub fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        match self {
            Signer::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Signer::Ecdsa { pair, .. } => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Signer::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let random = SystemRandom::new();
                pair.sign(rsa_encoding(alg), &random, message, &mut signature).unwrap();
                signature
            }
            Signer::Hmac(secret) => {
                let key = hmac::Key::new(hmac_algorithm(alg), secret);
                hmac::sign(&key, message).as_ref().to_vec()
            }
        }
    }
}

fn rsa_encoding(alg: &str) -> &'static dyn RsaEncoding {
    match alg {
        "RS256" => &RSA_PKCS1_SHA256,
        "RS384" => &RSA_PKCS1_SHA384,
        "RS512" => &RSA_PKCS1_SHA512,
        "PS256" => &RSA_PSS_SHA256,
        "PS384" => &RSA_PSS_SHA384,
        "PS512" => &RSA_PSS_SHA512,
        _ => panic!("{alg} is no RSA algorithm"),
    }
}

fn hmac_algorithm(alg: &str) -> hmac::Algorithm {
    match alg {
        "HS256" => hmac::HMAC_SHA256,
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => panic!("{alg} is no HMAC algorithm"),
    }
}

/// base64url without padding.
pub fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
