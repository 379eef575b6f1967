//! Each page that sets up a site, and the findings of `auth.check()` in it: none that is critical or a warning, unless a page
//! shows something that is one.
//!
//! The tests that run README.md, docs/migrating-from-supabase.md and docs/operations.md have their own.

use std::collections::HashMap;
use std::fs;

use testkit::cluster::{Cluster, Turn};
use testkit::guide::{Block, PsqlSession, blocks_of, page};
use testkit::provider::Provider;
use testkit::server::{Server, major, pg_config};
use testkit::session::run;

use crate::docs::testing_policies::functions;
use crate::support::environment::program;
use crate::support::findings::findings;

/// Every login of an application: what its users could do if they could send any SQL. docs/hardening.md says so.
const LOGIN: &str = "notice login_shared app";
/// No provider of a page is asked for its keys here.
const NO_KEYS: &str = "warning provider_without_keys pg_session_jwt.providers [1]";

/// A server with these settings. No provider of a page is asked for its keys.
fn server(conf: &str) -> Cluster {
    let proxy = "export https_proxy=http://127.0.0.1:1 HTTPS_PROXY=http://127.0.0.1:1\nunset no_proxy NO_PROXY";
    let server = Server::start_program(conf, |directory| program(directory, proxy));
    Cluster::new(server)
}

fn the<'a>(page: &'a [Block], fence: &str, begin: &str) -> &'a Block {
    let mut found = page
        .iter()
        .filter(|block| block.fence == fence && block.text.starts_with(begin));
    let block = found.next().unwrap_or_else(|| panic!("no block {fence}: {begin}"));
    assert!(found.next().is_none(), "several blocks {fence}: {begin}");
    block
}

