//! Catalog entries of the functions, and that an ordinary role needs no grants beyond those of the installation.

use testkit::loading::ordinary_user;
use testkit::server::SHARED;
use testkit::session::{Proxy, claims, init, one, rejects, rows, run, user_id};

/// attack: 94, 130
#[test]
fn catalog_entries_of_the_functions() {
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    let functions = rows(
        &mut client,
        "select proname, pg_get_function_identity_arguments(oid), pg_get_function_result(oid), provolatile, proparallel,
                proisstrict, prosrc
           from pg_proc where pronamespace = 'auth'::regnamespace order by proname collate \"C\", pronargs",
    );
    let result = "TABLE(mode text, identity boolean, provider integer, issuer text, kid text, user_id text, \
                  expires_at timestamp with time zone, seconds_left bigint, reason text, warning text)";
    let keys = "TABLE(provider integer, issuer text, source text, location text, kid text, kty text, alg text, \
                usable boolean, reason text, fetched_at timestamp with time zone, \
                next_refresh timestamp with time zone, last_error text)";
    let findings = "TABLE(severity text, finding text, object text, problem text, remedy text, count bigint, \
                    allowed_because text)";
    let connections = "TABLE(pid integer, database name, role name, mode text, issuer text, user_id text, kid text, \
                       since timestamp with time zone, expires_at timestamp with time zone, scope text)";
    let statistics = "TABLE(database name, issuer text, statistic text, detail text, value double precision, \
                      stats_reset timestamp with time zone)";
    let rules = "TABLE(rule text, passed boolean, detail text)";
    let settings = "TABLE(provider text, settings jsonb, to_fill_in jsonb, note text, page text, statement text)";
    // Without an argument, strictness makes no difference.
    let expected = [
        ["activity", "", connections, "v", "r", "t", "activity_wrapper"],
        ["check", "", findings, "v", "u", "t", "check_wrapper"],
        [
            "check_sarif",
            "file text, with_allowed boolean",
            "jsonb",
            "v",
            "u",
            "t",
            "check_sarif_wrapper",
        ],
        ["email", "", "text", "s", "s", "t", "email_wrapper"],
        ["init", "", "void", "v", "u", "t", "init_wrapper"],
        ["jwt", "", "jsonb", "s", "s", "t", "jwt_wrapper"],
        [
            "jwt_session_init",
            "jwt text",
            "void",
            "v",
            "u",
            "f",
            "jwt_session_init_wrapper",
        ],
        [
            "jwt_session_init",
            "jwt text, is_local boolean",
            "void",
            "v",
            "u",
            "f",
            "jwt_session_init_local_wrapper",
        ],
        ["organization", "", "jsonb", "s", "s", "t", "organization_wrapper"],
        ["organization_id", "", "uuid", "s", "s", "t", "organization_id_wrapper"],
        [
            "provider_settings",
            "url text, fill_in jsonb",
            settings,
            "v",
            "u",
            "t",
            "provider_settings_wrapper",
        ],
        ["providers", "", keys, "v", "u", "t", "providers_wrapper"],
        [
            "refresh_providers",
            "",
            "boolean",
            "v",
            "u",
            "t",
            "refresh_providers_wrapper",
        ],
        ["reset_stats", "", "void", "v", "u", "t", "reset_stats_wrapper"],
        ["role", "", "text", "s", "s", "t", "role_wrapper"],
        ["session", "", "jsonb", "s", "s", "t", "session_wrapper"],
        ["stats", "", statistics, "v", "r", "t", "stats_wrapper"],
        ["status", "", result, "s", "r", "t", "status_wrapper"],
        ["uid", "", "uuid", "s", "s", "t", "uid_wrapper"],
        ["user_id", "", "text", "s", "s", "t", "user_id_wrapper"],
        ["verify", "jwt text, role text", rules, "v", "u", "f", "verify_wrapper"],
    ];
    assert_eq!(
        functions,
        expected.map(|row| row.map(|text| Some(text.to_owned())).to_vec())
    );
    // None is SECURITY DEFINER, leakproof or has a row estimate; two have settings.
    let odd = "select count(*) from pg_proc where pronamespace = 'auth'::regnamespace
                and (prosecdef or proleakproof or (proconfig is not null) <> (proname in ('check', 'check_sarif')) or prokind <> 'f' or not prosrc like '%_wrapper'
                     or (proacl is not null) <> (proname in ('activity', 'check', 'check_sarif', 'providers', 'provider_settings', 'refresh_providers', 'reset_stats', 'stats', 'verify')) or prolang <> (select oid from pg_language where lanname = 'c'))";
    assert_eq!(one::<i64>(&mut client, odd), 0);
    // The schema and every object in it belong to the extension.
    let strays = "select count(*) from pg_proc p where pronamespace = 'auth'::regnamespace and not exists (
                    select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'e')";
    assert_eq!(one::<i64>(&mut client, strays), 0);
    let acl = "select string_agg(acl.privilege_type, ' ' order by acl.privilege_type)
                 from pg_namespace n, aclexplode(n.nspacl) acl where nspname = 'auth' and grantee = 0";
    assert_eq!(one::<String>(&mut client, acl), "USAGE");
}

