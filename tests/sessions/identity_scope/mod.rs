//! `pg_session_jwt.identity_scope = transaction`: an identity ends with its transaction.

mod changes;
mod claims;
mod hostile;
mod logins;
mod pooler;
mod unseen;
mod ways;
mod workers;

use std::sync::LazyLock;

use postgres::Client;
use testkit::loading::ordinary_user;
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{Rejection, one, rejection, run};

static PROVIDER: LazyLock<Provider> = LazyLock::new(|| Provider::new("https://id.example/"));

/// A database with the provider and this scope, and an ordinary user of that name.
fn database(server: &Server, scope: &str) -> String {
    let database = server.database();
    ordinary_user(server, &database);
    configure(server, &database, scope);
    database
}

/// Stores the provider and this scope for a database.
fn configure(server: &Server, database: &str, scope: &str) {
    run(
        &mut server.connect("postgres", "postgres", ""),
        &format!(
            "alter database {database} set pg_session_jwt.providers = '[{}]'",
            PROVIDER.entry("")
        ),
    );
    store_scope(server, database, scope);
}

/// Stores this scope for a database.
fn store_scope(server: &Server, database: &str, scope: &str) {
    run(
        &mut server.connect("postgres", "postgres", ""),
        &format!("alter database {database} set pg_session_jwt.identity_scope = '{scope}'"),
    );
}

fn token(user: &str) -> String {
    PROVIDER.token(user)
}

/// Asserts that `sql` is rejected because its identity would outlast the transaction.
#[track_caller]
fn outlasts(client: &mut Client, sql: &str) {
    let expected = Rejection {
        sqlstate: "55000".to_owned(),
        message: messages::OUTLASTS_TRANSACTION.to_owned(),
        detail: Some("\"pg_session_jwt.identity_scope\" is \"transaction\".".to_owned()),
        hint: Some(
            "Call auth.jwt_session_init(token, true) or use SET LOCAL pg_session_jwt.jwt in a transaction block."
                .to_owned(),
        ),
    };
    assert_eq!(rejection(client, sql), expected, "{}", &sql[..sql.len().min(80)]);
}

/// Whether there is an identity, and the reason why not.
fn status(client: &mut Client) -> String {
    one(
        client,
        "select concat_ws(' ', mode, user_id, reason) from auth.status()",
    )
}

/// The status of a session whose identity does not count.
fn ignored(mode: &str) -> String {
    format!("{mode} {}", messages::OUTLASTS_REASON)
}
