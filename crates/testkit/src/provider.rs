//! Providers whose tokens a test makes, and databases that trust them.

use crate::server::SHARED;
use crate::session::{now, run};
use crate::signer::Signer;

/// A provider as a test sees it.
pub struct Provider {
    pub signer: Signer,
    issuer: String,
    kid: String,
}

impl Provider {
    pub fn new(issuer: &str) -> Provider {
        Provider::with_kid(issuer, "k1")
    }

    pub fn with_kid(issuer: &str, kid: &str) -> Provider {
        Provider {
            signer: Signer::ed25519(),
            issuer: issuer.to_owned(),
            kid: kid.to_owned(),
        }
    }

    /// Its public key.
    pub fn jwk(&self) -> String {
        self.signer.jwk(&format!(r#""kid":"{}""#, self.kid))
    }

    pub fn key_set(&self) -> String {
        format!(r#"{{"keys":[{}]}}"#, self.jwk())
    }

    /// Its entry in the setting, with further members such as `"audience":"x"`.
    pub fn entry(&self, more: &str) -> String {
        format!(r#"{{"issuer":"{}","jwks":{}{more}}}"#, self.issuer, self.key_set())
    }

    pub fn token(&self, sub: &str) -> String {
        self.token_with(&format!(r#""sub":"{sub}","exp":{}"#, now() + 60))
    }

    pub fn token_with(&self, members: &str) -> String {
        self.signed(&format!(r#"{{"iss":"{}",{members}}}"#, self.issuer))
    }

    /// A token with exactly this payload.
    pub fn signed(&self, payload: &str) -> String {
        let header = format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"JWT"}}"#, self.kid);
        self.signer.token_with_header("EdDSA", header, payload)
    }
}

/// A new database with these providers.
pub fn database(entries: &[String]) -> String {
    let database = SHARED.database();
    set_providers(&database, &format!("[{}]", entries.join(",")));
    database
}

pub fn set_providers(database: &str, value: &str) {
    let mut admin = SHARED.connect("postgres", "postgres", "");
    run(
        &mut admin,
        &format!("alter database {database} set pg_session_jwt.providers = '{value}'"),
    );
}
