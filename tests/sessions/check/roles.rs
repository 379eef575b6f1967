//! auth.check(), the roles of end users, and schema auth: each problem is found, and no longer once it is fixed.

use testkit::provider::Provider;
use testkit::session::run;

use crate::check::support::{Site, column, found, owned};

#[test]
fn attributes_of_roles_and_their_parent_roles() {
    let mut site = Site::new();
    let hole = [("role_attribute", "authenticated")];
    for attribute in ["bypassrls", "createrole", "createdb", "replication"] {
        let make = format!("alter role authenticated {attribute}");
        site.finds(&make, &hole, &format!("alter role authenticated no{attribute}"));
    }
    // SUPERUSER includes all other attributes and is reported alone.
    site.finds(
        "alter role authenticated superuser",
        &hole,
        "alter role authenticated nosuperuser",
    );
    site.finds(
        "create role boss bypassrls; grant boss to authenticated",
        &hole,
        "revoke boss from authenticated",
    );
    site.finds(
        "grant boss to anonymous",
        &[("role_attribute", "anonymous")],
        "alter role boss nobypassrls",
    );
    run(&mut site.admin, "alter role boss superuser");
    let problem = column(&mut site.admin, "problem", "role_attribute");
    assert_eq!(problem, "It is a member of boss, which has SUPERUSER.");
    let remedy = column(&mut site.admin, "remedy", "role_attribute");
    run(&mut site.admin, &remedy);
    assert_eq!(found(&mut site.admin), []);
}

#[test]
fn predefined_roles_and_the_admin_option() {
    let mut site = Site::new();
    let hole = [("role_membership", "authenticated")];
    for role in [
        "pg_read_server_files",
        "pg_execute_server_program",
        "pg_monitor",
        "pg_signal_backend",
    ] {
        let make = format!("grant {role} to authenticated");
        site.finds(&make, &hole, &format!("revoke {role} from authenticated"));
    }
    site.finds(
        "create role reader; grant pg_read_all_settings to reader; grant reader to authenticated",
        &hole,
        "revoke reader from authenticated",
    );
    site.finds(
        "grant reader to anonymous with admin option; revoke pg_read_all_settings from reader",
        &[("role_membership", "anonymous")],
        "revoke admin option for reader from anonymous",
    );
    // A member of pg_read_all_data also reads the table.
    site.finds(
        "create table t (); grant pg_read_all_data to authenticated",
        &[("role_membership", "authenticated"), ("table_without_rls", "public.t")],
        "revoke pg_read_all_data from authenticated",
    );
}

#[test]
fn logins() {
    let mut site = Site::new();
    // In mode "off" a client's own key counts: see `settings`.
    site.finds(
        "alter role authenticated login",
        &[("identity_forgeable", "authenticated"), ("role_login", "authenticated")],
        "alter role authenticated nologin",
    );
    let hole = [("login_role_privileged", "app")];
    run(
        &mut site.admin,
        "create role app login noinherit; grant authenticated to app",
    );
    for attribute in ["superuser", "bypassrls", "createrole", "replication"] {
        let make = format!("alter role app {attribute}");
        site.finds(&make, &hole, &format!("alter role app no{attribute}"));
    }
    site.finds(
        "create role middle; revoke authenticated from app; grant middle to app; grant authenticated to middle;
                alter role app bypassrls",
        &hole,
        "alter role app nologin",
    );
    run(&mut site.admin, "alter role app login nobypassrls");
    site.finds(
        "alter table todos owner to app",
        &[("owner_not_forced", "public.todos")],
        "alter table todos force row level security",
    );
    site.finds(
        "alter table todos no force row level security",
        &[("owner_not_forced", "public.todos")],
        "revoke middle from app",
    );
    // A superuser that was not granted membership.
    site.finds("create role admin login superuser", &[], "");
}

#[test]
fn settings_of_roles_and_of_the_database() {
    let mut site = Site::new();
    site.finds(
        "alter role authenticated set work_mem = '64kB'",
        &[("role_setting", "ROLE authenticated")],
        "alter role authenticated reset work_mem",
    );
    site.finds(
        "alter role anonymous in database site set search_path = 'x'",
        &[("role_setting", "ROLE anonymous IN DATABASE site")],
        "alter role anonymous in database site reset all",
    );
    // Settings of another database do not count.
    site.finds(
        "alter role anonymous in database postgres set search_path = 'x'",
        &[],
        "",
    );
    run(&mut site.admin, "create role app");
    for (set, place) in [
        ("role app", "ROLE app"),
        ("database site", "DATABASE site"),
        ("role all", "ROLE ALL"),
    ] {
        site.finds(
            &format!("alter {set} set request.jwt.claims = '{{\"sub\":\"alice\"}}'"),
            &[("identity_setting", place)],
            &format!("alter {set} reset request.jwt.claims"),
        );
        site.finds(
            &format!("alter {set} set pg_session_jwt.claims_fallback = on"),
            &[("identity_setting", place)],
            &format!("alter {set} set pg_session_jwt.claims_fallback = off"),
        );
        site.finds(
            &format!("alter {set} set pg_session_jwt.providers = ''"),
            &[("identity_setting", place)],
            &format!("alter {set} reset pg_session_jwt.providers"),
        );
    }
}

