//! Tokens of one issuer with a key of each kind and claims of any length.

use std::sync::atomic::{AtomicU64, Ordering};

use jsonwebtoken::{Algorithm, DecodingKey};

use crate::signer::{ED25519, P256, RSA, Signer};

pub const ISSUER: &str = "https://issuer.example/";

/// The user of the tokens.
pub const ME: &str = "6f4d2f0a-5b7e-4c8e-9d51-0123456789ab";

/// For each kind of key the algorithm that providers use; also the `kid` of the key.
pub const ALGORITHMS: [&str; 3] = ["EdDSA", "ES256", "RS256"];

/// Sizes of claims in bytes. They make tokens of about 0.3 KB (0.5 KB with RS256), 1.5 KB and 11 KB.
pub const CLAIMS: [usize; 3] = [120, 1024, 8192];

pub fn signer(alg: &str) -> &'static Signer {
    match alg {
        "EdDSA" => &ED25519,
        "ES256" => &P256,
        "RS256" => &RSA,
        _ => panic!("no key for {alg}"),
    }
}

pub fn key_set() -> String {
    let jwk = |alg: &&str| signer(alg).jwk(&format!(r#""kid":"{alg}","alg":"{alg}","use":"sig""#));
    let keys: Vec<String> = ALGORITHMS.iter().map(jwk).collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// The setting that makes this issuer the provider.
pub fn providers() -> String {
    format!(r#"[{{"issuer":"{ISSUER}","jwks":{}}}]"#, key_set())
}

/// An object of `bytes` bytes with these members. A list of groups fills it, as in the large tokens that providers issue.
pub fn claims(members: &str, bytes: usize) -> String {
    const FRAME: &str = r#"{,"groups":[]}"#;
    const GROUP: usize = r#""group-000000","#.len();
    let Some(mut room) = bytes.checked_sub(FRAME.len() + members.len() + 2) else {
        return format!("{{{members}}}");
    };
    let mut groups = String::new();
    while room >= GROUP {
        groups.push_str(&format!(r#""group-{room:06}","#));
        room -= GROUP;
    }
    format!(r#"{{{members},"groups":[{groups}"{}"]}}"#, "x".repeat(room))
}

/// The shortest claims of this issuer for [`ME`], until the year 2100.
pub fn members() -> String {
    format!(r#""iss":"{ISSUER}","sub":"{ME}","exp":4102444800"#)
}

pub fn token(alg: &str, claims: &str) -> String {
    let header = format!(r#"{{"alg":"{alg}","kid":"{alg}","typ":"JWT"}}"#);
    signer(alg).token_with_header(alg, header, claims)
}

/// A token that no session has verified before, with claims of this size.
pub fn fresh(alg: &str, bytes: usize) -> String {
    static SERIAL: AtomicU64 = AtomicU64::new(1_000_000);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let members = format!(r#"{},"n":{serial}"#, members());
    token(alg, &claims(&members, bytes))
}

/// The bare signature check, by the library that the extension uses.
pub struct BareCheck {
    key: DecodingKey,
    algorithm: Algorithm,
}

impl BareCheck {
    pub fn new(alg: &str) -> BareCheck {
        let jwk = serde_json::from_str(&signer(alg).jwk("")).unwrap();
        BareCheck {
            key: DecodingKey::from_jwk(&jwk).unwrap(),
            algorithm: alg.parse().unwrap(),
        }
    }

    pub fn verify(&self, token: &str) -> bool {
        let (message, signature) = token.rsplit_once('.').unwrap();
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.key, self.algorithm).unwrap()
    }
}
