//! The blocks of docs/operations.md, on a server with a key set from a URL and one from a file.

use std::collections::HashMap;
use std::fs;
use std::process::Command;

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
    init(&mut client, &by_url.token("bob"));
    rejected_tokens(&server, &database, &by_file, &next);

    let mut run = 0;
    for block in &page {
        match block.fence.as_str() {
            "conf" => continue,
            "sh" => shell(&server, block),
            fence => {
                let session = PsqlSession {
                    server: &server,
                    port: server.port(),
                    user: if fence == "sql monitor" { "monitor" } else { "postgres" },
                    database: &database,
                    options: "",
                    variables: HashMap::new(),
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
    init(&mut client, &next.token("alice"));
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
