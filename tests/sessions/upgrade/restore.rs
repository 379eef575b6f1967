//! Dumps restored into an empty cluster: what they need there, and that all users find their rows.

use std::fs;

use testkit::cluster::{PLAIN, Turn, with_own_scripts};
use testkit::session::{Proxy, one, rejects, run};

use crate::support::application::{fill, is_intact};
use crate::support::dump::{TARGET, file, succeeds, tool};
use crate::support::extension_catalog::{assert_same_facts, facts};
use crate::support::old_versions::VERSION_0_5_0;

/// The lines that begin with an error, of a tool that continues after errors.
fn errors(cluster: &Turn, name: &str, arguments: &[&str]) -> Vec<String> {
    let output = tool(cluster, name, arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut lines: Vec<String> = error
        .lines()
        .filter_map(|line| line.split_once("ERROR:  "))
        .map(|(_, message)| message.to_owned())
        .collect();
    lines.dedup();
    lines
}

/// A dump of the filled application in the custom format: its cluster and the file.
fn dumped() -> (Turn<'static>, String) {
    let cluster = PLAIN.turn();
    let mut owner = cluster.owner("app");
    run(&mut owner, "create extension pg_session_jwt");
    fill(&cluster, &mut owner, &mut Proxy::new());
    let dump = file(&cluster, "app.dump");
    succeeds(&cluster, "pg_dump", &["-Fc", "-f", &dump, "app"]);
    (cluster, dump)
}

/// attack: 123
#[test]
fn dump_restores_everything_after_its_roles() {
    let (source, dump) = dumped();
    let target = TARGET.turn();
    let roles = succeeds(&source, "pg_dumpall", &["--roles-only"]);
    let script = file(&target, "roles.sql");
    // Every cluster has its bootstrap superuser already.
    fs::write(&script, roles.replace("CREATE ROLE postgres;\n", "")).unwrap();
    succeeds(
        &target,
        "psql",
        &[
            "-Xq",
            "-v",
            "ON_ERROR_STOP=1",
            "-o",
            "/dev/null",
            "-f",
            &script,
            "postgres",
        ],
    );
    target.run("create database app owner owner");
    succeeds(
        &target,
        "pg_restore",
        &["--jobs=2", "--exit-on-error", "-d", "app", &dump],
    );
    is_intact(&target, "app");
    let (mut restored, mut original) = (target.superuser("app"), source.superuser("app"));
    run(&mut original, "grant select on todos to owner");
    // The extension belongs to the role that restored it.
    let belongs = |fact: &String| !fact.starts_with("extension ");
    let both =
        [&mut restored, &mut original].map(|client| facts(client).into_iter().filter(belongs).collect::<Vec<_>>());
    assert_same_facts("restored", &both[0], &both[1]);
}

/// attack: 122
#[test]
fn dump_without_roles_loses_only_their_grants() {
    let (_source, dump) = dumped();
    let target = TARGET.turn();
    target.run("create database app");
    assert_eq!(
        errors(&target, "pg_restore", &["-d", "app", &dump]),
        [r#"role "owner" does not exist"#, r#"role "app" does not exist"#]
    );
    // The extension created the roles in the policies. pg_restore grants all privileges on a table or none.
    let mut client = target.superuser("app");
    run(&mut client, "set role authenticated");
    rejects(
        &mut client,
        "select * from todos",
        "42501",
        "permission denied for table todos",
    );
    run(
        &mut client,
        "reset role; grant select, insert on todos to authenticated",
    );
    run(&mut client, "create role app login in role authenticated");
    is_intact(&target, "app");
}

#[test]
fn dangerous_role_stops_a_restore_before_any_data() {
    let (_source, dump) = dumped();
    let target = TARGET.turn();
    target.run("create database app");
    target.run("create role authenticated bypassrls; create role owner; create role app");
    let errors = errors(&target, "pg_restore", &["-d", "app", &dump]);
    assert_eq!(
        errors[0],
        r#"role "authenticated" has more privileges than end users may have"#
    );
    let mut client = target.superuser("app");
    // Without the schema the default is invalid SQL, so there is no table that could be open.
    assert!(one::<bool>(&mut client, "select to_regclass('todos') is null"));
}

/// attack: 123
#[test]
fn a_dump_of_an_old_version_restores_into_the_new_one() {
    let source = with_own_scripts();
    let mut owner = source.owner("app");
    let mut admin = source.superuser("app");
    VERSION_0_5_0.install(&source, &mut admin);
    run(&mut admin, "create role authenticated; create role anonymous");
    run(
        &mut admin,
        "grant usage on schema auth to authenticated, anonymous, owner",
    );
    fill(&source, &mut owner, &mut Proxy::new());
    let dump = file(&source, "app.dump");
    succeeds(&source, "pg_dump", &["-Fc", "-f", &dump, "app"]);
    let target = TARGET.turn();
    target.run("create database app");
    target.run("create role owner; create role app login; create role authenticated; create role anonymous");
    target.run("grant authenticated to app");
    succeeds(&target, "pg_restore", &["--exit-on-error", "-d", "app", &dump]);
    is_intact(&target, "app");
    let version = "select extversion from pg_extension where extname = 'pg_session_jwt'";
    assert_eq!(one::<String>(&mut target.superuser("app"), version), "1.0.0");
}
