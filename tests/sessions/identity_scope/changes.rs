//! The setting changes while a session has an identity.

use postgres::Client;
use testkit::loading::{PRELOADED, with_each_loading};
use testkit::server::Server;
use testkit::session::{init, one, rows, run, user_id};

use super::{database, ignored, outlasts, status, token};
use crate::support::reload::reload;

/// Asserts that the session's identity, alice, does not count, and that those of a transaction do.
#[track_caller]
fn only_local_identities_count(client: &mut Client, context: &str) {
    assert_eq!(status(client), ignored("provider"), "{context}");
    assert_eq!(user_id(client), None, "{context}");
    outlasts(client, &format!("set pg_session_jwt.jwt = '{}'", token("bob")));
    let bob = format!("begin; select auth.jwt_session_init('{}', true)", token("bob"));
    run(client, &bob);
    assert_eq!(status(client), "provider bob", "{context}");
    run(client, "rollback");
    assert_eq!(user_id(client), None, "{context}");
}

/// A session that has an identity.
fn alice(server: &Server, database: &str) -> Client {
    let mut client = server.connect(database, database, "");
    init(&mut client, &token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    client
}

#[test]
fn stored_value_counts_at_once_in_open_sessions() {
    for conf in ["", "shared_preload_libraries = 'pg_session_jwt'"] {
        let server = Server::start(conf);
        let mut admin = server.connect("postgres", "postgres", "");
        let database = database(&server, "any");
        run(
            &mut admin,
            &format!("alter database {database} reset pg_session_jwt.identity_scope"),
        );
        for place in [
            format!("alter database {database}"),
            format!("alter role {database}"),
            format!("alter role {database} in database {database}"),
            "alter role all".to_owned(),
        ] {
            let mut client = alice(&server, &database);
            run(
                &mut admin,
                &format!("{place} set pg_session_jwt.identity_scope = 'Transaction'"),
            );
            only_local_identities_count(&mut client, &place);
            let mut fresh = server.connect(&database, &database, "");
            assert_eq!(user_id(&mut fresh), None, "{place}");
            outlasts(&mut fresh, &format!("select auth.jwt_session_init('{}')", token("bob")));
            run(&mut admin, &format!("{place} reset pg_session_jwt.identity_scope"));
            assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{place}");
        }
    }
}

#[test]
fn value_that_is_stored_for_others_does_not_count() {
    with_each_loading(|server, _, moment| {
        let (database, elsewhere) = (database(server, "any"), database(server, "any"));
        let mut admin = server.connect("postgres", "postgres", "");
        let mut client = alice(server, &database);
        for change in [
            format!("alter database {elsewhere} set pg_session_jwt.identity_scope = transaction"),
            format!("alter role {elsewhere} set pg_session_jwt.identity_scope = transaction"),
            format!("alter role {database} in database {elsewhere} set pg_session_jwt.identity_scope = transaction"),
            // The value of the database applies in its place, as at a login.
            format!("alter role {database} in database {database} set pg_session_jwt.identity_scope = 'any'"),
            format!("alter role {database} set pg_session_jwt.identity_scope = transaction"),
        ] {
            run(&mut admin, &change);
            assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{moment}: {change}");
        }
        // The other session has them.
        let mut other = server.connect(&elsewhere, &elsewhere, "");
        assert_eq!(user_id(&mut other), None);
        outlasts(&mut other, &format!("set pg_session_jwt.jwt = '{}'", token("bob")));
    });
}

/// PostgreSQL itself applies the stored settings of the role that logs in only.
#[test]
fn value_of_the_current_role_counts_at_once() {
    with_each_loading(|server, _, moment| {
        let database = database(server, "any");
        let mut admin = server.connect("postgres", "postgres", "");
        let role = format!("{database}_role");
        run(&mut admin, &format!("create role {role}; grant {role} to {database}"));
        let mut client = alice(server, &database);
        run(&mut client, &format!("set role {role}"));
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{moment}");
        run(
            &mut admin,
            &format!("alter role {role} set pg_session_jwt.identity_scope = transaction"),
        );
        only_local_identities_count(&mut client, moment);
        run(&mut client, "reset role");
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{moment}");
        // In one transaction as well, each at its own use.
        run(&mut client, &format!("begin; set local role {role}"));
        assert_eq!(user_id(&mut client), None, "{moment}");
        run(&mut client, "set local role none");
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{moment}");
        run(&mut client, "commit");
        // A value of this role makes nothing possible that the login's forbids.
        run(
            &mut admin,
            &format!(
                "alter role {role} set pg_session_jwt.identity_scope = 'any';
                 alter role {database} set pg_session_jwt.identity_scope = transaction"
            ),
        );
        run(&mut client, &format!("set role {role}"));
        only_local_identities_count(&mut client, moment);
    });
}

#[test]
fn stored_value_counts_from_the_next_transaction_on() {
    let database = database(&PRELOADED, "any");
    let mut admin = PRELOADED.connect("postgres", "postgres", "");
    let mut client = alice(&PRELOADED, &database);
    run(&mut client, "begin; select auth.user_id()");
    run(
        &mut admin,
        &format!("alter database {database} set pg_session_jwt.identity_scope = transaction"),
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    run(&mut client, "commit");
    only_local_identities_count(&mut client, "after commit");
}

/// The stored value is read again only after a catalog has changed. What a transaction itself has changed and rolled back is
/// no message to anyone.
#[test]
fn value_that_was_rolled_back_never_counted() {
    let database = database(&PRELOADED, "any");
    let mut client = PRELOADED.connect(&database, "postgres", "");
    init(&mut client, &token("alice"));
    let reset = format!("alter database {database} reset pg_session_jwt.identity_scope");
    let transaction = format!("alter database {database} set pg_session_jwt.identity_scope = transaction");
    run(&mut client, &reset);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    for savepoint in ["", "savepoint s; "] {
        run(&mut client, &format!("begin; {savepoint}{transaction}"));
        assert_eq!(user_id(&mut client), None);
        run(&mut client, "rollback");
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    }
    run(&mut client, &transaction);
    assert_eq!(user_id(&mut client), None);
    run(&mut client, &format!("begin; {reset}"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    run(&mut client, "rollback");
    assert_eq!(user_id(&mut client), None);
    // The transactions of one message have the same start.
    let both = |change: &str| {
        format!("begin; {change}; select auth.user_id(); rollback; begin; select auth.user_id(); commit")
    };
    assert_eq!(rows(&mut client, &both(&reset)), [[None]]);
    run(&mut client, &reset);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(rows(&mut client, &both(&transaction)), [[Some("alice".to_owned())]]);
}

/// PostgreSQL restores a value that stays the same without telling this library.
#[test]
fn value_of_a_function_ends_with_it() {
    let database = database(&PRELOADED, "any");
    let mut admin = PRELOADED.connect(&database, "postgres", "");
    run(
        &mut admin,
        "create function overridden() returns text language sql security definer
             set pg_session_jwt.identity_scope = 'any' as 'select auth.user_id()'",
    );
    let reset = format!("alter database {database} reset pg_session_jwt.identity_scope");
    run(&mut admin, &reset);
    let mut client = alice(&PRELOADED, &database);
    run(
        &mut admin,
        &format!("alter database {database} set pg_session_jwt.identity_scope = transaction"),
    );
    assert_eq!(user_id(&mut client), None);
    for _ in 0..2 {
        assert_eq!(
            one::<String>(&mut client, "select overridden()"),
            "alice",
            "the superuser's value counts inside"
        );
        assert_eq!(user_id(&mut client), None);
    }
    run(&mut client, "begin; select overridden()");
    assert_eq!(user_id(&mut client), None);
    run(&mut client, "commit");
    assert_eq!(user_id(&mut client), None);
}

#[test]
fn value_of_the_file_counts_at_the_reload() {
    for conf in ["", "shared_preload_libraries = 'pg_session_jwt'"] {
        let server = Server::start(conf);
        let database = database(&server, "any");
        let mut admin = server.connect("postgres", "postgres", "");
        run(
            &mut admin,
            &format!("alter database {database} reset pg_session_jwt.identity_scope"),
        );
        let mut client = alice(&server, &database);
        run(&mut admin, "load 'pg_session_jwt'");
        run(
            &mut admin,
            "alter system set pg_session_jwt.identity_scope = transaction",
        );
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
        reload(&server, &mut [&mut client]);
        only_local_identities_count(&mut client, conf);
        run(&mut admin, "alter system reset pg_session_jwt.identity_scope");
        reload(&server, &mut [&mut client]);
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    }
}

#[test]
fn superusers_own_value_counts_in_place_of_the_stored_one() {
    with_each_loading(|server, _, moment| {
        let database = database(server, "transaction");
        let mut client = server.connect(&database, "postgres", "");
        assert_eq!(user_id(&mut client), None);
        run(&mut client, "set pg_session_jwt.identity_scope = 'any'");
        init(&mut client, &token("alice"));
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{moment}");
        run(
            &mut client,
            "begin; set local pg_session_jwt.identity_scope = transaction",
        );
        assert_eq!(status(&mut client), ignored("provider"), "{moment}");
        run(&mut client, "commit");
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{moment}");
        run(&mut client, "reset pg_session_jwt.identity_scope");
        only_local_identities_count(&mut client, moment);
    });
}
