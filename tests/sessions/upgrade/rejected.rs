//! Updates that must fail: with a reason, and with the old version unchanged.

use testkit::cluster::{Turn, with_own_scripts};
use testkit::server::{program, unprivileged_user};
use testkit::session::{Rejection, one, rejection, run};

use crate::support::extension_catalog::{assert_same_facts, facts};
use crate::support::old_versions::VERSION_0_5_0;

const UPDATE: &str = "alter extension pg_session_jwt update";

/// Installs 0.5.0 and runs `before`. The update must fail without a trace, and succeed after `cure`.
fn rejected_until_cured(cluster: &Turn, before: &str, cure: &str) -> Rejection {
    let mut client = cluster.empty_database("d");
    VERSION_0_5_0.install(cluster, &mut client);
    run(&mut client, before);
    let old = facts(&mut client);
    let rejected = rejection(&mut client, UPDATE);
    assert_same_facts(before, &facts(&mut client), &old);
    run(&mut client, cure);
    run(&mut client, UPDATE);
    let version = "select extversion from pg_extension where extname = 'pg_session_jwt'";
    assert_eq!(one::<String>(&mut client, version), "1.0.0");
    rejected
}

#[test]
fn dangerous_role_prevents_the_update() {
    let rejected = rejected_until_cured(
        &with_own_scripts(),
        "create role boss superuser; create role authenticated in role boss",
        "revoke boss from authenticated",
    );
    assert_eq!(
        (&*rejected.sqlstate, &*rejected.message, rejected.detail.as_deref()),
        (
            "55000",
            r#"role "authenticated" has more privileges than end users may have"#,
            Some(r#"It is a member of role "boss", which has SUPERUSER."#)
        )
    );
}

/// attack: 115
#[test]
fn existing_function_of_another_owner_prevents_the_update() {
    for (function, name) in [
        ("auth.role() returns text", "role"),
        ("auth.email() returns text", "email"),
        ("auth.status() returns text", "status"),
        ("auth.jwt_session_init(text, boolean) returns text", "jwt_session_init"),
    ] {
        let rejected = rejected_until_cured(
            &with_own_scripts(),
            &format!("create function {function} language sql return 'theirs'"),
            &format!(
                "drop function auth.{name}{}",
                if name == "jwt_session_init" {
                    "(text, boolean)"
                } else {
                    "()"
                }
            ),
        );
        let message = format!(r#"function "{name}" already exists with same argument types"#);
        assert_eq!((&*rejected.sqlstate, &*rejected.message), ("42723", &*message));
    }
}

/// Replaces auth.uid() by a function with this result type, as a member of the extension.
fn uid_returns(returned: &str) -> String {
    format!(
        "alter extension pg_session_jwt drop function auth.uid(); drop function auth.uid() cascade;
         create function auth.uid() returns {returned} strict language c as '$libdir/pg_session_jwt', 'uid_wrapper';
         alter extension pg_session_jwt add function auth.uid()"
    )
}

#[test]
fn text_uid_is_replaced_unless_objects_depend_on_it() {
    let cluster = with_own_scripts();
    let mut client = cluster.empty_database("fresh");
    run(&mut client, "create extension pg_session_jwt");
    let fresh = facts(&mut client);
    let mut client = cluster.empty_database("old");
    VERSION_0_5_0.install(&cluster, &mut client);
    run(&mut client, &uid_returns("text"));
    run(&mut client, UPDATE);
    assert_same_facts("auth.uid() returned text", &facts(&mut client), &fresh);
    drop((cluster, client));

    let before = format!(
        "{}; create table t (id text); create policy own on t using (id = auth.uid())",
        uid_returns("text")
    );
    let rejected = rejected_until_cured(&with_own_scripts(), &before, "drop policy own on t");
    assert_eq!(
        (&*rejected.sqlstate, &*rejected.message, rejected.detail.as_deref()),
        (
            "2BP01",
            "cannot drop function auth.uid() because other objects depend on it",
            Some("policy own on table t depends on function auth.uid()")
        )
    );
}

#[test]
fn altered_function_prevents_the_update() {
    let session_returns = |returned: &str| uid_returns(returned).replace("uid", "session");
    let rejected = rejected_until_cured(&with_own_scripts(), &session_returns("json"), &session_returns("jsonb"));
    assert_eq!(
        (&*rejected.sqlstate, &*rejected.message),
        ("42P13", "cannot change return type of existing function")
    );
}

/// The update scripts of this source tree: name and text.
fn update_scripts() -> Vec<(String, String)> {
    let directory = testkit::root().join("sql");
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let named = entries.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path));
    let scripts = named.filter(|(name, _)| name.starts_with("pg_session_jwt--"));
    scripts
        .map(|(name, path)| (name, std::fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn script_in_psql_only_prints_how_to_use_it() {
    let cluster = with_own_scripts();
    let mut client = cluster.empty_database("d");
    run(&mut client, "create schema auth");
    let mut scripts: Vec<(String, String)> = update_scripts()
        .into_iter()
        .map(|(name, _)| {
            let target = name.trim_end_matches(".sql").rsplit("--").next().unwrap().to_owned();
            (
                name,
                format!("Use \"ALTER EXTENSION pg_session_jwt UPDATE TO '{target}'\" to load this file.\n"),
            )
        })
        .collect();
    assert_eq!(scripts.len(), 3);
    let install = "Use \"CREATE EXTENSION pg_session_jwt\" to load this file.\n";
    scripts.push(("pg_session_jwt--1.0.0.sql".to_owned(), install.to_owned()));
    for (name, says) in scripts {
        let mut psql = program("psql", unprivileged_user());
        psql.args(["-X", "-h", "127.0.0.1", "-U", "postgres", "-d", "d", "-p"]);
        let script = cluster.extension_directory().join(&name);
        let output = psql
            .arg(cluster.port().to_string())
            .arg("-f")
            .arg(script)
            .output()
            .unwrap();
        assert_eq!(
            (
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ),
            (says.into(), "".into()),
            "{name}"
        );
    }
    let made = "select count(*) from pg_proc where pronamespace = 'auth'::regnamespace";
    assert_eq!(one::<i64>(&mut client, made), 0);
}

#[test]
fn update_and_installation_end_with_the_same_statements() {
    let (_, update) = update_scripts()
        .into_iter()
        .find(|(name, _)| name.ends_with("--1.0.0.sql"))
        .unwrap();
    let parts = [
        include_str!("../../../sql/roles.sql"),
        include_str!("../../../sql/privileges.sql"),
        include_str!("../../../sql/comments.sql"),
    ];
    assert!(update.ends_with(&parts.join("\n")));
}
