//! The blocks of docs/check.md: exceptions, the exit status, the log for code hosts, and the baseline.

use std::process::{Command, Output};

use serde_json::Value;
use testkit::guide::{Block, page};
use testkit::server::Server;
use testkit::session::{one, rows, run};

/// The block of the page with this part.
fn block(part: &str) -> Block {
    let mut found = page("check").into_iter().filter(|block| block.text.contains(part));
    let block = found.next().unwrap_or_else(|| panic!("no block has {part}"));
    assert!(found.next().is_none(), "several blocks have {part}");
    block
}

fn shell(server: &Server, database: &str, user: &str, block: &Block) -> Output {
    let bin = testkit::server::pg_config("--bindir");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    Command::new("bash")
        .args(["-ec", &block.text])
        .env("PATH", path)
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", server.port().to_string())
        .env("PGUSER", user)
        .env("PGDATABASE", database)
        .current_dir(server.directory())
        .output()
        .unwrap()
}

fn server() -> Server {
    let server = Server::start("shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.claims_fallback = off");
    let mut admin = server.connect("postgres", "postgres", "");
    run(&mut admin, "create database site");
    server
}

#[test]
fn exit_status_says_whether_there_are_findings() {
    let server = server();
    let mut admin = server.connect("site", "postgres", "");
    let line = block("ASSERT");
    assert_eq!(line.text.lines().count(), 1);
    let mut status = |sql: &str| {
        run(&mut admin, sql);
        let output = shell(&server, "site", "postgres", &line);
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (passed, _) = status("create table closed ()");
    assert_eq!(passed, 0);
    // A notice does not count.
    assert_eq!(status("drop role anonymous").0, 0);
    assert_eq!(status("create role anonymous").0, 0);
    let (failed, shown) = status("create table open (); grant select on open to anonymous");
    assert_ne!(failed, 0);
    assert!(shown.contains("table_without_rls | public.open"), "{shown}");
    let allow = "comment on table open is 'auth.check: allow table_without_rls because it is public'";
    assert_eq!(status(allow).0, 0);
    let warning = "create function f() returns int language sql security definer return 1";
    assert_ne!(status(warning).0, 0);
    assert_eq!(status("drop function f").0, 0);
    // What cannot be checked has not passed.
    run(&mut admin, "create role visitor login");
    assert_ne!(shell(&server, "site", "visitor", &line).status.code(), Some(0));
    assert_ne!(shell(&server, "absent", "postgres", &line).status.code(), Some(0));
}

#[test]
fn log_for_code_hosts_is_written_to_a_file() {
    let server = server();
    let mut admin = server.connect("site", "postgres", "");
    run(&mut admin, "create table open (); grant select on open to anonymous");
    let output = shell(&server, "site", "postgres", &block("auth.check_sarif"));
    assert!(output.status.success(), "{output:?}");
    let log = std::fs::read(server.directory().join("auth-check.sarif")).unwrap();
    let log: Value = serde_json::from_slice(&log).unwrap();
    let location = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(location["uri"], "db/schema.sql");
}

#[test]
fn baseline_shows_new_findings_and_loses_fixed_ones() {
    let server = server();
    let mut admin = server.connect("site", "postgres", "");
    run(
        &mut admin,
        "create table old (); create table older (); grant select on old, older to anonymous",
    );
    run(&mut admin, &block("CREATE TABLE accepted_findings").text);
    let later = block("SELECT severity, finding, object FROM auth.check()\nWHERE").text;
    let mut shown = |sql: &str| -> Vec<String> {
        run(&mut admin, sql);
        rows(&mut admin, &later)
            .into_iter()
            .map(|row| row[2].clone().unwrap())
            .collect()
    };
    assert_eq!(shown(""), Vec::<String>::new());
    assert_eq!(
        shown("create table new (); grant select on new to anonymous"),
        ["public.new"]
    );
    let allow = "comment on table new is 'auth.check: allow table_without_rls because it is public'";
    assert_eq!(shown(allow), Vec::<String>::new());
    assert_eq!(shown("comment on table new is null; drop table older"), ["public.new"]);
    run(&mut admin, &block("DELETE FROM accepted_findings").text);
    let left = "select string_agg(object, ', ') from accepted_findings";
    assert_eq!(one::<String>(&mut admin, left), "public.old");
}

#[test]
fn example_of_an_exception_allows_its_finding() {
    let server = server();
    let mut admin = server.connect("site", "postgres", "");
    run(
        &mut admin,
        "create table products (); grant select on products to anonymous",
    );
    run(&mut admin, &block("COMMENT ON TABLE").text);
    let row = "select concat_ws(' ', severity, object, allowed_because) from auth.check()";
    assert_eq!(one::<String>(&mut admin, row), "allowed public.products it is public");
}
