//! PgBouncer in transaction mode: the leak of session identities, and its end.

use postgres::Client;
use testkit::pgbouncer::PgBouncer;
use testkit::session::{rows, run};

use super::{outlasts, store_scope};
use crate::support::pooling::{PROVIDER, SEEN, SERVER, database};

/// What a client sees without a token, after it has taken the role.
fn seen(client: &mut Client) -> Option<String> {
    rows(client, &format!("set local role authenticated; {SEEN}"))
        .swap_remove(0)
        .swap_remove(0)
}

#[test]
fn scope_ends_a_leak_at_once() {
    let database = database();
    let pgbouncer = PgBouncer::start(&SERVER, "transaction", "");
    let (mut alice, mut stranger) = (pgbouncer.connect(&database), pgbouncer.connect(&database));
    let mistake = format!(
        "set local role authenticated; select auth.jwt_session_init('{}')",
        PROVIDER.token("alice")
    );
    run(&mut alice, &mistake);
    assert_eq!(seen(&mut stranger).as_deref(), Some("alice:a1 alice:a2"));
    // The server connection of the pooler stays open.
    store_scope(&SERVER, &database, "transaction");
    assert_eq!(seen(&mut stranger).as_deref(), Some(""));
    outlasts(&mut alice, &mistake);
    let bob = format!(
        "set local role authenticated; select auth.jwt_session_init('{}', true); {SEEN}",
        PROVIDER.token("bob")
    );
    assert_eq!(rows(&mut stranger, &bob), [[Some("bob:b1".to_owned())]]);
    assert_eq!(seen(&mut alice).as_deref(), Some(""));
}

#[test]
fn nothing_leaks_from_a_connection_that_begins_with_the_scope() {
    let database = database();
    store_scope(&SERVER, &database, "transaction");
    let pgbouncer = PgBouncer::start(&SERVER, "transaction", "");
    let (mut alice, mut stranger) = (pgbouncer.connect(&database), pgbouncer.connect(&database));
    let token = PROVIDER.token("alice");
    for mistake in [
        format!("select auth.jwt_session_init('{token}')"),
        format!("set pg_session_jwt.jwt = '{token}'"),
        format!("select set_config('pg_session_jwt.jwt', '{token}', false)"),
    ] {
        let mistake = format!("set local role authenticated; {mistake}");
        outlasts(&mut alice, &mistake);
        assert_eq!(seen(&mut stranger).as_deref(), Some(""));
        outlasts(&mut alice, &format!("begin; {mistake}"));
        run(&mut alice, "rollback");
        assert_eq!(seen(&mut stranger).as_deref(), Some(""));
    }
}
