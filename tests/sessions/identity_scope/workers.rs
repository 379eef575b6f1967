//! Parallel workers count an identity exactly where their leader does.

use postgres::Client;
use testkit::server::Server;
use testkit::session::{init, run};

use super::{configure, ignored, status, store_scope, token};
use crate::support::parallel::{self, SERVER, agrees_with_the_leader, fill, in_workers, leader_takes_part};

fn database(scope: &str) -> String {
    let database = parallel::database("");
    configure(&SERVER, &database, scope);
    database
}

#[track_caller]
fn workers_see(client: &mut Client, user: Option<&str>) {
    leader_takes_part(client, false);
    let expected = [[user.map(str::to_owned), Some("t".to_owned())]];
    assert_eq!(in_workers(client, "auth.user_id()"), expected);
    agrees_with_the_leader(client);
}

#[test]
fn workers_have_the_local_identity_of_their_leader() {
    let database = database("transaction");
    let mut client = SERVER.connect(&database, "postgres", "");
    workers_see(&mut client, None);
    let local = |user: &str| format!("select auth.jwt_session_init('{}', true)", token(user));
    run(&mut client, &format!("begin; {}", local("alice")));
    workers_see(&mut client, Some("alice"));
    run(&mut client, &format!("savepoint s; {}", local("bob")));
    workers_see(&mut client, Some("bob"));
    run(&mut client, "rollback to s");
    workers_see(&mut client, Some("alice"));
    run(&mut client, "commit");
    workers_see(&mut client, None);
}

#[test]
fn workers_ignore_what_their_leader_ignores() {
    let database = database("any");
    let mut client = SERVER.connect(&database, "postgres", "");
    init(&mut client, &token("alice"));
    workers_see(&mut client, Some("alice"));
    // Within a transaction, so that the worker has to decide before its leader does.
    run(&mut client, "set pg_session_jwt.identity_scope = transaction");
    workers_see(&mut client, None);
    run(
        &mut client,
        &format!("begin; select auth.jwt_session_init('{}', true)", token("bob")),
    );
    workers_see(&mut client, Some("bob"));
    run(&mut client, "rollback");
    workers_see(&mut client, None);
    run(&mut client, "set pg_session_jwt.identity_scope = 'any'");
    workers_see(&mut client, Some("alice"));
}

#[test]
fn workers_notice_a_stored_value() {
    let database = database("any");
    let mut client = SERVER.connect(&database, "postgres", "");
    init(&mut client, &token("alice"));
    workers_see(&mut client, Some("alice"));
    store_scope(&SERVER, &database, "transaction");
    workers_see(&mut client, None);
    run(
        &mut client,
        &format!("begin; select auth.jwt_session_init('{}', true)", token("bob")),
    );
    workers_see(&mut client, Some("bob"));
}

#[test]
fn a_worker_ignores_the_startup_packets_token() {
    let database = database("transaction");
    let options = format!("-c pg_session_jwt.jwt={}", token("alice"));
    let mut client = SERVER.connect(&database, "postgres", &options);
    workers_see(&mut client, None);
    assert_eq!(status(&mut client), ignored("provider"));
}

#[test]
fn workers_of_a_preloaded_library_agree() {
    let server = Server::start(
        "shared_preload_libraries = 'pg_session_jwt'\nmax_worker_processes = 20\nmax_parallel_workers = 20\n\
         max_parallel_workers_per_gather = 2\nparallel_setup_cost = 0\nparallel_tuple_cost = 0\n\
         min_parallel_table_scan_size = 0\npg_session_jwt.identity_scope = transaction",
    );
    let database = super::database(&server, "transaction");
    fill(&mut server.connect(&database, "postgres", ""));
    let mut client = server.connect(&database, "postgres", "");
    workers_see(&mut client, None);
    run(
        &mut client,
        &format!("begin; select auth.jwt_session_init('{}', true)", token("alice")),
    );
    workers_see(&mut client, Some("alice"));
    run(&mut client, "commit");
    workers_see(&mut client, None);
}
