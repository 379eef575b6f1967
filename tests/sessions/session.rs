//! What a test says to a session, and what it expects back.

use std::time::{SystemTime, UNIX_EPOCH};

use postgres::Client;
use postgres::types::FromSqlOwned;

use crate::server::{SHARED, Server};
use crate::sign::Signer;

/// A proxy as version 0.5.0 knows it: a key of its own for each connection, and tokens that it signs with it.
pub struct Proxy {
    signer: Signer,
    last_jti: i64,
}

impl Proxy {
    pub fn new() -> Proxy {
        Proxy {
            signer: Signer::ed25519(),
            last_jti: 0,
        }
    }

    /// The startup options that hand over its key.
    pub fn options(&self) -> String {
        format!("-c pg_session_jwt.jwk={}", self.signer.jwk(""))
    }

    /// A token with these further members, such as `"sub":"alice"`, and the next `jti`.
    pub fn token(&mut self, members: &str) -> String {
        self.last_jti += 1;
        self.token_with_jti(self.last_jti, members)
    }

    pub fn token_with_jti(&self, jti: i64, members: &str) -> String {
        let comma = if members.is_empty() { "" } else { "," };
        self.raw(&format!(r#"{{"jti":{jti}{comma}{members}}}"#))
    }

    /// A token with exactly this payload.
    pub fn raw(&self, payload: &str) -> String {
        self.signer.token("EdDSA", payload)
    }

    /// A session with this proxy's key, in a database of its own on the shared server.
    pub fn session(&self) -> Client {
        SHARED.connect(&SHARED.database(), "postgres", &self.options())
    }

    pub fn session_on(&self, server: &Server, database: &str) -> Client {
        server.connect(database, "postgres", &self.options())
    }
}

/// The one value of a query.
pub fn one<T: FromSqlOwned>(client: &mut Client, query: &str) -> T {
    client
        .query_one(query, &[])
        .unwrap_or_else(|error| panic!("{query}: {error:?}"))
        .get(0)
}

pub fn user_id(client: &mut Client) -> Option<String> {
    one(client, "select auth.user_id()")
}

pub fn init(client: &mut Client, token: &str) {
    run(client, &format!("select auth.jwt_session_init('{token}')"));
}

pub fn run(client: &mut Client, sql: &str) {
    client
        .batch_execute(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// An error as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub sqlstate: String,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
}

pub fn refusal(client: &mut Client, sql: &str) -> Refusal {
    let error = client.batch_execute(sql).expect_err(sql);
    refusal_of(&error)
}

pub fn refusal_of(error: &postgres::Error) -> Refusal {
    let error = error.as_db_error().unwrap_or_else(|| panic!("{error:?}"));
    Refusal {
        sqlstate: error.code().code().to_owned(),
        message: error.message().to_owned(),
        detail: error.detail().map(str::to_owned),
        hint: error.hint().map(str::to_owned),
    }
}

/// Asserts that `sql` fails with this SQLSTATE and message.
#[track_caller]
pub fn refuses(client: &mut Client, sql: &str, sqlstate: &str, message: &str) {
    let refusal = refusal(client, sql);
    assert_eq!(
        (refusal.sqlstate.as_str(), refusal.message.as_str()),
        (sqlstate, message),
        "{sql}: {refusal:?}"
    );
}

/// Seconds since 1970, from this machine's clock, which is the server's too.
pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}
