//! docs/getting-started.md, block by block, as a reader would go through it: once by its SQL, once by its Drizzle.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use testkit::guide::{Block, PsqlSession, dev_tokens, page};
use testkit::server::Server;
use testkit::session::one;

use crate::typescript::link_modules;
use crate::{laid_out, output};

/// The text of the only block with this fence.
fn the<'a>(page: &'a [Block], fence: &str) -> &'a str {
    let mut blocks = page.iter().filter(|block| block.fence == fence);
    let block = blocks.next().unwrap_or_else(|| panic!("no block {fence}"));
    assert!(blocks.next().is_none(), "several blocks {fence}");
    &block.text
}

/// Runs the blocks of SQL that `which` chooses, in the database `mydb`.
fn read(server: &Server, page: &[Block], variables: &HashMap<&'static str, String>, which: impl Fn(&Block) -> bool) {
    let blocks = page
        .iter()
        .filter(|block| block.fence.starts_with("sql") && block.fence != "sql server" && which(block));
    for block in blocks {
        let reader = PsqlSession {
            server,
            port: server.port(),
            user: if block.fence.starts_with("sql app") {
                "app"
            } else {
                "postgres"
            },
            database: "mydb",
            options: "",
            variables: variables.clone(),
        };
        let printed = reader.runs(block);
        if block.text.contains("auth.check()") {
            assert_eq!(printed, "");
        }
    }
}

/// A server as step 1 has it, with the empty database of the page.
fn server(page: &[Block]) -> Server {
    let server = Server::start_empty(the(page, "conf"));
    let mut admin = server.connect("postgres", "postgres", "");
    admin.batch_execute(the(page, "sql server")).unwrap();
    server
}

/// The grant that goes with Drizzle's tables.
fn is_drizzles(block: &Block) -> bool {
    block.text.starts_with("ALTER DEFAULT PRIVILEGES")
}

#[test]
fn the_way_in_sql() {
    let page = page("getting-started");
    let server = server(&page);
    let variables = dev_tokens(the(&page, "sh"), server.directory());
    read(&server, &page, &variables, |block| !is_drizzles(block));
}

#[test]
fn the_way_in_drizzle() {
    let page = page("getting-started");
    let server = server(&page);
    let project = server.directory().join("project");
    fs::create_dir(&project).unwrap();
    let variables = dev_tokens(the(&page, "sh"), &project);
    let before = |block: &Block| block.fence == "sql" && !block.text.starts_with("CREATE TABLE");
    read(&server, &page, &variables, before);

    // What `npm init` and `npm install` would make; the packages are those that the page names.
    let node = laid_out().join("node");
    let packages = fs::read_to_string(node.join("package.json")).unwrap();
    for line in the(&page, "sh npm")
        .lines()
        .filter_map(|line| line.strip_prefix("npm install "))
    {
        let from_the_registry = line.split(" \"").next().unwrap();
        for package in from_the_registry.split(' ').filter(|word| !word.starts_with("--")) {
            assert!(packages.contains(&format!("\"{package}\": ")), "{package}");
        }
    }
    fs::write(project.join("package.json"), r#"{"type":"module"}"#).unwrap();
    let modules = project.join("node_modules");
    link_modules("node", &modules);
    // npm too makes a link to a directory.
    symlink(
        testkit::root().join("clients/typescript"),
        modules.join("pg-session-jwt"),
    )
    .unwrap();
    for block in page.iter().filter(|block| block.fence.starts_with("ts ")) {
        fs::write(project.join(&block.fence[3..]), &block.text).unwrap();
    }
    let mut printed = String::new();
    for block in page.iter().filter(|block| block.fence == "sh drizzle") {
        let here = block
            .text
            .replace("@127.0.0.1/", &format!("@127.0.0.1:{}/", server.port()));
        let script = format!("set -euo pipefail\n{here}");
        let mut bash = Command::new("bash");
        bash.args(["-c", &script]).current_dir(&project);
        // npx would ask the registry whether there is a newer npm.
        bash.env("npm_config_update_notifier", "false")
            .env("npm_config_offline", "true");
        for name in ["alice", "bob", "expired"] {
            bash.env(name.to_uppercase(), &variables[name]);
        }
        printed = output(&mut bash);
    }
    let last = page.iter().rfind(|block| block.fence == "sh drizzle").unwrap();
    let expected: Vec<&str> = last
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("# => "))
        .collect();
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
    // The page names it, and step 4 shows the query for the critical ones.
    let all = "select string_agg(finding, ' ') from auth.check()
               where severity in ('critical', 'warning') and finding <> 'postgres_outdated'";
    let mut admin = server.connect("mydb", "postgres", "");
    assert_eq!(one::<String>(&mut admin, all), "default_privileges");
}
