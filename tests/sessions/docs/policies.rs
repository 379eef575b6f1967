//! docs/policies.md: the test of each policy passes, and `auth.check()` finds in each site what the page says.

use std::fs;

use testkit::cluster::{Cluster, Turn};
use testkit::guide::{Block, blocks, blocks_of, page};
use testkit::server::Server;
use testkit::session::run;

use crate::docs::testing_policies::{IN_PLACE_OF_PGCRYPTO, functions, has, psql, results};
use crate::support::findings::findings;

/// The parts of the page below its headings of level 2.
fn sections() -> Vec<(String, Vec<Block>)> {
    let text = fs::read_to_string(testkit::root().join("docs/policies.md")).unwrap();
    let sections = text.split("\n## ").skip(1);
    sections
        .map(|section| (section.lines().next().unwrap().to_owned(), blocks(section)))
        .collect()
}

fn the<'a>(blocks: &'a [Block], fence: &str) -> Option<&'a str> {
    let mut found = blocks.iter().filter(|block| block.fence == fence);
    let block = found.next();
    assert!(found.next().is_none(), "several blocks {fence}");
    block.map(|block| block.text.as_str())
}

/// A database with the extension and with the functions of docs/testing-policies.md, to be copied.
fn tools(cluster: &Turn<'_>) {
    let mut admin = cluster.empty_database("tools");
    run(&mut admin, "create extension pg_session_jwt; create extension pgtap");
    match has(&mut admin, "pgcrypto") {
        true => run(&mut admin, "create extension pgcrypto"),
        false => run(&mut admin, IN_PLACE_OF_PGCRYPTO),
    }
    for block in functions() {
        run(&mut admin, &block.text);
    }
}

const WITHOUT_RLS: &str = "do $$ declare name text; begin
    for name in select oid::regclass from pg_class where relrowsecurity loop
        execute format('alter table %s disable row level security', name);
    end loop;
end $$";

fn fails(tap: &str) -> bool {
    results(tap).iter().any(|result| result.starts_with("not ok"))
}

#[test]
fn each_policy_keeps_its_promises() {
    let readme = blocks_of("README.md");
    let cluster = Cluster::new(Server::start_empty(the(&readme, "conf").unwrap()));
    let cluster = cluster.turn();
    tools(&cluster);
    let page = page("policies");
    let (begin, end) = (the(&page, "sql begin").unwrap(), the(&page, "sql end").unwrap());
    let sections = sections();
    assert_eq!(sections.len(), 12);
    for (name, blocks) in sections {
        cluster.run("drop database if exists site");
        cluster.run("create database site template tools");
        let mut admin = cluster.superuser("site");
        run(&mut admin, the(&blocks, "sql").unwrap());
        let test = the(&blocks, "sql test").unwrap();
        let tap = psql(&cluster, "site", &format!("{begin}{test}{end}"));
        assert!(results(&tap).len() > 2, "{name}: {tap}");
        assert!(!fails(&tap), "{name}: {tap}");
        let expected: Vec<&str> = the(&blocks, "findings").unwrap_or_default().lines().collect();
        assert_eq!(findings(&mut admin), expected, "{name}");
        // A test that cannot fail tests nothing. What visitors may do is a matter of privileges alone.
        run(&mut admin, WITHOUT_RLS);
        let tap = psql(&cluster, "site", &format!("{begin}{test}{end}"));
        assert_eq!(fails(&tap), name != "Visitors who write", "{name}: {tap}");
    }
}
