//! The traits that tell identity providers apart, and a provider with these traits and a new key.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use testkit::certificate;
use testkit::session::now;
use testkit::signer::Signer;

/// A row of the table. In the texts `$kid`, `$iss`, `$aud`, `$user`, `$now` and `$exp` stand for what differs, and
/// `$x5c`, `$x5t1` and `$x5t256` for the key's certificate and its digests.
pub struct Shape {
    pub name: &'static str,
    pub alg: &'static str,
    pub kid: &'static str,
    pub header: &'static str,
    /// The members of its signing key, beside those that are the key.
    pub key: &'static str,
    /// The same, of a key in its set that is not for signatures.
    pub encryption_key: &'static str,
    /// Members of its set, beside the keys.
    pub beside: &'static str,
    pub issuer: &'static str,
    /// An issuer that is nearly this one.
    pub other_issuer: &'static str,
    /// What its entry in the setting says beside issuer and keys.
    pub more: &'static str,
    /// `aud` as JSON; empty where it has none.
    pub aud: &'static str,
    /// Audiences for whom such a token is not meant, as JSON.
    pub other_aud: &'static [&'static str],
    /// One text over several lines, which are joined.
    pub payload: &'static str,
    pub user_id: &'static str,
    /// What policies would read of the further claims: expressions and their texts.
    pub claims: &'static [(&'static str, &'static str)],
    /// Whether it writes `\/` for every slash.
    pub escapes_slashes: bool,
}

pub const PLAIN: Shape = Shape {
    name: "",
    alg: "RS256",
    kid: "",
    header: r#"{"alg":"RS256","kid":"$kid","typ":"JWT"}"#,
    key: r#""use":"sig","alg":"RS256","kid":"$kid""#,
    encryption_key: r#""use":"enc","kid":"$kid""#,
    beside: "",
    issuer: "",
    other_issuer: "",
    more: "",
    aud: "",
    other_aud: &[],
    payload: "",
    user_id: "",
    claims: &[],
    escapes_slashes: false,
};

/// The name of the key for encryption in every set.
pub const ENCRYPTION_KID: &str = "for-encryption";

/// Keys that are in every set of their kind, and not for signatures. Their holder could sign with them.
static ENCRYPTION: [LazyLock<Signer>; 3] = [
    LazyLock::new(|| new_key("RS256")),
    LazyLock::new(|| new_key("ES256")),
    LazyLock::new(|| new_key("EdDSA")),
];

pub fn new_key(alg: &str) -> Signer {
    match alg {
        "RS256" => Signer::Rsa(KeyPair::generate(KeySize::Rsa2048).unwrap()),
        "ES256" => Signer::Ecdsa {
            pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            curve: "P-256",
        },
        "EdDSA" => Signer::ed25519(),
        other => panic!("no key for {other}"),
    }
}

/// What a token of a provider says, where it can be wrong. A claim whose text is empty is left out.
#[derive(Clone, Copy)]
pub struct Says<'a> {
    pub iss: &'a str,
    pub aud: &'a str,
    pub user: &'a str,
}

impl Shape {
    pub fn encryption(&self) -> &'static Signer {
        let kinds = ["RS256", "ES256", "EdDSA"];
        &ENCRYPTION[kinds.iter().position(|alg| *alg == self.alg).unwrap()]
    }

    /// Its place in the setting, with this key.
    pub fn entry(&self, signer: &Signer) -> String {
        let (Shape { issuer, more, .. }, set) = (self, self.key_set(signer));
        format!(r#"{{"issuer":"{issuer}","jwks":{set}{more}}}"#)
    }

    /// Its key set, with this key, and one for encryption.
    pub fn key_set(&self, signer: &Signer) -> String {
        self.set(&[self.encryption_jwk(), self.jwk(signer, self.kid)])
    }

    /// Its key set as it publishes it: this key beside the one that it signs with next, and that for encryption if it has
    /// one.
    pub fn published_key_set(&self, signer: &Signer) -> String {
        let mut keys = vec![self.jwk(self.encryption(), "next"), self.jwk(signer, self.kid)];
        if self.encryption_key != PLAIN.encryption_key {
            keys.push(self.encryption_jwk());
        }
        self.set(&keys)
    }

    fn set(&self, keys: &[String]) -> String {
        format!(r#"{{"keys":[{}]{}}}"#, keys.join(","), self.beside)
    }

    fn jwk(&self, signer: &Signer, kid: &str) -> String {
        signer.jwk(&certified(signer, self.key).replace("$kid", kid))
    }

    fn encryption_jwk(&self) -> String {
        let signer = self.encryption();
        signer.jwk(&certified(signer, self.encryption_key).replace("$kid", ENCRYPTION_KID))
    }

    pub fn header(&self, kid: &str) -> String {
        self.header.replace("$kid", &self.written(kid))
    }

    pub fn payload(&self, says: Says<'_>) -> String {
        let mut payload: String = self.payload.lines().map(str::trim).collect();
        for (value, member) in [(says.iss, r#""iss":"$iss","#), (says.aud, r#""aud":$aud,"#)] {
            if value.is_empty() {
                payload = payload.replace(member, "");
            }
        }
        payload
            .replace("$iss", &self.written(says.iss))
            .replace("$aud", &self.written(says.aud))
            .replace("$user", says.user)
            .replace("$now", &now().to_string())
            .replace("$exp", &(now() + 60).to_string())
    }

    pub fn says<'a>(&self, user: &'a str) -> Says<'a> {
        Says {
            iss: self.issuer,
            aud: self.aud,
            user,
        }
    }

    /// A token as the provider would issue it to this user.
    pub fn token(&self, signer: &Signer, user: &str) -> String {
        signer.token_with_header(self.alg, self.header(self.kid), self.payload(self.says(user)))
    }

    fn written(&self, text: &str) -> String {
        if self.escapes_slashes {
            text.replace('/', r"\/")
        } else {
            text.to_owned()
        }
    }
}

/// Members of a key with its certificate, where they have one.
fn certified(signer: &Signer, members: &str) -> String {
    if !members.contains("$x5c") {
        return members.to_owned();
    }
    let certificate = certificate::of_signer(signer, "key");
    let print = |algorithm| URL_SAFE_NO_PAD.encode(digest(algorithm, &certificate));
    members
        .replace("$x5c", &STANDARD.encode(&certificate))
        .replace("$x5t256", &print(&SHA256))
        .replace("$x5t1", &print(&SHA1_FOR_LEGACY_USE_ONLY))
}
