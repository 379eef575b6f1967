//! How deployments of version 0.5.0 use the extension, statement by statement, over the wire: nothing changes for them.

use testkit::messages;
use testkit::session::{Proxy, init, one, rejects, rows, run, user_id};

use crate::support::deployment_0_5::{BACK_TO_THE_POOL, deployment, proxy_connection, tasks};

#[test]
fn the_statements_of_an_installation_can_be_repeated() {
    let cluster = deployment();
    let mut admin = cluster.superuser("app");
    for statement in [
        "CREATE EXTENSION IF NOT EXISTS pg_session_jwt WITH SCHEMA public",
        "ALTER EXTENSION pg_session_jwt UPDATE",
        "GRANT USAGE ON SCHEMA auth TO authenticated",
    ] {
        run(&mut admin, statement);
    }
    let logins = "select bool_and(rolcanlogin) from pg_roles where rolname in ('authenticated', 'anonymous')";
    assert!(one::<bool>(&mut admin, logins));
}

#[test]
fn each_connection_has_its_own_key() {
    let cluster = deployment();
    let (mut one_proxy, mut other_proxy) = (Proxy::new(), Proxy::new());
    let mut client = proxy_connection(&cluster, &one_proxy);
    let mut other = proxy_connection(&cluster, &other_proxy);
    init(&mut client, &one_proxy.token(r#""sub":"alice""#));
    let of_other = other_proxy.token(r#""sub":"bob""#);
    let presented = format!("select auth.jwt_session_init('{of_other}')");
    rejects(&mut client, &presented, "28000", messages::INVALID_SIGNATURE);
    init(&mut other, &of_other);
    assert_eq!((tasks(&mut client), tasks(&mut other)), ("a1 a2".into(), "b1".into()));
}

#[test]
fn requests_have_growing_ids_and_the_shortest_header() {
    let cluster = deployment();
    let mut proxy = Proxy::new();
    let mut client = proxy_connection(&cluster, &proxy);
    for (user, theirs) in [("alice", "a1 a2"), ("bob", "b1"), ("alice", "a1 a2"), ("carol", "")] {
        let token = proxy.token(&format!(
            r#""sub":"{user}","exp":{},"iat":1700000000"#,
            testkit::session::now() + 60
        ));
        // base64url of {"alg":"EdDSA"}
        assert!(token.starts_with("eyJhbGciOiJFZERTQSJ9."), "{token}");
        let answer = rows(&mut client, &format!("select auth.jwt_session_init('{token}')"));
        assert_eq!(answer, [[Some(String::new())]]);
        assert_eq!(tasks(&mut client), theirs);
        let filtered = "select count(*) from todos where user_id = auth.user_id()";
        assert_eq!(
            one::<i64>(&mut client, filtered),
            i64::try_from(theirs.split_whitespace().count()).unwrap()
        );
    }
}

#[test]
fn a_batch_runs_in_one_transaction_after_the_token() {
    let cluster = deployment();
    let mut proxy = Proxy::new();
    let mut client = proxy_connection(&cluster, &proxy);
    init(&mut client, &proxy.token(r#""sub":"alice""#));
    run(
        &mut client,
        "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE; INSERT INTO todos (task) VALUES ('a3')",
    );
    run(
        &mut client,
        "UPDATE todos SET task = task || '!'; DELETE FROM todos WHERE task = 'a1!'",
    );
    run(&mut client, "COMMIT");
    assert_eq!(tasks(&mut client), "a2! a3!");

    // A failed batch is undone; the identity was set before it and stays.
    run(&mut client, "BEGIN; INSERT INTO todos (task) VALUES ('a4')");
    let forged = "INSERT INTO todos (task, user_id) VALUES ('b2', 'bob')";
    let message = r#"new row violates row-level security policy for table "todos""#;
    rejects(&mut client, forged, "42501", message);
    run(&mut client, "ROLLBACK");
    assert_eq!(
        (user_id(&mut client).as_deref(), tasks(&mut client).as_str()),
        (Some("alice"), "a2! a3!")
    );

    // The token in the same transaction, in one message.
    let token = proxy.token(r#""sub":"bob""#);
    let batch = format!("begin; select auth.jwt_session_init('{token}'); update todos set task = 'b!'; commit");
    run(&mut client, &batch);
    assert_eq!(tasks(&mut client), "b!");
}

#[test]
fn pooled_connection_loses_its_token_and_keeps_its_key() {
    let cluster = deployment();
    let mut proxy = Proxy::new();
    let mut client = proxy_connection(&cluster, &proxy);
    for in_one_message in [true, false] {
        let of_alice = proxy.token(r#""sub":"alice""#);
        init(&mut client, &of_alice);
        let left_behind = "begin; create temp table left_behind as select * from todos; select no_such_column";
        rejects(
            &mut client,
            left_behind,
            "42703",
            r#"column "no_such_column" does not exist"#,
        );
        if in_one_message {
            run(&mut client, BACK_TO_THE_POOL);
        } else {
            for statement in BACK_TO_THE_POOL.split_inclusive(';') {
                run(&mut client, statement);
            }
        }
        assert_eq!((user_id(&mut client), tasks(&mut client)), (None, String::new()));
        assert_eq!(one::<String>(&mut client, "select auth.session()::text"), "null");
        assert_eq!(one::<String>(&mut client, "show pg_session_jwt.jwt"), "");
        run(&mut client, "select auth.init()");
        let replay = format!("select auth.jwt_session_init('{of_alice}')");
        rejects(&mut client, &replay, "28000", messages::TOKEN_ID_REPLAYED);
        init(&mut client, &proxy.token(r#""sub":"bob""#));
        assert_eq!(
            (user_id(&mut client).as_deref(), tasks(&mut client).as_str()),
            (Some("bob"), "b1")
        );
    }
}
