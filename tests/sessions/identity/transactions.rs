//! The identity belongs to the setting: it follows transactions and savepoints, and each session has a separate one.

use testkit::messages;
use testkit::server::SHARED;
use testkit::session::{Proxy, claims, init, one, rejects, rejects_token, rows, run, user_id};

#[test]
fn rollback_restores_the_previous_identity() {
    // A later call must not fail with the message about jti.
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(&mut client, "begin");
    init(&mut client, &proxy.token_of("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    run(&mut client, "rollback");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(claims(&mut client), r#"{"jti": 1, "sub": "alice"}"#);
}

#[test]
fn a_commit_keeps_the_identity_of_the_transaction() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(&mut client, "begin");
    init(&mut client, &proxy.token_of("bob"));
    run(&mut client, "commit");
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[test]
fn failed_transaction_restores_the_previous_identity() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(&mut client, "begin");
    init(&mut client, &proxy.token_of("bob"));
    rejects(&mut client, "select 1/0", "22012", "division by zero");
    run(&mut client, "commit");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

/// attack: 73
#[test]
fn savepoint_restores_the_identity_at_its_creation() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(&mut client, "begin");
    for (savepoint, user) in [("a", "bob"), ("b", "carol"), ("c", "dave")] {
        run(&mut client, &format!("savepoint {savepoint}"));
        init(&mut client, &proxy.token_of(user));
    }
    for (savepoint, user) in [("c", "carol"), ("b", "bob"), ("a", "alice")] {
        run(&mut client, &format!("rollback to {savepoint}"));
        assert_eq!(
            user_id(&mut client).as_deref(),
            Some(user),
            "after rollback to {savepoint}"
        );
    }
    run(&mut client, "commit");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn released_savepoint_leaves_its_identity() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    for (end, user) in [("rollback", "alice"), ("commit", "carol")] {
        run(&mut client, "begin; savepoint outside");
        init(&mut client, &proxy.token_of("bob"));
        run(&mut client, "savepoint inside");
        init(&mut client, &proxy.token_of("carol"));
        run(&mut client, "release inside; release outside");
        assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
        run(&mut client, end);
        assert_eq!(user_id(&mut client).as_deref(), Some(user), "after {end}");
    }
}

/// attack: 84
#[test]
fn local_identity_ends_with_its_transaction() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let statements: [fn(&str) -> String; 3] = [
        |token| format!("select auth.jwt_session_init('{token}', true)"),
        |token| format!("set local pg_session_jwt.jwt = '{token}'"),
        |token| format!("select set_config('pg_session_jwt.jwt', '{token}', true)"),
    ];
    for present in statements {
        for end in ["commit", "rollback"] {
            run(&mut client, "begin");
            run(&mut client, &present(&proxy.token_of("bob")));
            assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
            run(&mut client, end);
            assert_eq!(
                user_id(&mut client).as_deref(),
                Some("alice"),
                "{}, {end}",
                present("…")
            );
        }
    }
}

#[test]
fn session_identity_outlasts_its_transaction() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    let statements: [fn(&str) -> String; 4] = [
        |token| format!("select auth.jwt_session_init('{token}')"),
        |token| format!("select auth.jwt_session_init('{token}', false)"),
        |token| format!("set pg_session_jwt.jwt = '{token}'"),
        |token| format!("select set_config('pg_session_jwt.jwt', '{token}', false)"),
    ];
    for (number, present) in statements.into_iter().enumerate() {
        let user = format!("user{number}");
        run(
            &mut client,
            &format!("begin; {}; commit", present(&proxy.token_of(&user))),
        );
        assert_eq!(user_id(&mut client), Some(user));
    }
}

#[test]
fn local_identity_gives_way_to_the_sessions_at_commit() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(&mut client, "begin");
    init(&mut client, &proxy.token_of("bob"));
    run(
        &mut client,
        &format!("select auth.jwt_session_init('{}', true)", proxy.token_of("carol")),
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
    run(&mut client, "commit");
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[test]
fn local_identity_outside_a_block_ends_with_its_statement() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(
        &mut client,
        &format!("select auth.jwt_session_init('{}', true)", proxy.token_of("bob")),
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

/// attack: 88
#[test]
fn rejected_token_stops_the_query_in_its_message() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(&mut client, "create table seen (who text)");
    let bad = Proxy::new().token_of("bob");
    let sql = format!("select auth.jwt_session_init('{bad}'); insert into seen select auth.user_id()");
    rejects(&mut client, &sql, "28000", messages::INVALID_SIGNATURE);
    assert_eq!(one::<i64>(&mut client, "select count(*) from seen"), 0);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn error_after_a_token_in_one_message_undoes_it() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let sql = format!("select auth.jwt_session_init('{}'); select 1/0", proxy.token_of("bob"));
    rejects(&mut client, &sql, "22012", "division by zero");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    let sql = format!(
        "select auth.jwt_session_init('{}'); select auth.user_id()",
        proxy.token_of("bob")
    );
    assert_eq!(rows(&mut client, &sql), [[Some("bob".to_owned())]]);
}

#[test]
fn failed_transaction_block_rejects_tokens() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let aborted = "current transaction is aborted, commands ignored until end of transaction block";
    run(&mut client, "begin");
    let bad = Proxy::new().token_of("bob");
    rejects(
        &mut client,
        &format!("set pg_session_jwt.jwt = '{bad}'"),
        "28000",
        messages::INVALID_SIGNATURE,
    );
    let good = format!("set pg_session_jwt.jwt = '{}'", proxy.token_of("bob"));
    rejects(&mut client, &good, "25P02", aborted);
    run(&mut client, "rollback");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn sessions_of_one_role_are_independent() {
    let mut proxy = Proxy::new();
    let database = SHARED.database();
    let mut one_session = proxy.session_on(&SHARED, &database);
    let mut other = proxy.session_on(&SHARED, &database);
    init(&mut one_session, &proxy.token_of("alice"));
    assert_eq!(user_id(&mut other), None);
    init(&mut other, &proxy.token_of("bob"));
    run(&mut other, "reset all");
    assert_eq!(user_id(&mut other), None);
    assert_eq!(user_id(&mut one_session).as_deref(), Some("alice"));
    // The last jti belongs to the session as well.
    init(&mut one_session, &proxy.token_with_jti(2, r#""sub":"carol""#));
    assert_eq!(user_id(&mut one_session).as_deref(), Some("carol"));
}

#[test]
fn token_of_another_connections_key_is_rejected() {
    let mut proxy = Proxy::new();
    let mut other = Proxy::new();
    let mut client = proxy.session_as("alice");
    other.session_as("bob");
    rejects_token(
        &mut client,
        &other.token_of("bob"),
        "28000",
        messages::INVALID_SIGNATURE,
    );
}

#[test]
fn a_null_argument_is_an_error_and_changes_nothing() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let token = proxy.token_of("bob");
    for (call, message) in [
        ("auth.jwt_session_init(null)".to_owned(), messages::NULL_TOKEN),
        ("auth.jwt_session_init(null, true)".to_owned(), messages::NULL_TOKEN),
        ("auth.jwt_session_init(null, false)".to_owned(), messages::NULL_TOKEN),
        ("auth.jwt_session_init(null, null)".to_owned(), messages::NULL_IS_LOCAL),
        (
            format!("auth.jwt_session_init('{token}', null)"),
            messages::NULL_IS_LOCAL,
        ),
    ] {
        rejects(&mut client, &format!("select {call}"), "22004", message);
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{call}");
    }
}
