//! The gateway as a process, in front of a real PostgreSQL, with the drivers of Node.js and a browser.
//!
//! PG_CONFIG names that PostgreSQL, in which the extension must be installed. PG_SESSION_JWT_GATEWAY_DRIVERS names the
//! directory with the drivers (scripts/gateway.sh). `make test-gateway` sets both.

mod against_the_gateway;
mod attacks;
mod docs;
mod drivers;
mod hostile;
mod identity_scope;
mod leftovers;
mod limits;
mod mixed;
mod orms;
mod process;
mod reload;
mod running;
mod set_up_script;
mod shutdown;
mod sql;
mod transaction_control;
mod upstream;
mod websocket;

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use testkit::root;
use testkit::server::{Server, program};
use testkit::session::run;
use testkit::signer::Signer;

use attacks::victim;

const ALICE: &str = "a11ce000-0000-4000-8000-000000000001";
const BOB: &str = "b0b00000-0000-4000-8000-000000000002";

static SIGNER: LazyLock<Signer> = LazyLock::new(Signer::ed25519);

/// The library is preloaded, and the provider is in postgresql.conf. Each test has its own database.
static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let server = Server::start(&settings());
    create_login(&server);
    server
});

/// The lines of postgresql.conf.
fn settings() -> String {
    let secret_key = format!(",{}", victim().secret_key());
    format!("shared_preload_libraries = 'pg_session_jwt'\n{}", trust(&secret_key))
}

/// Whom the server trusts: one provider, with these further keys.
fn trust(more_keys: &str) -> String {
    format!(
        "pg_session_jwt.client_keys = off\n\
         pg_session_jwt.claims_fallback = off\n\
         pg_session_jwt.providers = '[{{\"issuer\":\"https://id.example/\",\"audience\":\"todos\",\
         \"jwks\":{{\"keys\":[{}{more_keys}]}}}}]'",
        victim().public_keys()
    )
}

/// In template1, so that what it revokes is revoked in each database of the tests.
fn create_login(server: &Server) {
    set_up(server, "template1", &[]);
}

/// Runs setup.sql with these variables.
fn set_up(server: &Server, database: &str, variables: &[&str]) {
    let port = server.port().to_string();
    let output = program("psql", None)
        .args([
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-U",
            "postgres",
            "-d",
            database,
            "-X",
            "-q",
        ])
        .args(variables.iter().flat_map(|variable| ["-v", variable]))
        .arg("-f")
        .arg(root().join("gateway/setup.sql"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The todos of the README, each person's own, and a table that visitors may read.
const SCHEMA: &str = "
    create table todos (
        id bigint generated always as identity primary key,
        user_id text not null default (auth.user_id()),
        task text not null
    );
    create index on todos (user_id);
    alter table todos enable row level security;
    create policy own_todos on todos to authenticated
        using ((select auth.user_id()) = user_id) with check ((select auth.user_id()) = user_id);
    grant select, insert, update, delete on todos to authenticated;
    create table notices (notice text);
    insert into notices values ('hello');
    grant select on notices to anonymous, authenticated;";

/// A new database with these tables.
fn database() -> String {
    database_of(&SERVER)
}

fn database_of(server: &Server) -> String {
    let database = server.database();
    run(&mut server.connect(&database, "postgres", ""), SCHEMA);
    database
}

/// A token of the provider that lives for so many seconds.
fn token(user: &str, lives: i64) -> String {
    token_of(&SIGNER, "https://id.example/", user, lives)
}

fn token_of(signer: &Signer, issuer: &str, user: &str, lives: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let exp = i64::try_from(now).unwrap() + lives;
    let payload = format!(r#"{{"iss":"{issuer}","aud":"todos","sub":"{user}","exp":{exp}}}"#);
    signer.token_with_header("EdDSA", r#"{"alg":"EdDSA","kid":"k1","typ":"JWT"}"#, payload)
}
