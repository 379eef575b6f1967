//! The three moments at which a session can load the library: in the postmaster, at session start, at the first call.

use std::sync::LazyLock;

use postgres::Client;

use crate::server::{SHARED, Server};
use crate::session::{one, run};

/// A server with the library in shared_preload_libraries and without a key.
pub static PRELOADED: LazyLock<Server> = LazyLock::new(|| Server::start("shared_preload_libraries = 'pg_session_jwt'"));

/// Runs a test for each of these moments, with a server, a new database and the moment's name.
pub fn with_each_loading(test: impl Fn(&Server, &str, &str)) {
    test(&PRELOADED, &PRELOADED.database(), "shared_preload_libraries");
    let database = SHARED.database();
    let at_start = format!("alter database {database} set session_preload_libraries = 'pg_session_jwt'");
    run(&mut SHARED.connect(&database, "postgres", ""), &at_start);
    test(&SHARED, &database, "session_preload_libraries");
    test(&SHARED, &SHARED.database(), "loaded by the first call");
}

/// Whether this session has loaded the library. Only then does pg_settings describe its settings.
pub fn is_loaded(client: &mut Client) -> bool {
    one(
        client,
        "select exists (select from pg_settings where name = 'pg_session_jwt.jwk')",
    )
}

/// A role that may log in, is a member of only `authenticated`, and has the name of the database.
pub fn ordinary_user(server: &Server, database: &str) -> String {
    let mut client = server.connect(database, "postgres", "");
    run(
        &mut client,
        &format!("create role {database} login in role authenticated"),
    );
    database.to_owned()
}
