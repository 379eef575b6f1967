//! No ordinary user can change the scope.

use testkit::loading::with_each_loading;
use testkit::session::{rejection, run, user_id};

use super::{database, outlasts, status, token};

#[test]
fn only_superusers_change_the_scope() {
    with_each_loading(|server, _, moment| {
        let database = database(server, "transaction");
        run(
            &mut server.connect(&database, "postgres", ""),
            &format!("grant create on schema public to {database}"),
        );
        let mut client = server.connect(&database, &database, "");
        assert_eq!(user_id(&mut client), None);
        for sql in [
            "set pg_session_jwt.identity_scope = 'any'".to_owned(),
            "begin; set local pg_session_jwt.identity_scope = 'any'".to_owned(),
            "reset pg_session_jwt.identity_scope".to_owned(),
            "set pg_session_jwt.identity_scope to default".to_owned(),
            "select set_config('pg_session_jwt.identity_scope', 'any', true)".to_owned(),
            format!("alter role {database} set pg_session_jwt.identity_scope = 'any'"),
            "create function f() returns text language sql set pg_session_jwt.identity_scope = 'any'
                 as 'select auth.user_id()'"
                .to_owned(),
            // What parallel workers rely on.
            "set pg_session_jwt.token_lifetime = 'transaction'".to_owned(),
            "set pg_session_jwt.claims_lifetime = 'transaction'".to_owned(),
        ] {
            let rejection = rejection(&mut client, &sql);
            assert!(
                ["42501", "55P02"].contains(&rejection.sqlstate.as_str()),
                "{moment}, {sql}: {rejection:?}"
            );
            run(&mut client, "rollback");
        }
        run(&mut client, "reset all");
        run(&mut client, "discard all");
        outlasts(
            &mut client,
            &format!("select auth.jwt_session_init('{}')", token("alice")),
        );
    });
}

#[test]
fn startup_packet_cannot_change_the_scope() {
    with_each_loading(|server, _, moment| {
        let database = database(server, "transaction");
        let options = "-c pg_session_jwt.identity_scope=any";
        // Where the library is loaded the login fails. Elsewhere the value is dropped when it is loaded.
        if let Ok(mut client) = server.try_connect(&database, &database, options) {
            assert_eq!(user_id(&mut client), None);
            let sql = format!("select auth.jwt_session_init('{}')", token("alice"));
            outlasts(&mut client, &sql);
            assert!(status(&mut client).starts_with("provider no token"), "{moment}");
        }
    });
}

#[test]
fn placeholder_cannot_change_the_scope() {
    let server = &testkit::server::SHARED;
    let database = database(server, "transaction");
    for before in [
        "set pg_session_jwt.identity_scope = 'any'",
        "set pg_session_jwt.identity_scope = ''",
        "begin; set local pg_session_jwt.identity_scope = 'any'",
        "select set_config('pg_session_jwt.identity_scope', 'any', false)",
    ] {
        let mut client = server.connect(&database, &database, "");
        run(&mut client, before);
        assert_eq!(user_id(&mut client), None, "{before}");
        outlasts(
            &mut client,
            &format!("select auth.jwt_session_init('{}')", token("alice")),
        );
        run(&mut client, "rollback");
        outlasts(&mut client, &format!("set pg_session_jwt.jwt = '{}'", token("alice")));
    }
}
