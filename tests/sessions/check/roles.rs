//! auth.check(), the roles of end users, and schema auth: each problem is found, and no longer once it is fixed.

use testkit::provider::Provider;
use testkit::server::major;
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
        &format!("create role app login noinherit; grant authenticated to app; {CLOSE}"),
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

/// What closes a login that end users share.
const CLOSE: &str = "alter role app set track_activities = off;
    revoke execute on function pg_cancel_backend(int), pg_terminate_backend(int, bigint) from public";

#[test]
fn a_login_that_end_users_share() {
    let mut site = Site::new();
    let hole = [("login_shared", "app")];
    let revoke = |function: &str| format!("revoke execute on function {function} from public");
    let grant = |function: &str| format!("grant execute on function {function} to public");
    let (cancel, terminate) = ("pg_cancel_backend(int)", "pg_terminate_backend(int, bigint)");
    run(
        &mut site.admin,
        &format!("create role app login noinherit; grant authenticated to app; {CLOSE}"),
    );
    for function in [cancel, terminate] {
        site.finds(&grant(function), &hole, &revoke(function));
    }
    site.finds(
        &format!("grant execute on function {cancel} to app"),
        &hole,
        &format!("revoke execute on function {cancel} from app"),
    );
    site.finds(
        "alter role app set track_activities = on",
        &hole,
        "alter role app set track_activities = off",
    );
    // The setting of role and database comes before that of the role.
    site.finds(
        "alter role app in database site set track_activities = on",
        &hole,
        "alter role app in database site reset track_activities",
    );
    site.finds("alter role app in database postgres set track_activities = on", &[], "");
    run(&mut site.admin, "alter role app reset track_activities");
    let problem = column(&mut site.admin, "problem", "login_shared");
    assert_eq!(
        problem,
        "It may log in and SET ROLE to authenticated, which RESET ROLE undoes. If end users can run any SQL, each of them could \
         read the statements (pg_stat_activity) of its other sessions."
    );
    run(&mut site.admin, &grant(cancel));
    let remedy = column(&mut site.admin, "remedy", "login_shared");
    run(&mut site.admin, &remedy);
    assert_eq!(found(&mut site.admin), []);
    // A login that inherits the privileges need not SET ROLE, and one that cannot become the role is not shared.
    run(&mut site.admin, "alter role app reset track_activities");
    site.finds("", &hole, "alter role app nologin");
    let inherits = if major() >= 16 {
        "grant authenticated to app with inherit true"
    } else {
        "alter role app inherit"
    };
    site.finds(
        &format!("alter role app login; {inherits}"),
        &[],
        "revoke authenticated from app",
    );
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

const PROVIDER: &str = "pg_session_jwt.providers [1]";

#[test]
fn a_role_of_a_provider_that_does_not_exist() {
    let mut site = Site::new();
    run(&mut site.admin, "create role staff; create role \"Größe\"");
    let set = |roles: &str| {
        let entry = Provider::new("a").entry(&format!(r#","audience":"api","roles":{roles}"#));
        format!("set pg_session_jwt.providers = '[{entry}]'")
    };
    for (written, meant) in [
        ("autenticated", "Write authenticated in \"roles\", if that is meant."),
        ("Authenticated", "Write authenticated in \"roles\", if that is meant."),
        ("stuff", "Write staff in \"roles\", if that is meant."),
        ("Grösse", "Write Größe in \"roles\", if that is meant."),
        ("st", "Correct \"roles\"."),
        ("visitor", "Correct \"roles\"."),
        ("pg_monitors", "Correct \"roles\"."),
    ] {
        run(&mut site.admin, &set(&format!(r#"["staff","{written}","anonymous"]"#)));
        assert_eq!(
            found(&mut site.admin),
            owned(&[("provider_role_missing", PROVIDER)]),
            "{written}"
        );
        assert_eq!(
            column(&mut site.admin, "remedy", "provider_role_missing"),
            meant,
            "{written}"
        );
    }
    assert_eq!(
        column(&mut site.admin, "problem", "provider_role_missing"),
        "\"roles\" has \"pg_monitors\", which is not the name of a role: no session can use its tokens as that role."
    );
    // Each of them, and none for roles that exist.
    run(&mut site.admin, &set(r#"["stuf","staff","staf"]"#));
    assert_eq!(
        found(&mut site.admin),
        owned(&[("provider_role_missing", PROVIDER), ("provider_role_missing", PROVIDER)])
    );
    run(&mut site.admin, &set(r#"["staff","Größe"]"#));
    assert_eq!(found(&mut site.admin), []);
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
        owned(&[("table_without_rls", "public.t"), ("provider_role_missing", PROVIDER)])
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
        ("check_sarif(text,boolean)", "team", true),
        ("providers()", "public", true),
        ("verify(text,text)", "authenticated", true),
        ("provider_settings(text,jsonb)", "anonymous", true),
        ("refresh_providers()", "authenticated", true),
        ("refresh_providers()", "pg_signal_backend", false),
        ("activity()", "authenticated", true),
        ("activity()", "pg_monitor", false),
        ("activity()", "pg_read_all_stats", false),
        ("stats()", "authenticated", true),
        ("stats()", "pg_monitor", false),
        ("stats()", "pg_read_all_stats", false),
        ("reset_stats()", "authenticated", true),
        ("reset_stats()", "bob", false),
        ("check()", "bob", false),
        ("user_id()", "authenticated", false),
    ] {
        let object = format!("auth.{}", function.replace("check()", "\"check\"()"));
        let expected = [("auth_function_granted", &*object)];
        site.finds(
            &format!("grant execute on function auth.{function} to {role}"),
            &expected[..usize::from(granted)],
            &format!("revoke execute on function auth.{function} from {role}"),
        );
    }
    // Each function has its own administrators.
    for (function, role) in [
        ("\"check\"()", "pg_read_all_stats"),
        ("\"check\"()", "pg_monitor"),
        ("activity()", "pg_read_all_settings"),
        ("activity()", "pg_signal_backend"),
        ("stats()", "pg_read_all_settings"),
        ("reset_stats()", "pg_monitor"),
    ] {
        let object = format!("auth.{function}");
        site.finds(
            &format!("grant {role} to authenticated; grant execute on function {object} to {role}"),
            &[("role_membership", "authenticated"), ("auth_function_granted", &object)],
            &format!("revoke {role} from authenticated; revoke execute on function {object} from {role}"),
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
    assert_eq!(testkit::session::one::<i64>(&mut site.admin, replaced), 21);
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
