//! All end users share a role, and a role may change its own password and settings.

use testkit::server::Server;
use testkit::session::{Rejection, rejection, rejection_of, rows, run};

use super::deployment::{CONF, TODOS, connect, providers_line, request, session_init, token};
use super::ways::Way;

/// A separate server, because these changes affect all users of a server.
fn server(authenticated: &str) -> Server {
    let server = Server::start(&format!(
        "{CONF}shared_preload_libraries = 'pg_session_jwt'\n{}",
        providers_line()
    ));
    let mut admin = server.connect("template1", "postgres", "");
    run(&mut admin, TODOS);
    let roles = "create role app login noinherit in role authenticated; alter role authenticated";
    run(&mut admin, &format!("{roles} {authenticated}"));
    drop(admin);
    server
}

/// What mallory can do to the role, and what she cannot.
fn plant(server: &Server, database: &str, way: Way) {
    let user = if way == Way::Login { "authenticated" } else { "app" };
    let mut client = connect(server.port(), database, user, "").unwrap();
    run(&mut client, "set role authenticated");
    run(&mut client, &session_init("mallory"));
    // PostgreSQL lets every role do this to itself.
    run(
        &mut client,
        "alter role authenticated password 'hacked';
         alter role authenticated set search_path = mallory, public;
         alter role authenticated set row_security = off;
         alter role authenticated set role = 'authenticated'",
    );
    let token = token("mallory");
    for sql in [
        format!("alter role authenticated set pg_session_jwt.jwt = '{token}'"),
        // Claims are not trusted here, so no library has defined the name, and only a superuser may store it.
        r#"alter role authenticated set request.jwt.claims = '{"sub":"mallory"}'"#.to_owned(),
        "alter role authenticated set pg_session_jwt.claims_fallback = on".to_owned(),
        "alter role authenticated set pg_session_jwt.providers = ''".to_owned(),
        "alter role authenticated set pg_session_jwt.leeway = 300".to_owned(),
        "alter role authenticated set session_preload_libraries = 'x'".to_owned(),
        "alter role authenticated bypassrls".to_owned(),
        "alter role authenticated superuser".to_owned(),
        "alter role authenticated createrole".to_owned(),
        "alter role app password 'hacked'".to_owned(),
        "alter role app set search_path = 'mallory'".to_owned(),
        "grant postgres to authenticated".to_owned(),
        "grant authenticated to anonymous".to_owned(),
    ] {
        assert_eq!(rejection(&mut client, &sql).sqlstate, "42501", "{sql}");
    }
    let fixed = rejection(&mut client, "alter role authenticated set pg_session_jwt.jwk = 'x'");
    assert_eq!(fixed.sqlstate, "55P02");
}

const WHAT_ALICE_SEES: &str = "select auth.user_id() || ' ' || current_setting('row_security') || ' ' || \
                               current_setting('search_path') || ' ' || (select string_agg(task, ' ' order by id) from public.todos)";

/// attack: 62
#[test]
fn settings_planted_in_a_nologin_role_have_no_effect() {
    // A direct login is not possible, which is the point. Through PgBouncer the login is the application's as well.
    let server = server("nologin");
    let database = server.database();
    plant(&server, &database, Way::SetRole);
    let mut alice = connect(server.port(), &database, "app", "").unwrap();
    run(&mut alice, "set role authenticated");
    assert_eq!(
        request(&mut alice, "alice", WHAT_ALICE_SEES).concat(),
        [Some("alice on \"$user\", public secret hidden".to_owned())]
    );
    let login = |user: &str| -> Rejection {
        let mut config = postgres::Config::new();
        config.host("127.0.0.1").port(server.port()).dbname(&database);
        rejection_of(
            &config
                .user(user)
                .password("hacked")
                .connect(postgres::NoTls)
                .err()
                .expect("a rejection"),
        )
    };
    assert_eq!(
        login("authenticated").message,
        "role \"authenticated\" is not permitted to log in"
    );
}

/// attack: 62
#[test]
fn end_user_can_break_only_the_shared_login_role() {
    // docs/hardening.md warns of this: alice's session is disturbed, and still only hers.
    let server = server("login");
    let database = server.database();
    plant(&server, &database, Way::Login);
    let mut alice = connect(server.port(), &database, "authenticated", "").unwrap();
    let settings = "select current_setting('row_security'), current_setting('search_path'), auth.user_id()";
    assert_eq!(
        rows(&mut alice, settings).concat(),
        [Some("off".to_owned()), Some("mallory, public".to_owned()), None]
    );
    // row_security = off turns hidden rows into an error.
    assert_eq!(rejection(&mut alice, "select * from public.todos").sqlstate, "42501");
    run(&mut alice, "set row_security = on");
    assert_eq!(
        request(
            &mut alice,
            "alice",
            "select string_agg(task, ' ' order by id) from public.todos"
        )
        .concat(),
        [Some("secret hidden".to_owned())]
    );
}
