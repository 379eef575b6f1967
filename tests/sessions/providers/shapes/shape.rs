//! The traits that tell identity providers apart, and a provider with these traits and a new key.

use std::sync::LazyLock;

use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

use testkit::session::now;
use testkit::signer::Signer;

/// A row of the table. In the texts `$kid`, `$iss`, `$aud`, `$user`, `$now` and `$exp` stand for what differs.
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
        let Shape { issuer, more, .. } = self;
        let keys = [
            self.encryption()
                .jwk(&self.encryption_key.replace("$kid", ENCRYPTION_KID)),
            signer.jwk(&self.key.replace("$kid", self.kid)),
        ];
        let set = format!(r#"{{"keys":[{}]{}}}"#, keys.join(","), self.beside);
        format!(r#"{{"issuer":"{issuer}","jwks":{set}{more}}}"#)
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
