//! auth.check() and logins with several connections.

use postgres::Client;
use testkit::session::{rows, run};

use crate::check::support::{Site, column, found};

/// The logins that the finding names.
fn logins(client: &mut Client) -> Vec<String> {
    let all = found(client).into_iter();
    all.filter(|(finding, _)| finding == "identity_scope")
        .map(|(_, login)| login)
        .collect()
}

#[test]
fn scope_is_recommended_for_a_login_with_many_connections() {
    let mut site = Site::new();
    run(
        &mut site.admin,
        "create role app login; grant authenticated to app; create role report login; create role \"Pool\" login superuser;
         create role auditor",
    );
    let connect = |login: &str, options: &str| site.cluster.connect("site", login, options);
    let mut open: Vec<Client> = Vec::new();
    for login in [
        "app", "app", "app", "app", "report", "report", "report", "report", "report",
    ] {
        open.push(connect(login, ""));
    }
    // Superusers, the gateway, and connections to other databases do not count.
    for _ in 0..5 {
        open.push(connect("Pool", ""));
        open.push(connect("app", "-c application_name=pg_session_jwt_gateway"));
        open.push(site.cluster.connect("postgres", "app", ""));
    }
    assert_eq!(logins(&mut site.admin), [""; 0]);
    open.push(connect("app", ""));
    assert_eq!(logins(&mut site.admin), ["app"]);
    let problem = column(&mut site.admin, "problem", "identity_scope");
    assert!(
        problem.starts_with("It has 5 connections to this database"),
        "{problem}"
    );
    // A caller without privileges gets it, too.
    run(
        &mut site.admin,
        "grant execute on function auth.check() to auditor; set role auditor",
    );
    assert_eq!(logins(&mut site.admin), ["app"]);
    run(&mut site.admin, "reset role");
    // The value of the login has precedence over that of the database, and that over the server's.
    for (change, expected) in [
        ("alter role all set pg_session_jwt.identity_scope = transaction", false),
        ("alter database site set pg_session_jwt.identity_scope = 'any'", true),
        (
            "alter role app set pg_session_jwt.identity_scope = 'Transaction'",
            false,
        ),
        (
            "alter role app in database site set pg_session_jwt.identity_scope = 'any'",
            true,
        ),
        ("alter role app in database site reset all", false),
        (
            "alter role authenticated set pg_session_jwt.identity_scope = transaction; alter role app reset all",
            false,
        ),
        ("alter role authenticated reset all", true),
        (
            "alter role app reset all; alter database site reset all; alter role all reset all",
            true,
        ),
    ] {
        run(&mut site.admin, change);
        assert_eq!(logins(&mut site.admin) == ["app"], expected, "{change}");
    }
    let remedy = column(&mut site.admin, "remedy", "identity_scope");
    let remedy = remedy.split("; unless").next().unwrap();
    run(&mut site.admin, remedy);
    assert_eq!(logins(&mut site.admin), [""; 0]);
    let stored = rows(
        &mut site.admin,
        "select unnest(setconfig) from pg_db_role_setting where setrole = 'app'::regrole",
    );
    assert_eq!(stored, [[Some("pg_session_jwt.identity_scope=transaction".to_owned())]]);
}
