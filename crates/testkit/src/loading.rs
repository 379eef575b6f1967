//! The three moments at which a session can meet the library: in the postmaster, at its start, at the first call.

use std::sync::LazyLock;

use postgres::Client;

use crate::server::{SHARED, Server};
use crate::session::{one, run};

/// A server with the library in shared_preload_libraries and no key of its own.
pub static PRELOADED: LazyLock<Server> = LazyLock::new(|| Server::start("shared_preload_libraries = 'pg_session_jwt'"));

/// Runs a test with each of them; it gets a server, a database of its own there, and the moment's name.
pub fn with_each_loading(test: impl Fn(&Server, &str, &str)) {
    test(&PRELOADED, &PRELOADED.database(), "shared_preload_libraries");
    let database = SHARED.database();
    let at_start = format!("alter database {database} set session_preload_libraries = 'pg_session_jwt'");
    run(&mut SHARED.connect(&database, "postgres", ""), &at_start);
    test(&SHARED, &database, "session_preload_libraries");
    test(&SHARED, &SHARED.database(), "loaded by the first call");
}

/// Whether the library is in this session. Its settings are then real ones, which pg_settings describes.
pub fn is_loaded(client: &mut Client) -> bool {
    one(
        client,
        "select exists (select from pg_settings where name = 'pg_session_jwt.jwk')",
    )
}

/// A role that may log in, is nothing but `authenticated`, and has the name of the database, which is its own.
pub fn ordinary_user(server: &Server, database: &str) -> String {
    let mut client = server.connect(database, "postgres", "");
    run(
        &mut client,
        &format!("create role {database} login in role authenticated"),
    );
    database.to_owned()
}
