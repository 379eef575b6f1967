//! `auth.provider_settings`: from a URL to the first row, and the statement that it writes.

mod case;
mod cases;
mod documents;
mod first_row;
mod internet;
mod list;
mod privileges;

use std::collections::HashMap;

use postgres::Client;
use testkit::guide::{Block, PsqlSession};
use testkit::server::Server;
use testkit::session::run;

/// Runs SQL by psql, as a superuser, and returns what it prints; with `error` it must fail.
fn psql(server: &Server, database: &str, sql: &str, fence: &str) -> String {
    let session = PsqlSession {
        server,
        port: server.port(),
        user: "postgres",
        database,
        options: "",
        variables: HashMap::new(),
    };
    session.runs(&Block {
        fence: fence.to_owned(),
        text: format!("{sql}\n"),
    })
}

/// Adds the provider of a URL as a reader of the documentation does.
fn gexec(url: &str, fill_in: &str) -> String {
    format!(r"SELECT statement FROM auth.provider_settings('{url}', '{fill_in}') \gexec")
}

/// The value that is stored for the database.
const STORED: &str = "select substr(c, length('pg_session_jwt.providers=') + 1)
    from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase, unnest(setconfig) c
    where d.datname = current_database() and setrole = 0 and c like 'pg_session_jwt.providers=%'";

/// Stores a value for a database.
fn store(client: &mut Client, database: &str, value: &str) {
    let value = value.replace('\'', "''");
    run(
        client,
        &format!("alter database {database} set pg_session_jwt.providers = '{value}'"),
    );
}
