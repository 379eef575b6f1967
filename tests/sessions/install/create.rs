//! CREATE EXTENSION: who may run it, the owners of its objects, and their privileges.

use testkit::cluster::PLAIN;
use testkit::session::{one, rejection, rejects, run};

use crate::support::extension_catalog::{assert_same_facts, facts, facts_about};

const CREATE: &str = "create extension pg_session_jwt";

#[test]
fn database_owner_owns_only_the_extension() {
    let cluster = PLAIN.turn();
    let mut superuser = cluster.empty_database("by_superuser");
    run(&mut superuser, CREATE);
    let mut owner = cluster.owner("by_owner");
    run(&mut owner, CREATE);

    let theirs = facts(&mut superuser);
    assert_eq!(
        theirs
            .iter()
            .filter(|fact| fact.starts_with("function auth.") && fact.contains("probin"))
            .count(),
        21
    );
    let (extension, ours): (Vec<_>, Vec<_>) = facts(&mut owner)
        .into_iter()
        .partition(|fact| fact.starts_with("extension pg_session_jwt belongs") || fact.starts_with("extension {"));
    assert_eq!(extension.len(), 2);
    assert!(extension.iter().all(|fact| fact.contains("owner")), "{extension:?}");
    let theirs: Vec<_> = theirs
        .into_iter()
        .filter(|fact| !fact.starts_with("extension {"))
        .collect();
    assert_same_facts("what a mere owner has installed", &ours, &theirs);
    for fact in facts_about(&mut owner, "function auth.")
        .iter()
        .filter(|fact| fact.contains("probin"))
    {
        assert!(fact.contains(r#""proowner": "postgres""#), "{fact}");
    }
    assert!(facts_about(&mut owner, "schema {")[0].contains(r#""nspowner": "postgres""#));
}

/// attack: 119
#[test]
fn database_owner_cannot_create_in_schema_auth() {
    let cluster = PLAIN.turn();
    let mut owner = cluster.owner("d");
    run(&mut owner, CREATE);
    let denied = "permission denied for schema auth";
    let look_alike = "function auth.user_id(x text default '') returns text language sql return 'victim'";
    rejects(&mut owner, &format!("create {look_alike}"), "42501", denied);
    rejects(&mut owner, "create table auth.t ()", "42501", denied);
    rejects(&mut owner, "create domain auth.text as text", "42501", denied);
    let replacement = "create or replace function auth.user_id() returns text language sql return 'victim'";
    rejects(&mut owner, replacement, "42501", denied);
    rejects(
        &mut owner,
        "alter schema auth rename to mine",
        "42501",
        "must be owner of schema auth",
    );
    rejects(
        &mut owner,
        "alter schema auth owner to owner",
        "42501",
        "must be owner of schema auth",
    );
    rejects(&mut owner, "drop schema auth", "42501", "must be owner of schema auth");
    let not_yours = "must be owner of function auth.user_id";
    rejects(&mut owner, "drop function auth.user_id()", "42501", not_yours);
    rejects(&mut owner, "alter function auth.user_id() cost 1", "42501", not_yours);
    let not_yours = "must be owner of function user_id";
    let rename = "alter function auth.user_id() rename to u";
    rejects(&mut owner, rename, "42501", not_yours);
    // GRANT without grant option is a warning in PostgreSQL, not an error.
    run(&mut owner, "grant create on schema auth to owner");
    assert!(!one::<bool>(
        &mut owner,
        "select has_schema_privilege('auth', 'create')"
    ));
    run(&mut owner, "drop extension pg_session_jwt");
    assert!(one::<bool>(&mut owner, "select to_regnamespace('auth') is null"));
}

#[test]
fn installation_needs_create_on_the_database() {
    let cluster = PLAIN.turn();
    drop(cluster.empty_database("d"));
    cluster.run("create role stranger login");
    let rejected = rejection(&mut cluster.connect("d", "stranger", ""), CREATE);
    assert_eq!(
        (&*rejected.sqlstate, &*rejected.message),
        ("42501", r#"permission denied to create extension "pg_session_jwt""#)
    );
    assert_eq!(
        rejected.hint.as_deref(),
        Some("Must have CREATE privilege on current database to create this extension.")
    );
}

#[test]
fn public_may_use_schema_auth_and_not_create_in_it() {
    let cluster = PLAIN.turn();
    let mut client = cluster.empty_database("d");
    run(&mut client, CREATE);
    run(&mut client, "create role fresh noinherit");
    for role in ["authenticated", "anonymous", "fresh"] {
        let may = |what| format!("select has_schema_privilege('{role}', 'auth', '{what}')");
        assert!(one::<bool>(&mut client, &may("usage")), "{role}");
        assert!(!one::<bool>(&mut client, &may("create")), "{role}");
        assert!(!one::<bool>(&mut client, &may("usage with grant option")), "{role}");
        let may_call = format!(
            "select array_agg(distinct has_function_privilege('{role}', oid, 'execute')), count(*)
             from pg_proc where pronamespace = 'auth'::regnamespace and proname not in ('activity', 'check', 'check_sarif', 'providers', 'provider_settings', 'refresh_providers', 'reset_stats', 'stats', 'verify')"
        );
        let row = client.query_one(&may_call, &[]).unwrap();
        assert_eq!(
            (row.get::<_, Vec<bool>>(0), row.get::<_, i64>(1)),
            (vec![true], 12),
            "{role}"
        );
        run(&mut client, &format!("set role {role}"));
        let message = "permission denied for function providers";
        rejects(&mut client, "select from auth.providers()", "42501", message);
        let called: bool = one(&mut client, "select auth.user_id() is null and auth.session() = 'null'");
        assert!(called, "{role}");
        let create = "create function auth.f() returns int language sql return 1";
        rejects(&mut client, create, "42501", "permission denied for schema auth");
        run(&mut client, "reset role");
    }
}

/// attack: 117
#[test]
fn functions_are_always_in_schema_auth() {
    let cluster = PLAIN.turn();
    let mut client = cluster.empty_database("d");
    let schema_of = "select extnamespace::regnamespace::text from pg_extension where extname = 'pg_session_jwt'";
    run(
        &mut client,
        "create extension if not exists pg_session_jwt with schema public",
    );
    assert_eq!(one::<String>(&mut client, schema_of), "public");
    let before = facts(&mut client);
    run(
        &mut client,
        "create extension if not exists pg_session_jwt with schema public",
    );
    run(&mut client, "create extension if not exists pg_session_jwt");
    assert_same_facts("IF NOT EXISTS", &facts(&mut client), &before);
    rejects(
        &mut client,
        CREATE,
        "42710",
        r#"extension "pg_session_jwt" already exists"#,
    );
    run(&mut client, "drop extension pg_session_jwt; create schema elsewhere");
    run(&mut client, "create extension pg_session_jwt schema elsewhere");
    assert_eq!(one::<String>(&mut client, schema_of), "elsewhere");
    assert!(one::<bool>(&mut client, "select auth.user_id() is null"));
    rejects(
        &mut client,
        "alter extension pg_session_jwt set schema public",
        "0A000",
        r#"extension "pg_session_jwt" does not support SET SCHEMA"#,
    );
}

/// attack: 91, 116, 117
#[test]
fn existing_schema_auth_is_rejected_with_its_owner() {
    let cluster = PLAIN.turn();
    let mut superuser = cluster.empty_database("d");
    let mut owner = cluster.owner("of_owner");
    run(&mut superuser, "create schema auth; create table auth.users ()");
    run(&mut owner, "create schema auth");
    for (client, name) in [(&mut superuser, "postgres"), (&mut owner, "owner")] {
        let rejected = rejection(client, CREATE);
        assert_eq!(
            (&*rejected.sqlstate, &*rejected.message),
            ("42P06", r#"schema "auth" already exists"#)
        );
        let detail = format!(r#"It belongs to role "{name}" and not to this extension."#);
        assert_eq!(rejected.detail.as_deref(), Some(&*detail));
        let hint = "pg_session_jwt creates its own schema \"auth\". Drop the existing one, or rename it: \
                    ALTER SCHEMA auth RENAME TO auth_old.";
        assert_eq!(rejected.hint.as_deref(), Some(hint));
        run(client, "alter schema auth rename to auth_old");
        run(client, CREATE);
    }
}

#[test]
fn rolled_back_installation_leaves_nothing() {
    let cluster = PLAIN.turn();
    let mut client = cluster.empty_database("d");
    run(&mut client, &format!("begin; {CREATE}; rollback"));
    assert!(one::<bool>(
        &mut client,
        "select to_regrole('authenticated') is null and to_regnamespace('auth') is null"
    ));
}
