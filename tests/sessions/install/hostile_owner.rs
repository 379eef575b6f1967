//! A hostile database owner installs the extension: its script runs as superuser and must run nothing of theirs.

use std::fs;

use postgres::Client;

use testkit::cluster::{PLAIN, Turn, with_own_scripts};
use testkit::server::major;
use testkit::session::{one, rejection, run};

const CREATE: &str = "create extension pg_session_jwt";
const INSTALL_SCRIPT: &str = "pg_session_jwt--1.0.0.sql";

/// Fills schema public with look-alikes of objects that an unqualified script could mean: operators, functions that
/// match its arguments better than PostgreSQL's, types and relations. A sequence records each one that runs, also in a
/// transaction that fails.
fn look_alikes() -> String {
    let mut sql = "create sequence ran; create table ran_as (role name);".to_owned();
    for name in ["name", "text", "bool", "oid", "uuid", "jsonb", "timestamptz", "int8"] {
        sql += &format!("create domain public.{name} as pg_catalog.{name};");
    }
    for name in ["pg_roles", "pg_namespace", "pg_authid"] {
        sql += &format!("create table public.{name} (oid pg_catalog.oid, rolname pg_catalog.name);");
    }
    let body = "language plpgsql as $$ begin perform pg_catalog.nextval('public.ran');
                insert into public.ran_as values (current_user); return";
    let (name, text, oid) = ("pg_catalog.name", "pg_catalog.text", "pg_catalog.oid");
    for arguments in [vec![name], vec![text], vec![name, text], vec![text, text]] {
        let given: String = (0..arguments.len()).map(|i| format!(", ${}", i + 2)).collect();
        sql += &format!(
            "create function public.format({text}, {}) returns {text} {body} pg_catalog.format($1{given}); end $$;",
            arguments.join(", ")
        );
    }
    sql += &format!(
        "create function public.concat_ws({text}, {text}, {text}, {text}, {text}) returns {text} {body} ''; end $$;
         create function public.pg_has_role({oid}, {oid}, {text}) returns pg_catalog.bool {body} false; end $$;"
    );
    for (left, right) in [(name, text), (name, name), (text, name), (text, text), (oid, oid)] {
        sql += &format!(
            "create function public.same({left}, {right}) returns pg_catalog.bool {body} false; end $$;
             create operator public.= (leftarg = {left}, rightarg = {right}, function = public.same);
             create operator public.<> (leftarg = {left}, rightarg = {right}, function = public.same);"
        );
    }
    sql
}

/// A session of an ordinary database owner, in a database full of traps, with settings that disturb careless scripts.
fn hostile_owner(cluster: &Turn) -> Client {
    let mut owner = cluster.owner("d");
    run(&mut owner, &look_alikes());
    run(
        &mut owner,
        "alter database d set search_path = public, pg_catalog;
         set search_path = public, pg_catalog; set plpgsql.extra_errors = 'all'; set quote_all_identifiers = on;
         set default_transaction_isolation = 'repeatable read'",
    );
    // PostgreSQL 19 does not know other strings any more.
    if major() < 19 {
        run(&mut owner, "set standard_conforming_strings = off");
    }
    owner
}

fn anything_ran(client: &mut Client) -> bool {
    one(client, "select is_called from public.ran")
}

/// attack: 115, 119
#[test]
fn script_runs_nothing_created_by_the_database_owner() {
    let cluster = PLAIN.turn();
    let mut owner = hostile_owner(&cluster);
    run(&mut owner, "create schema auth");
    assert_eq!(rejection(&mut owner, CREATE).sqlstate, "42P06");
    run(&mut owner, "drop schema auth");
    cluster.run("create role anonymous bypassrls");
    assert_eq!(rejection(&mut owner, CREATE).sqlstate, "55000");
    cluster.run("drop role anonymous");
    run(&mut owner, CREATE);
    assert!(!anything_ran(&mut owner));
    // The functions also have PostgreSQL's types.
    run(&mut owner, "set search_path = pg_catalog");
    let types = "select bool_and(t.typnamespace = 'pg_catalog'::regnamespace)
                 from pg_proc p cross join unnest(p.proargtypes::oid[] || p.proallargtypes || p.prorettype) u(oid)
                 join pg_type t on t.oid = u.oid where p.pronamespace = 'auth'::regnamespace";
    assert!(one::<bool>(&mut owner, types));
}

#[test]
fn look_alikes_would_run_in_an_unqualified_script() {
    let cluster = with_own_scripts();
    let script = cluster.extension_directory().join(INSTALL_SCRIPT);
    let careful = fs::read_to_string(&script).unwrap();
    let careless = careful.replace("pg_catalog.format(", "format(");
    assert_ne!(careless, careful);
    fs::write(&script, careless).unwrap();
    let mut owner = hostile_owner(&cluster);
    run(&mut owner, CREATE);
    assert!(anything_ran(&mut owner));
    let ran_as = "select array_agg(distinct role)::pg_catalog.text[] from public.ran_as";
    assert_eq!(one::<Vec<String>>(&mut owner, ran_as), ["postgres"]);
}

/// A script without comments, texts, `OPERATOR(pg_catalog.…)`, and the `=` of RAISE's options.
fn bare(script: &str) -> String {
    let lines = script.lines().filter(|line| !line.starts_with('\\'));
    let code: Vec<_> = lines.map(|line| line.split("--").next().unwrap()).collect();
    let code = code
        .join("\n")
        .replace("OPERATOR(pg_catalog.=)", "")
        .replace("OPERATOR(pg_catalog.<>)", "");
    let options = ["ERRCODE", "MESSAGE", "DETAIL", "HINT"];
    let code = options
        .iter()
        .fold(code, |code, option| code.replace(&format!("{option} ="), option));
    // Every second piece between quotes is a text.
    code.split('\'').step_by(2).collect::<Vec<_>>().join(" '' ")
}

/// attack: 89
#[test]
fn scripts_qualify_every_function_and_operator() {
    let directory = testkit::root().join("sql");
    let mut calls = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let code = bare(&fs::read_to_string(&path).unwrap());
        let operator = code.find(|character| "=<>|~@#&+*/!^?`".contains(character));
        assert_eq!(operator.map(|at| &code[at..]), None, "{}", path.display());
        for (at, _) in code.match_indices('(') {
            let is_word = |character: char| character.is_alphanumeric() || "_.".contains(character);
            let word = code[..at]
                .trim_end()
                .rsplit(|character| !is_word(character))
                .next()
                .unwrap();
            // Words of SQL's grammar, and a table's alias.
            let grammar = ["EXISTS", "LATERAL", "ANY", "TABLE", "AND", "a"].contains(&word);
            assert!(
                grammar || word.starts_with("pg_catalog.") || word.starts_with("auth."),
                "{word} in {}",
                path.display()
            );
            calls += 1;
        }
    }
    assert!(calls > 50, "{calls}");
}