#[test]
fn missing_roles() {
    let mut site = Site::new();
    site.finds(
        "drop role anonymous",
        &[("role_missing", "anonymous")],
        "create role anonymous",
    );
}

#[test]
fn roles_named_by_a_provider_are_end_users() {
    let mut site = Site::new();
    let entry = Provider::new("a").entry(r#","audience":"api","roles":["staff","absent"]"#);
    run(
        &mut site.admin,
        &format!(
            "create role staff; create table t (); grant select on t to staff;
                  set pg_session_jwt.providers = '[{entry}]'"
        ),
    );
    assert_eq!(
        found(&mut site.admin),
        owned(&[("table_without_rls", "public.t"), ("role_missing", "absent")])
    );
}

#[test]
fn schema_auth_belongs_to_the_extension() {
    let mut site = Site::new();
    run(&mut site.admin, "create role bob");
    site.finds(
        "alter schema auth owner to bob",
        &[("auth_owner", "auth")],
        "alter schema auth owner to postgres",
    );
    site.finds(
        "alter function auth.user_id() owner to bob",
        &[("auth_owner", "auth.user_id()")],
        "alter function auth.user_id() owner to postgres",
    );
    for role in ["bob", "public", "authenticated"] {
        site.finds(
            &format!("grant create on schema auth to {role}"),
            &[("auth_schema_create", "auth")],
            &format!("revoke create on schema auth from {role}"),
        );
    }
    site.finds(
        "create function auth.user_id(x text default 'q') returns text language sql return x",
        &[("auth_look_alike", "auth.user_id(text)")],
        "drop function auth.user_id(text)",
    );
}

#[test]
fn administrative_functions_are_not_for_end_users() {
    let mut site = Site::new();
    run(
        &mut site.admin,
        "create role bob; create role team; grant team to anonymous",
    );
    for (function, role, granted) in [
        ("check()", "authenticated", true),
        ("providers()", "anonymous", true),
        ("check()", "team", true),
        ("providers()", "public", true),
        ("check()", "bob", false),
        ("user_id()", "authenticated", false),
    ] {
        let object = format!("auth.{}", function.replace("check", "\"check\""));
        let expected = [("auth_function_granted", &*object)];
        site.finds(
            &format!("grant execute on function auth.{function} to {role}"),
            &expected[..usize::from(granted)],
            &format!("revoke execute on function auth.{function} from {role}"),
        );
    }
    run(
        &mut site.admin,
        "grant execute on function auth.check() to anonymous, team",
    );
    assert_eq!(
        column(&mut site.admin, "remedy", "auth_function_granted"),
        "REVOKE EXECUTE ON FUNCTION auth.\"check\"() FROM anonymous, team;"
    );
}

#[test]
fn replaced_schema_auth_is_reported() {
    let mut site = Site::new();
    run(
        &mut site.admin,
        "alter schema auth rename to old; create schema auth;
         create function auth.user_id() returns text language sql return 'mallory'",
    );
    let rows = testkit::session::rows(
        &mut site.admin,
        "select finding, object from old.check() where finding <> 'auth_function_replaced'",
    );
    assert_eq!(
        rows,
        [[Some("auth_look_alike".to_owned()), Some("auth.user_id()".to_owned())]]
    );
    let replaced = "select count(*) from old.check() where finding = 'auth_function_replaced'";
    assert_eq!(testkit::session::one::<i64>(&mut site.admin, replaced), 14);
    run(
        &mut site.admin,
        "drop schema auth cascade; alter schema old rename to auth",
    );
    assert_eq!(found(&mut site.admin), []);
    site.finds(
        "alter extension pg_session_jwt drop function auth.email()",
        &[
            ("auth_function_replaced", "auth.email()"),
            ("auth_look_alike", "auth.email()"),
        ],
        "alter extension pg_session_jwt add function auth.email()",
    );
}
