//! Real clients, each in its own language and idiom, against a server whose provider signs for two users.
//!
//! Every client does the same and prints the same lines, which are here. Two users share a connection and do the four
//! operations; one of them tries the other's rows; then follow an expired token and no identity.
//!
//! PG_CONFIG names the PostgreSQL, in which the extension must be installed. PG_SESSION_JWT_CLIENTS names the directory
//! with the clients of Node and Python (scripts/clients.sh). `make test-clients` sets both.

mod drizzle;
mod getting_started;
mod graphql;
mod languages;
mod node;
mod orms;
mod pooled;
mod psql;
mod python;
mod rust;
mod typescript;

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use testkit::server::Server;
use testkit::signer::Signer;

const ALICE: &str = "a11ce000-0000-4000-8000-000000000001";
const BOB: &str = "b0b00000-0000-4000-8000-000000000002";

/// The output of every client.
const EXPECTED: &str = include_str!("expected.txt");

static SIGNER: LazyLock<Signer> = LazyLock::new(Signer::ed25519);

/// The library is preloaded, the provider is in postgresql.conf, and the application logs in as a role without privileges.
static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let server = Server::start(&format!(
        "shared_preload_libraries = 'pg_session_jwt'\n\
         pg_session_jwt.claims_fallback = off\n\
         pg_session_jwt.providers = '[{{\"issuer\":\"https://id.example/\",\"audience\":\"todos\",\
         \"roles\":[\"authenticated\"],\"jwks\":{{\"keys\":[{}]}}}}]'",
        SIGNER.jwk(r#""kid":"k1""#)
    ));
    let mut admin = server.connect("template1", "postgres", "");
    let roles = "create role owner login; create role app login noinherit; grant authenticated, anonymous to app";
    admin.batch_execute(roles).unwrap();
    server
});

/// A database with no table in it, that belongs to the role `owner`.
fn empty_database() -> String {
    let database = SERVER.database();
    let mut admin = SERVER.connect(&database, "postgres", "");
    let owner = format!("alter database {database} owner to owner");
    admin.batch_execute(&owner).unwrap();
    let mut owner = SERVER.connect(&database, "owner", "");
    let grants =
        "alter default privileges in schema public grant select, insert, update, delete on tables to authenticated;
                  alter default privileges in schema public grant select on tables to anonymous";
    owner.batch_execute(grants).unwrap();
    database
}

/// The same with a table, for the clients that make none.
fn database() -> String {
    let database = empty_database();
    let mut owner = SERVER.connect(&database, "owner", "");
    let todos = "create table todos (id bigint generated always as identity primary key,
                     user_id text not null default (auth.user_id()), task text not null);
                 alter table todos enable row level security;
                 create policy own_todos on todos to authenticated
                     using ((select auth.user_id()) = user_id) with check ((select auth.user_id()) = user_id)";
    owner.batch_execute(todos).unwrap();
    database
}

/// The same, whose login may also be a visitor without a token.
fn database_for_visitors() -> String {
    let database = database();
    let mut admin = SERVER.connect(&database, "postgres", "");
    let visitors = "grant anonymous to app; grant select on todos to anonymous";
    admin.batch_execute(visitors).unwrap();
    database
}

fn token(user: &str, lives: i64) -> String {
    token_of(&SIGNER, "https://id.example/", user, lives)
}

fn token_of(signer: &Signer, issuer: &str, user: &str, lives: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let exp = i64::try_from(now).unwrap() + lives;
    let payload = format!(r#"{{"iss":"{issuer}","aud":"todos","sub":"{user}","exp":{exp}}}"#);
    signer.token_with_header("EdDSA", r#"{"alg":"EdDSA","kid":"k1","typ":"JWT"}"#, payload)
}

/// The directory of the clients of Node and Python.
fn laid_out() -> PathBuf {
    let directory = std::env::var("PG_SESSION_JWT_CLIENTS");
    PathBuf::from(
        directory.expect("PG_SESSION_JWT_CLIENTS: where the clients are laid out; `make test-clients` sets it"),
    )
}

/// Passes the address of the database and the tokens to a client.
fn connects<'a>(client: &'a mut Command, port: u16, database: &str) -> &'a mut Command {
    client
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", port.to_string())
        .env("PGUSER", "app")
        .env("PGDATABASE", database)
        .env("ALICE_TOKEN", token(ALICE, 600))
        .env("BOB_TOKEN", token(BOB, 600))
        .env("EXPIRED_TOKEN", token(ALICE, -600))
        .env("ALICE_ID", ALICE)
}

/// What a program prints; it must succeed.
#[track_caller]
fn output(program: &mut Command) -> String {
    let output = program.output().unwrap_or_else(|error| panic!("{program:?}: {error}"));
    let [out, error] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{}\n{out}\n{error}", output.status);
    out
}

/// Runs a client in that database, to its end.
#[track_caller]
fn does_the_scenario(client: &mut Command, database: &str) {
    does_the_scenario_at(SERVER.port(), client, database);
}

/// The same through a pooler.
#[track_caller]
fn does_the_scenario_at(port: u16, client: &mut Command, database: &str) {
    assert_eq!(output(connects(client, port, database)), EXPECTED);
    let mut admin = SERVER.connect(database, "postgres", "");
    let left: i64 = admin.query_one("select count(*) from todos", &[]).unwrap().get(0);
    assert_eq!(left, 0);
}
