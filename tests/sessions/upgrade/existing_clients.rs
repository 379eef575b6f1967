//! Other ways in which sessions of version 0.5.0 set their identity: the parameter itself, bound parameters, PostgREST.

use postgres::Client;
use testkit::messages;
use testkit::session::{Proxy, one, rejects, run, user_id};

use crate::support::deployment_0_5::{deployment, proxy_connection, tasks};

#[test]
fn session_may_set_the_parameter_itself() {
    let cluster = deployment();
    let mut proxy = Proxy::new();
    let mut client = proxy_connection(&cluster, &proxy);
    let of_alice = proxy.token(r#""sub":"alice""#);
    run(&mut client, &format!("SET pg_session_jwt.jwt = '{of_alice}'"));
    assert_eq!(
        (user_id(&mut client).as_deref(), tasks(&mut client).as_str()),
        (Some("alice"), "a1 a2")
    );
    let again = format!("SET pg_session_jwt.jwt = '{of_alice}'");
    rejects(&mut client, &again, "28000", messages::TOKEN_ID_REPLAYED);
    let of_bob = proxy.token(r#""sub":"bob""#);
    run(
        &mut client,
        &format!("BEGIN; SET LOCAL pg_session_jwt.jwt = '{of_bob}'"),
    );
    assert_eq!(tasks(&mut client), "b1");
    run(&mut client, "COMMIT");
    assert_eq!(tasks(&mut client), "a1 a2");
    run(&mut client, "RESET pg_session_jwt.jwt");
    assert_eq!((user_id(&mut client), tasks(&mut client)), (None, String::new()));
}

#[test]
fn bound_parameters_work_like_literals() {
    let cluster = deployment();
    let mut proxy = Proxy::new();
    let mut client = proxy_connection(&cluster, &proxy);
    let present = client.prepare("select auth.jwt_session_init($1)").unwrap();
    let present_local = client.prepare("select auth.jwt_session_init($1, $2)").unwrap();
    let set = client
        .prepare("select set_config('pg_session_jwt.jwt', $1, $2)")
        .unwrap();
    let mine = client
        .prepare("select count(*) from todos where user_id = auth.user_id() and task <> $1")
        .unwrap();
    let count = |client: &mut Client| client.query_one(&mine, &[&"none"]).unwrap().get::<_, i64>(0);
    for (user, theirs) in [("alice", 2), ("bob", 1), ("carol", 0)] {
        client.execute(&present, &[&proxy.token_of(user)]).unwrap();
        assert_eq!(count(&mut client), theirs);
        let mut transaction = client.transaction().unwrap();
        transaction
            .execute(&present_local, &[&proxy.token_of("bob"), &true])
            .unwrap();
        assert_eq!(transaction.query_one(&mine, &[&"none"]).unwrap().get::<_, i64>(0), 1);
        transaction.execute(&set, &[&proxy.token_of("alice"), &true]).unwrap();
        assert_eq!(transaction.query_one(&mine, &[&"none"]).unwrap().get::<_, i64>(0), 2);
        transaction.commit().unwrap();
        assert_eq!(
            (user_id(&mut client).as_deref(), count(&mut client)),
            (Some(user), theirs)
        );
    }
    let rejected = client.execute(&present, &[&"not a token"]).unwrap_err();
    assert_eq!(rejected.as_db_error().unwrap().message(), messages::INVALID_ENCODING);
    assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
}

#[test]
fn postgrest_sets_role_and_claims_in_each_transaction() {
    let cluster = deployment();
    let mut client = cluster.connect("app", "authenticator", "");
    for (user, theirs) in [("alice", "a1 a2"), ("bob", "b1"), ("alice", "a1 a2")] {
        let claims = format!(r#"{{"sub":"{user}","role":"authenticated"}}"#);
        // As text in a simple query, and with bound parameters.
        run(
            &mut client,
            &format!(
                "begin; select set_config('role', 'authenticated', true), set_config('request.jwt.claims', '{claims}', true)"
            ),
        );
        assert_eq!(
            (user_id(&mut client).as_deref(), tasks(&mut client).as_str()),
            (Some(user), theirs)
        );
        run(&mut client, "commit");
        let mut transaction = client.transaction().unwrap();
        let set = "select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)";
        transaction.query_one(set, &[&"authenticated", &claims]).unwrap();
        let all = transaction
            .query_one("select auth.session() ->> 'sub', auth.role(), count(*) from todos", &[])
            .unwrap();
        assert_eq!((all.get(0), all.get(1)), (user, "authenticated"));
        assert_eq!(all.get::<_, i64>(2), i64::try_from(theirs.split(' ').count()).unwrap());
        transaction.commit().unwrap();
        // The next transaction has nothing of it.
        assert_eq!(user_id(&mut client), None);
        assert_eq!(one::<String>(&mut client, "select current_user::text"), "authenticator");
    }
    let anonymous = r#"begin; select set_config('role', 'anonymous', true),
                       set_config('request.jwt.claims', '{"role":"anonymous"}', true)"#;
    run(&mut client, anonymous);
    assert_eq!((user_id(&mut client), tasks(&mut client)), (None, String::new()));
    run(&mut client, "commit");
}
