//! The measured databases: one server with the library preloaded has the same tables in provider mode and in claims mode.

use std::sync::LazyLock;

use postgres::Client;
use testkit::issuer::providers;
use testkit::server::Server;
use testkit::session::run;

use crate::policies;

/// No background activity, and all data in memory.
pub const CONF: &str = "jit = off\nmax_parallel_workers_per_gather = 0\nautovacuum = off\nshared_buffers = '256MB'\n\
    work_mem = '256MB'\nmax_wal_size = '4GB'\ncheckpoint_timeout = '1h'\n";

pub static SERVER: LazyLock<Server> =
    LazyLock::new(|| Server::start(&format!("{CONF}shared_preload_libraries = 'pg_session_jwt'")));

/// The database without providers.
pub static CLAIMS_MODE: LazyLock<String> = LazyLock::new(|| {
    let database = SERVER.database();
    make_objects(&mut SERVER.connect(&database, "postgres", ""));
    database
});

/// The measured tables, and the functions of their policies.
pub fn make_objects(client: &mut Client) {
    let library = std::env::var("BENCH_FLOOR").expect("BENCH_FLOOR: the compiled benches/floor/floor.c");
    for function in ["floor_per_query", "floor_per_session"] {
        run(
            client,
            &format!("create function {function}() returns text language c stable parallel safe as '{library}'"),
        );
    }
    run(client, CLAIM_UID);
    policies::make_tables(client);
}

/// The user id as plain SQL reads it from the gateway's claims at each call, without this extension.
const CLAIM_UID: &str = "create function claim_uid() returns uuid language sql stable as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
    )::uuid $$";

/// A copy of [`CLAIMS_MODE`] with one provider.
pub static PROVIDER_MODE: LazyLock<String> = LazyLock::new(|| {
    let database = SERVER.database_with(&format!("template {}", *CLAIMS_MODE));
    set_providers(&SERVER, &database, &providers());
    database
});

pub fn set_providers(server: &Server, database: &str, value: &str) {
    run(
        &mut server.connect("postgres", "postgres", ""),
        &format!("alter database {database} set pg_session_jwt.providers = '{value}'"),
    );
}

pub fn session(database: &str) -> Client {
    SERVER.connect(database, "postgres", "")
}

/// Sets the claims as PostgREST does.
pub fn set_claims(client: &mut Client, claims: &str) {
    run(
        client,
        &format!("select set_config('request.jwt.claims', '{claims}', false)"),
    );
}