#[test]
fn ordinary_role_needs_no_further_grants() {
    // The installation grants USAGE; a GRANT by its trusted installer could be a silent no-op.
    let database = SHARED.database();
    let mut proxy = Proxy::new();
    let mut admin = SHARED.connect(&database, "postgres", "");
    run(&mut admin, &format!("create role {database}_plain login"));
    for user in [ordinary_user(&SHARED, &database), format!("{database}_plain")] {
        let mut client = SHARED.connect(&database, &user, &proxy.options());
        run(&mut client, "select auth.init()");
        init(&mut client, &proxy.token_of("alice"));
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{user}");
        let all = "select auth.uid(), auth.session(), auth.jwt(), auth.organization(), auth.organization_id(),
                          auth.role(), auth.email() from auth.status()";
        run(&mut client, all);
        run(
            &mut client,
            &format!("begin; select auth.jwt_session_init('{}', true)", proxy.token_of("bob")),
        );
        run(
            &mut client,
            &format!("set local pg_session_jwt.jwt = '{}'; commit", proxy.token_of("carol")),
        );
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{user}");
        let mut client = SHARED.connect(&database, &user, r#"-c request.jwt.claims={"sub":"alice"}"#);
        assert_eq!(claims(&mut client), r#"{"sub": "alice"}"#, "{user}");
    }
}

/// attack: 90
#[test]
fn ordinary_role_cannot_create_in_schema_auth() {
    let database = SHARED.database();
    let user = ordinary_user(&SHARED, &database);
    let mut client = SHARED.connect(&database, &user, "");
    let denied = "permission denied for schema auth";
    for sql in [
        "create function auth.user_id(x text default 'q') returns text language sql as 'select 1'",
        "create table auth.users (id int)",
        "create view auth.v as select 1",
        "create type auth.t as (x int)",
    ] {
        rejects(&mut client, sql, "42501", denied);
    }
    let message = "must be owner of schema auth";
    rejects(&mut client, "alter schema auth rename to mine", "42501", message);
    let message = "must be owner of function user_id";
    rejects(
        &mut client,
        "alter function auth.user_id() owner to current_user",
        "42501",
        message,
    );
    rejects(
        &mut client,
        "create or replace function auth.user_id() returns text language sql as 'select 1'",
        "42501",
        denied,
    );
}

#[test]
fn installed_roles_cannot_log_in_and_have_no_members() {
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    let roles = rows(
        &mut client,
        "select rolname, rolcanlogin or rolsuper or rolinherit is null or rolcreaterole or rolcreatedb or rolreplication
                or rolbypassrls, (select count(*) from pg_auth_members where member = r.oid)
           from pg_roles r where rolname in ('authenticated', 'anonymous') order by rolname",
    );
    let expected = [["anonymous", "f", "0"], ["authenticated", "f", "0"]];
    assert_eq!(
        roles,
        expected.map(|row| row.map(|text| Some(text.to_owned())).to_vec())
    );
    let database = SHARED.database();
    for role in ["authenticated", "anonymous"] {
        let error = SHARED.try_connect(&database, role, "").map(drop).unwrap_err();
        let message = format!("role \"{role}\" is not permitted to log in");
        assert_eq!(error.as_db_error().unwrap().message(), message);
    }
}
