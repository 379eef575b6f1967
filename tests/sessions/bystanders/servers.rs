//! The servers that are compared, and sessions on them.

use std::path::Path;
use std::sync::LazyLock;

use crate::attacks::wire::Wire;
use crate::support::environment::program;

use super::answers::Kind;
use super::cases;
use testkit::server::Server;
use testkit::session::{Proxy, run};

const SETUP: &str = include_str!("setup.sql");

/// Locks for the cases of waits.sql. A separate transaction, because a batch of statements is one.
const HOLD: &str = "begin;
    lock table held.t in access exclusive mode;
    update held.rows set n = 0 where id = 1;
    insert into held.rows values (2, 0);
    prepare transaction 'holds'";

/// The database without the extension.
pub const DATABASE: &str = "bystanders";

/// The database with the extension or, without the library, with objects of the same names.
const IDENTIFIED: &str = "identified";

const CONF: &str = "max_prepared_transactions = 2";

const PRELOAD: &str = "max_prepared_transactions = 2\nshared_preload_libraries = 'pg_session_jwt'";

pub static WITHOUT: LazyLock<Server> =
    LazyLock::new(|| set_up(Server::start_empty(CONF), "", include_str!("stand_ins.sql")));

pub static PRELOADED: LazyLock<Server> = LazyLock::new(|| set_up(Server::start_empty(PRELOAD), "", EXTENSION));

pub static INSTALLED: LazyLock<Server> = LazyLock::new(|| set_up(Server::start_empty(PRELOAD), EXTENSION, EXTENSION));

pub static WITH_BACKTRACES: LazyLock<Server> = LazyLock::new(|| {
    let with_backtraces = |directory: &Path| program(directory, "export RUST_BACKTRACE=1");
    set_up(Server::start_program(PRELOAD, with_backtraces), "", EXTENSION)
});

const EXTENSION: &str = "create extension pg_session_jwt";

/// Creates the databases, each of whose setups begins with these statements.
fn set_up(server: Server, bystanders: &str, identified: &str) -> Server {
    let mut client = server.connect("postgres", "postgres", "");
    for database in [DATABASE, IDENTIFIED] {
        run(&mut client, &format!("create database {database}"));
    }
    let mut client = server.connect(DATABASE, "postgres", "");
    run(&mut client, "create role bystander");
    run(&mut client, bystanders);
    run(&mut client, SETUP);
    run(&mut client, HOLD);
    let mut client = server.connect(IDENTIFIED, "postgres", "");
    run(&mut client, identified);
    run(&mut client, SETUP);
    run(&mut client, include_str!("policies_setup.sql"));
    server
}

pub fn session(server: &Server) -> Wire {
    Wire::connect(server.port(), DATABASE, "postgres")
}

/// A session of alice, with a newer token of hers in `test.token`.
pub fn identified(server: &Server, database: &str) -> Wire {
    let mut proxy = Proxy::new();
    let options = proxy.options();
    let parameters = [("user", "postgres"), ("database", database), ("options", &options)];
    let (mut wire, _) = Wire::open(server.port(), &parameters);
    let mut token = || proxy.token(r#""sub":"alice","org":{"id":"x"}"#);
    let first = format!(
        "select auth.jwt_session_init('{}');; set test.token = '{}'",
        token(),
        token()
    );
    succeeds(&mut wire, &first);
    wire
}

pub fn session_of_alice(server: &Server) -> Wire {
    let mut wire = identified(server, IDENTIFIED);
    succeeds(&mut wire, "set role authenticated");
    wire
}

fn succeeds(wire: &mut Wire, sql: &str) {
    let answers = cases::answers(wire, sql);
    assert!(
        answers.iter().all(|answer| answer.kind != Kind::Error),
        "{sql}: {answers:?}"
    );
}
