//! The blocks of docs/operations.md, on a server with a key set from a URL and one from a file.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::process::Command;
use std::thread::{self, JoinHandle};

use testkit::guide::{Block, PsqlSession, page};
use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::{Server, unprivileged_user};
use testkit::session::{init, one, rejects, run};

use crate::support::jwks_url::entry;

#[test]
fn blocks_print_what_the_page_shows() {
    let page = page("operations");
    let conf = &page.iter().find(|block| block.fence == "conf").unwrap().text;
    let server = Server::start(conf);
    let [by_url, by_file] = ["https://url.example/", "https://file.example/"].map(Provider::new);
    let next = Provider::with_kid("https://file.example/", "k2");
    let keys = KeyServer::start(Answer::Body(by_url.key_set()));
    let directory = server.directory().join("keys");
    fs::create_dir(&directory).unwrap();
    if let Some((uid, gid)) = unprivileged_user() {
        std::os::unix::fs::chown(&directory, Some(uid), Some(gid)).unwrap();
    }
    let file = directory.join("keys.json");
    fs::write(&file, by_file.key_set()).unwrap();
    fs::write(
        directory.join("new-keys.json"),
        format!(r#"{{"keys":[{},{}]}}"#, by_file.jwk(), next.jwk()),
    )
    .unwrap();
    let database = server.database();
    let mut admin = server.connect("postgres", "postgres", "");
    run(
        &mut admin,
        &format!(
            r#"alter database {database} set pg_session_jwt.providers =
               '[{},{{"issuer":"https://file.example/","jwks_file":"{}"}}]'"#,
            entry("https://url.example/", &keys.url()),
            file.display()
        ),
    );
    let mut client = server.connect(&database, "postgres", "");
    // Two tokens of different seconds would differ, and the second one would be new.
    let bob = by_url.token("bob");
    init(&mut client, &bob);
    run(&mut client, "reset pg_session_jwt.jwt; create table orders (id int)");
    let held = lock_and_wait(&server, &database, &bob);
    rejected_tokens(&server, &database, &by_file, &next);

    let mut run = 0;
    for block in &page {
        match block.fence.as_str() {
            "conf" => continue,
            "sh" => shell(&server, block),
            "yaml" => exporter(&server, &database, block),
            "json" => panel(&server, &database, block),
            fence => {
                let session = PsqlSession {
                    server: &server,
                    port: server.port(),
                    user: if fence == "sql monitor" { "monitor" } else { "postgres" },
                    database: &database,
                    options: "",
                    variables: HashMap::from([("expired", by_file.token_with(r#""sub":"alice","exp":1"#))]),
                };
                let printed = session.runs(block);
                if block.text.contains("auth.check()") {
                    let of_this_machine = |line: &str| line.contains("|postgres_outdated|");
                    assert!(printed.lines().all(of_this_machine), "{printed}");
                }
            }
        }
        run += 1;
        if block.text.starts_with("cp ") {
            let read = "select count(*) = 2 from auth.providers() where source = 'jwks_file'";
            wait_until("the new file", || one(&mut client, read));
        }
    }
    assert!(run > 0, "no block ran");
    held.join().unwrap();
    init(&mut client, &next.token("alice"));
}

/// Runs the queries of postgres_exporter, whose columns are the metrics of each.
fn exporter(server: &Server, database: &str, block: &Block) {
    let mut monitor = server.connect(database, "monitor", "");
    let mut queries = 0;
    for metric in block.text.split("  query: ").skip(1) {
        let (query, metrics) = metric.split_once('\n').unwrap();
        let query = query.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
        let named = metrics.lines().filter_map(|line| line.strip_prefix("    - "));
        let named: Vec<&str> = named.map(|metric| metric.split_once(':').unwrap().0).collect();
        let rows = monitor.query(query, &[]).unwrap();
        let columns = rows[0].columns().iter().map(postgres::Column::name);
        assert_eq!(columns.collect::<Vec<_>>(), named);
        let is_label = |name: &str| metrics.contains(&format!("- {name}: {{usage: \"LABEL\""));
        let mut labels = HashSet::new();
        for row in &rows {
            let of_row = |column: &postgres::Column| match is_label(column.name()) {
                true => Some(row.get::<_, String>(column.name())),
                false => {
                    assert!(row.get::<_, f64>(column.name()) >= 0.0);
                    None
                }
            };
            let of_row: Vec<String> = row.columns().iter().filter_map(of_row).collect();
            assert!(labels.insert(of_row.clone()), "{of_row:?} is not unique");
        }
        queries += 1;
    }
    assert_eq!(queries, 4);
}

/// Runs the query of a Grafana panel.
fn panel(server: &Server, database: &str, block: &Block) {
    let panel: serde_json::Value = serde_json::from_str(&block.text).unwrap();
    let query = panel["targets"][0]["rawSql"].as_str().unwrap();
    let mut monitor = server.connect(database, "monitor", "");
    let rows = monitor.query(query, &[]).unwrap();
    let shown: Vec<(String, f64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let expected = [
        ("https://file.example/ exp", 3.0),
        ("https://file.example/ signature", 1.0),
    ];
    assert_eq!(shown, expected.map(|(reason, tokens)| (reason.to_owned(), tokens)));
}

/// A session of a user that holds a lock, and another session that waits for it until the first one is ended.
fn lock_and_wait(server: &Server, database: &str, token: &str) -> JoinHandle<()> {
    let mut holder = server.connect(database, "postgres", "");
    run(&mut holder, &format!("begin; set local pg_session_jwt.jwt = '{token}'"));
    run(&mut holder, "LOCK TABLE orders");
    let mut waiting = server.connect(database, "postgres", "");
    let thread = thread::spawn(move || {
        run(&mut waiting, "DELETE FROM orders");
        holder.batch_execute("select 1").unwrap_err();
    });
    let mut admin = server.connect(database, "postgres", "");
    let waits = "select count(*) = 1 from pg_locks where not granted";
    wait_until("the lock", || one(&mut admin, waits));
    thread
}

/// Three expired tokens and one with a signature of another key.
fn rejected_tokens(server: &Server, database: &str, provider: &Provider, other: &Provider) {
    let mut client = server.connect(database, "postgres", "");
    let expired = provider.token_with(r#""sub":"alice","exp":1"#);
    let expired = format!("select auth.jwt_session_init('{expired}')");
    for _ in 0..3 {
        rejects(&mut client, &expired, "28000", messages::EXPIRED);
    }
    let (good, bad) = (provider.token("alice"), other.token("alice"));
    let (text, _) = good.rsplit_once('.').unwrap();
    let (_, signature) = bad.rsplit_once('.').unwrap();
    let forged = format!("select auth.jwt_session_init('{text}.{signature}')");
    rejects(&mut client, &forged, "28000", messages::INVALID_SIGNATURE);
}

/// Runs a block in the directory of the keys, and asserts that it prints its expected output.
fn shell(server: &Server, block: &Block) {
    let directory = server.directory();
    let output = Command::new("bash")
        .args(["-c", &format!("set -euo pipefail\n{}", block.text)])
        .env("LOG", directory.join("log"))
        .env("KEYS", directory.join("keys/keys.json"))
        .current_dir(directory.join("keys"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let printed: Vec<&str> = printed.lines().map(str::trim_start).collect();
    let expected: Vec<&str> = block
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("# => "))
        .collect();
    assert_eq!(printed, expected);
}
