//! OAuth logins (since PostgreSQL 18): the identity of the login counts while the session is bound to its user.

use testkit::messages;
use testkit::session::run;

use crate::support::oauth_server::{alter, login_to, token, usual_server};

#[test]
fn login_counts_while_the_session_is_bound_to_its_user() {
    let Some(server) = usual_server("") else { return };
    let database = server.database();
    alter(
        &server,
        &format!("alter database {database} set pg_session_jwt.identity_scope = transaction"),
    );
    let mut client = login_to(&server, &database, &token("alice")).unwrap();
    assert_eq!(client.one("select auth.user_id()").as_deref(), Some("alice"));
    let message = messages::OUTLASTS_TRANSACTION;
    let again = format!("select auth.jwt_session_init('{}')", token("alice"));
    client.rejects(&again, "55000", message);
    client.rejects(
        &format!("set pg_session_jwt.jwt = '{}'", token("alice")),
        "55000",
        message,
    );
    assert_eq!(client.one("select auth.user_id()").as_deref(), Some("alice"));
    client.run("reset pg_session_jwt.jwt");
    assert_eq!(client.one("select auth.user_id()").as_deref(), Some("alice"));
}

#[test]
fn unbound_session_has_no_identity_of_its_login() {
    let Some(server) = usual_server("pg_session_jwt.bind_login_identity = off") else {
        return;
    };
    let database = server.database();
    run(
        &mut server.connect("postgres", "postgres", ""),
        &format!("alter database {database} set pg_session_jwt.identity_scope = transaction"),
    );
    let mut client = login_to(&server, &database, &token("alice")).unwrap();
    assert_eq!(client.one("select auth.user_id()"), None);
    client.run(&format!(
        "begin; select auth.jwt_session_init('{}', true)",
        token("bob")
    ));
    assert_eq!(client.one("select auth.user_id()").as_deref(), Some("bob"));
    client.run("commit");
    assert_eq!(client.one("select auth.user_id()"), None);
}
