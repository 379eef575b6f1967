//! The patterns that docs/pooling.md warns of: an identity of the session where a pooler gives each transaction another
//! one. The tests show that the leak is real, and its remedy.

use postgres::Client;
use testkit::pgbouncer::PgBouncer;
use testkit::session::{rejects, rows, run};

use crate::support::pooling::{PROVIDER, SEEN, SERVER, database};

/// The single value of a query, without a prepared statement.
fn value(client: &mut Client, sql: &str) -> Option<String> {
    rows(client, sql).swap_remove(0).swap_remove(0)
}

/// Sets a role and an identity for the session.
fn take_on(client: &mut Client) {
    let token = PROVIDER.token("alice");
    run(
        client,
        &format!("set role authenticated; select auth.jwt_session_init('{token}')"),
    );
}

/// The statements of docs/pooling.md.
const LOOK: &str = "select current_user, identity, user_id from auth.status()";

#[test]
fn session_identity_leaks_to_the_next_client() {
    let database = database();
    for mode in ["transaction", "statement"] {
        let pgbouncer = PgBouncer::start(&SERVER, mode, "");
        let (mut alice, mut stranger) = (pgbouncer.connect(&database), pgbouncer.connect(&database));
        let anonymous = [[Some("app".to_owned()), Some("f".to_owned()), None]];
        assert_eq!(rows(&mut stranger, LOOK), anonymous, "{mode}");
        take_on(&mut alice);
        // This client has presented no token, and is alice.
        assert_eq!(value(&mut stranger, SEEN).unwrap(), "alice:a1 alice:a2", "{mode}");
        let leaked = ["authenticated", "t", "alice"].map(|text| Some(text.to_owned()));
        assert_eq!(rows(&mut stranger, LOOK), [leaked], "{mode}");
        // It stays after alice disconnects: PgBouncer resets a connection only in session mode.
        drop(alice);
        assert_eq!(value(&mut stranger, SEEN).unwrap(), "alice:a1 alice:a2", "{mode}");
    }
}

#[test]
fn sql_prepared_statement_leaks_to_the_next_client() {
    let (database, pgbouncer) = (database(), PgBouncer::start(&SERVER, "transaction", ""));
    let (mut alice, mut bob) = (pgbouncer.connect(&database), pgbouncer.connect(&database));
    run(&mut alice, "prepare mine as select * from todos");
    let again = r#"prepared statement "mine" already exists"#;
    rejects(&mut bob, "prepare mine as select 1", "42P05", again);
    // It returns the rows of its current caller.
    let init = format!("select auth.jwt_session_init('{}', true)", PROVIDER.token("bob"));
    let seen = rows(&mut bob, &format!("set local role authenticated; {init}; execute mine"));
    assert_eq!(seen.len(), 1);
}

#[test]
fn reset_after_each_transaction_stops_the_leak() {
    let database = database();
    let conf = "server_reset_query = DISCARD ALL\nserver_reset_query_always = 1";
    for mode in ["transaction", "statement"] {
        let pgbouncer = PgBouncer::start(&SERVER, mode, conf);
        let (mut alice, mut stranger) = (pgbouncer.connect(&database), pgbouncer.connect(&database));
        take_on(&mut alice);
        for client in [&mut alice, &mut stranger] {
            let anonymous = [[Some("app".to_owned()), Some("f".to_owned()), None]];
            assert_eq!(rows(client, LOOK), anonymous, "{mode}");
        }
        let init = format!("select auth.jwt_session_init('{}', true)", PROVIDER.token("alice"));
        let right = format!("set local role authenticated; {init}; {SEEN}");
        assert_eq!(value(&mut alice, &right).unwrap(), "alice:a1 alice:a2", "{mode}");
        assert_eq!(rows(&mut stranger, LOOK).len(), 1, "{mode}");
    }
}
