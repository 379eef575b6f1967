//! Providers whose tokens a test makes, and databases that trust them.

use crate::server::{SHARED, Server};
use crate::session::{now, run};
use crate::signer::Signer;

/// A provider as a test sees it.
pub struct Provider {
    pub signer: Signer,
    issuer: String,
    kid: String,
    typ: &'static str,
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
            typ: "JWT",
        }
    }

    /// The same provider, whose tokens have the type of access tokens (RFC 9068 §2.1).
    pub fn of_access_tokens(self) -> Provider {
        Provider { typ: "at+jwt", ..self }
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

    /// A token with these members, which ends in a minute unless they have `exp`.
    pub fn token_with(&self, members: &str) -> String {
        let exp = ending(members, now() + 60);
        self.signed(&format!(r#"{{"iss":"{}",{members}{exp}}}"#, self.issuer))
    }

    /// A token with exactly this payload.
    pub fn signed(&self, payload: &str) -> String {
        let header = format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"{}"}}"#, self.kid, self.typ);
        self.signer.token_with_header("EdDSA", header, payload)
    }
}

/// `exp` for members that do not have it.
pub fn ending(members: &str, at: i64) -> String {
    if members.contains("\"exp\"") {
        String::new()
    } else {
        format!(r#","exp":{at}"#)
    }
}

/// A new database with these providers.
pub fn database(entries: &[String]) -> String {
    database_on(&SHARED, entries, "")
}

/// The same on another server, with options such as the encoding.
pub fn database_on(server: &Server, entries: &[String], options: &str) -> String {
    let database = server.database_with(options);
    set_providers_on(server, &database, &format!("[{}]", entries.join(",")));
    database
}

pub fn set_providers(database: &str, value: &str) {
    set_providers_on(&SHARED, database, value);
}

fn set_providers_on(server: &Server, database: &str, value: &str) {
    let mut admin = server.connect("postgres", "postgres", "");
    run(
        &mut admin,
        &format!("alter database {database} set pg_session_jwt.providers = '{value}'"),
    );
}
