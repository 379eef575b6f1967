//! Claims mode: `request.jwt.claims` counts only where it ends with the transaction.

use postgres::Client;
use testkit::loading::{ordinary_user, with_each_loading};
use testkit::server::Server;
use testkit::session::{rows, run, user_id};

use super::{ignored, status, store_scope};
use crate::support::parallel::{self, in_workers, leader_takes_part};

const ALICE: &str = r#"'{"sub":"alice"}'"#;
const NO_CLAIMS: &str = "claims request.jwt.claims is not set, or is not JSON that can be used";

fn database(server: &Server) -> String {
    let database = server.database();
    ordinary_user(server, &database);
    store_scope(server, &database, "transaction");
    database
}

/// Both before and after this library has defined the setting.
fn with_each_owner(test: impl Fn(&mut Client, &str)) {
    with_each_loading(|server, _, moment| {
        let database = database(server);
        test(&mut server.connect(&database, &database, ""), moment);
        let mut client = server.connect(&database, &database, "");
        assert_eq!(status(&mut client), NO_CLAIMS, "{moment}");
        test(&mut client, moment);
    });
}

#[test]
fn lasting_claims_do_not_count() {
    for set in [
        format!("set request.jwt.claims = {ALICE}"),
        format!("select set_config('request.jwt.claims', {ALICE}, false)"),
    ] {
        with_each_owner(|client, moment| {
            // SET itself is no error: the setting does not belong to this extension.
            run(client, &set);
            assert_eq!(status(client), ignored("claims"), "{moment}");
            assert_eq!(user_id(client), None, "{moment}");
            run(client, r#"begin; set local request.jwt.claims = '{"sub":"bob"}'"#);
            assert_eq!(user_id(client).as_deref(), Some("bob"), "{moment}");
            run(client, "commit");
            assert_eq!(user_id(client), None, "{moment}");
        });
    }
}

#[test]
fn local_claims_end_with_their_transaction() {
    for set in [
        format!("set local request.jwt.claims = {ALICE}"),
        format!("select set_config('request.jwt.claims', {ALICE}, true)"),
    ] {
        with_each_owner(|client, moment| {
            run(client, &format!("begin; {set}"));
            assert_eq!(status(client), "claims alice", "{moment}");
            run(client, "commit");
            assert_eq!(status(client), NO_CLAIMS, "{moment}");
        });
    }
}

/// A session with this scope, whose parallel queries run in workers alone.
fn session_whose_workers_read() -> Client {
    let database = parallel::database("");
    let mut admin = parallel::SERVER.connect("postgres", "postgres", "");
    run(
        &mut admin,
        &format!("alter database {database} set pg_session_jwt.identity_scope = transaction"),
    );
    let mut client = parallel::SERVER.connect(&database, "postgres", "");
    leader_takes_part(&mut client, false);
    client
}

#[test]
fn workers_have_the_local_claims_of_their_leader() {
    let mut client = session_whose_workers_read();
    assert_eq!(user_id(&mut client), None);
    let seen = |user: Option<&str>| [[user.map(str::to_owned), Some("t".to_owned())]];
    run(&mut client, &format!("begin; set local request.jwt.claims = {ALICE}"));
    assert_eq!(in_workers(&mut client, "auth.user_id()"), seen(Some("alice")));
    run(&mut client, &format!("commit; set request.jwt.claims = {ALICE}"));
    assert_eq!(in_workers(&mut client, "auth.user_id()"), seen(None));
}

/// The first query of the session is parallel: its leader has defined nothing.
#[test]
fn workers_never_take_claims_for_local_by_mistake() {
    let mut client = session_whose_workers_read();
    run(&mut client, &format!("set request.jwt.claims = {ALICE}"));
    let error = client
        .simple_query("select distinct auth.user_id() from owned")
        .unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!(
        (error.code().code(), error.message()),
        (
            "55000",
            "parallel worker does not know when the identity of its session ends"
        )
    );
    assert_eq!(user_id(&mut client), None);
    assert_eq!(rows(&mut client, "select distinct auth.user_id() from owned"), [[None]]);
}