/// Runs a block as superuser in the database `mydb`.
fn runs(cluster: &Turn<'_>, block: &Block) {
    let provider = Provider::new("https://dev.example/");
    let session = PsqlSession {
        server: cluster,
        port: cluster.port(),
        user: "postgres",
        database: "mydb",
        options: "",
        variables: HashMap::from([("providers", format!("[{}]", provider.entry(r#","audience":"todos""#)))]),
    };
    session.runs(block);
}

#[track_caller]
fn assert_finds(cluster: &Turn<'_>, page: &str, expected: &[&str]) {
    assert_eq!(findings(&mut cluster.superuser("mydb")), expected, "{page}");
}

/// A site as the README has it, without a login.
fn readme(cluster: &Turn<'_>) {
    cluster.empty_database("mydb");
    let page = blocks_of("README.md");
    for block in page.iter().filter(|block| block.fence == "sql setup") {
        runs(cluster, block);
    }
    runs(cluster, the(&page, "sql", TODOS));
}

const TODOS: &str = "CREATE TABLE todos";

/// The settings of the README.
fn conf() -> String {
    let page = blocks_of("README.md");
    the(&page, "conf", "").text.clone()
}

#[test]
fn getting_started() {
    let page = page("getting-started");
    let cluster = server(&the(&page, "conf", "").text);
    for is_drizzle in [false, true] {
        let cluster = cluster.turn();
        cluster.empty_database("mydb");
        for block in page.iter().filter(|block| block.fence == "sql") {
            let of_drizzle = block.text.starts_with("ALTER DEFAULT PRIVILEGES");
            // A query would need a session that has the setting.
            if !block.text.starts_with("SELECT") && (is_drizzle || !of_drizzle) {
                runs(&cluster, block);
            }
        }
        // The page says so.
        let default = "warning default_privileges DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public ON TABLES";
        let expected = [default, LOGIN];
        assert_finds(&cluster, "getting-started", &expected[usize::from(!is_drizzle)..]);
    }
    assert!(
        fs::read_to_string(testkit::root().join("docs/getting-started.md"))
            .unwrap()
            .contains("`default_privileges`")
    );
}

/// Each page of a provider, with the table that it names.
#[test]
fn providers() {
    let start = page("getting-started");
    let app = &the(&start, "sql", "CREATE EXTENSION").text;
    let app = app.lines().find(|line| line.starts_with("CREATE ROLE app")).unwrap();
    let (table, _) = the(&start, "sql", TODOS).text.split_once("CREATE POLICY").unwrap();
    let grant = the(&start, "sql", TODOS).text.lines().last().unwrap();
    let directory = testkit::root().join("docs/providers");
    let names = fs::read_dir(directory).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name != "README.md");
    names.sort();
    assert_eq!(names.len(), 10);
    let mut servers: HashMap<String, Cluster> = HashMap::new();
    for name in names {
        let page = page(&format!("providers/{}", name.trim_end_matches(".md")));
        let conf = &the(&page, "conf", "").text;
        let cluster = servers.entry(conf.clone()).or_insert_with(|| server(conf)).turn();
        let mut admin = cluster.empty_database("mydb");
        runs(&cluster, the(&page, "sql", "CREATE EXTENSION"));
        let table = match the(&page, "sql", "CREATE POLICY").text.contains("auth.uid()") {
            true => table
                .replace("user_id text", "user_id uuid")
                .replace("auth.user_id()", "auth.uid()"),
            false => table.to_owned(),
        };
        run(&mut admin, &format!("{app} {table} {grant}"));
        // The next setting replaces the one before.
        for block in page.iter().filter(|block| block.fence == "sql").skip(1) {
            runs(&cluster, block);
            let is_complete = block.text.contains("CREATE POLICY") || block.text.contains("providers");
            assert!(is_complete, "{}", block.text);
        }
        assert_finds(&cluster, &name, &[NO_KEYS, LOGIN]);
    }
}

#[test]
fn typescript_and_pooling() {
    let cluster = server(&conf());
    {
        let cluster = cluster.turn();
        readme(&cluster);
        runs(&cluster, the(&page("typescript"), "sql", ""));
        assert_finds(&cluster, "typescript", &[LOGIN]);
    }
    let cluster = cluster.turn();
    readme(&cluster);
    run(
        &mut cluster.superuser("mydb"),
        "create role app login noinherit; grant authenticated to app",
    );
    runs(&cluster, the(&page("pooling"), "sql", ""));
    assert_finds(&cluster, "pooling", &[LOGIN]);
}

/// The gateway's login has what docs/hardening.md recommends.
#[test]
fn gateway() {
    let cluster = server(&conf());
    let cluster = cluster.turn();
    readme(&cluster);
    file(&cluster, "gateway/setup.sql", &[]);
    assert_finds(&cluster, "gateway", &[]);
}

#[test]
fn oauth() {
    let page = page("oauth");
    let of_18 = |line: &&str| major() >= 18 || !line.starts_with("oauth_validator_libraries");
    let conf = &the(&page, "conf", "shared_preload_libraries").text;
    let conf: Vec<&str> = conf.lines().filter(of_18).collect();
    let cluster = server(&conf.join("\n"));
    let cluster = cluster.turn();
    cluster.empty_database("mydb");
    run(&mut cluster.superuser("mydb"), "create extension pg_session_jwt");
    assert_finds(&cluster, "oauth", &[NO_KEYS]);
    // The page's last resort, which is to be a deliberate decision.
    run(&mut cluster.superuser("mydb"), "alter role authenticated login");
    assert_finds(&cluster, "oauth", &[NO_KEYS, "warning role_login authenticated"]);
}

/// A database with the functions for tests.
#[test]
fn testing_policies() {
    let cluster = server(&conf());
    let cluster = cluster.turn();
    readme(&cluster);
    for block in functions() {
        runs(&cluster, &block);
    }
    assert_finds(&cluster, "testing-policies", &[]);
}

/// With the settings of scripts/todos.sh.
#[test]
fn example() {
    let script = fs::read_to_string(testkit::root().join("scripts/todos.sh")).unwrap();
    let (_, line) = script.split_once("start_server ").unwrap();
    let line = line.split("\n    \"$bin").next().unwrap();
    let settings: Vec<&str> = line
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|it| it.contains('='))
        .collect();
    let cluster = server(&settings.join("\n").replace("$EXTENSION", "pg_session_jwt"));
    let cluster = cluster.turn();
    cluster.empty_database("mydb");
    let variables = [
        "issuer=https://id.example",
        "jwks_url=https://id.example/jwks",
        "audience=todos",
    ];
    file(&cluster, "examples/todos/database.sql", &variables);
    assert_finds(&cluster, "examples/todos", &[NO_KEYS, "notice login_shared web"]);
}

/// Runs a file of SQL as superuser in the database `mydb`.
fn file(cluster: &Turn<'_>, file: &str, variables: &[&str]) {
    let port = cluster.port().to_string();
    let output = std::process::Command::new(pg_config("--bindir").join("psql"))
        .args([
            "-Xq",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-d",
            "mydb",
            "-p",
            &port,
        ])
        .args(variables.iter().flat_map(|variable| ["-v", variable]))
        .arg("-f")
        .arg(testkit::root().join(file))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
