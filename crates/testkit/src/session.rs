//! What a test says to a session, and what it expects back.

use std::sync::LazyLock;

use postgres::types::FromSqlOwned;
use postgres::{Client, SimpleQueryMessage};

pub use crate::clock::now;
use crate::server::{SHARED, Server};
use crate::signer::Signer;

/// A proxy as version 0.5.0 expects it: it creates a key for each connection and signs tokens with it.
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

    /// Its public key.
    pub fn jwk(&self) -> String {
        self.signer.jwk("")
    }

    /// The startup options that hand over its key.
    pub fn options(&self) -> String {
        format!("-c pg_session_jwt.jwk={}", self.jwk())
    }

    /// A token with these further members, such as `"sub":"alice"`, and the next `jti`.
    pub fn token(&mut self, members: &str) -> String {
        self.last_jti += 1;
        self.token_with_jti(self.last_jti, members)
    }

    pub fn token_with_jti(&self, jti: i64, members: &str) -> String {
        let comma = if members.is_empty() { "" } else { "," };
        self.raw(format!(r#"{{"jti":{jti}{comma}{members}}}"#))
    }

    /// A token with exactly this payload.
    pub fn raw(&self, payload: impl AsRef<[u8]>) -> String {
        self.signer.token("EdDSA", payload)
    }

    /// A token with any header and payload, and a valid signature.
    pub fn with_header(&self, header: &str, payload: &str) -> String {
        self.signer.token_with_header("EdDSA", header, payload)
    }

    /// A session with this proxy's key, in a new database on the shared server.
    pub fn session(&self) -> Client {
        SHARED.connect(&SHARED.database(), "postgres", &self.options())
    }

    pub fn session_on(&self, server: &Server, database: &str) -> Client {
        server.connect(database, "postgres", &self.options())
    }

    /// A session whose identity is this user already.
    pub fn session_as(&mut self, user_id: &str) -> Client {
        let mut client = self.session();
        let token = self.token(&format!(r#""sub":"{user_id}""#));
        init(&mut client, &token);
        client
    }

    /// Like [`Proxy::session_as`], but in a database that all these sessions share.
    pub fn shared_session_as(&mut self, user_id: &str) -> Client {
        static DATABASE: LazyLock<String> = LazyLock::new(|| SHARED.database());
        let mut client = self.session_on(&SHARED, &DATABASE);
        let token = self.token_of(user_id);
        init(&mut client, &token);
        client
    }

    /// The next token of that user.
    pub fn token_of(&mut self, user_id: &str) -> String {
        self.token(&format!(r#""sub":"{user_id}""#))
    }
}

/// The functions of `auth` that read the identity.
pub const READERS: [&str; 8] = [
    "user_id",
    "uid",
    "session",
    "jwt",
    "role",
    "email",
    "organization",
    "organization_id",
];

/// The readers and `auth.init()`: the functions without arguments that fail where a setting cannot be used.
pub const FUNCTIONS: [&str; 9] = {
    let [a, b, c, d, e, f, g, h] = READERS;
    [a, b, c, d, e, f, g, h, "init"]
};

/// The one value of a query.
pub fn one<T: FromSqlOwned>(client: &mut Client, query: &str) -> T {
    client
        .query_one(query, &[])
        .unwrap_or_else(|error| panic!("{}: {error:?}", excerpt(query)))
        .get(0)
}

pub fn user_id(client: &mut Client) -> Option<String> {
    one(client, "select auth.user_id()")
}

/// All claims, as text.
pub fn claims(client: &mut Client) -> String {
    one(client, "select auth.session()::text")
}

/// The rows of a simple query (of its last statement that has any), as texts.
pub fn rows(client: &mut Client, sql: &str) -> Vec<Vec<Option<String>>> {
    let messages = client
        .simple_query(sql)
        .unwrap_or_else(|error| panic!("{}: {error:?}", excerpt(sql)));
    let mut rows = Vec::new();
    for message in messages {
        match message {
            SimpleQueryMessage::RowDescription(_) => rows.clear(),
            SimpleQueryMessage::Row(row) => {
                rows.push(
                    (0..row.len())
                        .map(|column| row.get(column).map(str::to_owned))
                        .collect(),
                );
            }
            _ => {}
        }
    }
    rows
}

pub fn init(client: &mut Client, token: &str) {
    run(client, &format!("select auth.jwt_session_init('{token}')"));
}

pub fn run(client: &mut Client, sql: &str) {
    client
        .batch_execute(sql)
        .unwrap_or_else(|error| panic!("{}: {error:?}", excerpt(sql)));
}

/// An error as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub sqlstate: String,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
}

pub fn rejection(client: &mut Client, sql: &str) -> Rejection {
    let error = client.batch_execute(sql).expect_err(excerpt(sql));
    rejection_of(&error)
}

pub fn rejection_of(error: &postgres::Error) -> Rejection {
    let error = error.as_db_error().unwrap_or_else(|| panic!("{error:?}"));
    Rejection {
        sqlstate: error.code().code().to_owned(),
        message: error.message().to_owned(),
        detail: error.detail().map(str::to_owned),
        hint: error.hint().map(str::to_owned),
    }
}

/// Asserts that `sql` fails with this SQLSTATE and message.
#[track_caller]
pub fn rejects(client: &mut Client, sql: &str, sqlstate: &str, message: &str) {
    let rejection = rejection(client, sql);
    assert_eq!(
        (rejection.sqlstate.as_str(), rejection.message.as_str()),
        (sqlstate, message),
        "{}: {rejection:?}",
        excerpt(sql)
    );
}

/// The beginning of an SQL text, which may hold a long token.
fn excerpt(sql: &str) -> &str {
    &sql[..sql.floor_char_boundary(200)]
}

/// Every way in which a session can present a token.
pub fn ways_to_present(token: &str) -> [String; 4] {
    let token = token.replace('\'', "''");
    [
        format!("select auth.jwt_session_init('{token}')"),
        format!("select auth.jwt_session_init('{token}', true)"),
        format!("set pg_session_jwt.jwt = '{token}'"),
        format!("select set_config('pg_session_jwt.jwt', '{token}', false)"),
    ]
}

/// Asserts that each way to present the token fails with this error and leaves the identity unchanged.
#[track_caller]
pub fn rejects_token(client: &mut Client, token: &str, sqlstate: &str, message: &str) {
    let before = (user_id(client), claims(client));
    for sql in ways_to_present(token) {
        rejects(client, &sql, sqlstate, message);
        assert_eq!((user_id(client), claims(client)), before, "after {}", excerpt(&sql));
    }
}
