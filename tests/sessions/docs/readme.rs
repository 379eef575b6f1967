//! The README tells the truth: its SQL and its shell lines are run in their order, and print what it says.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;

use testkit::guide::{blocks, expected};
use testkit::server::{Server, program, unprivileged_user};

/// Of its own, because the README changes what a whole server is set to.
static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(""));

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs the block that makes the key and the tokens, and gives back JWK, ALICE and BOB.
fn keys_and_tokens(script: &str) -> [String; 3] {
    let folder = SERVER.directory().join("readme");
    fs::create_dir_all(&folder).unwrap();
    let script = format!("set -euo pipefail\n{script}\nprintf '%s\\n%s\\n%s\\n' \"$JWK\" \"$ALICE\" \"$BOB\"");
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
    lines.try_into().unwrap()
}

fn psql(folder: &Path, options: &str, variables: &[(&str, &str)], database: &str, sql: &str) -> Output {
    let mut psql = program("psql", unprivileged_user());
    psql.args([
        "-XqAt",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        "127.0.0.1",
        "-U",
        "postgres",
        "-d",
        database,
    ]);
    psql.arg("-p").arg(SERVER.port().to_string());
    for (name, value) in variables {
        psql.arg("-v").arg(format!("{name}={value}"));
    }
    // From a file: psql replaces no variables in what -c gives it.
    let file = folder.join("block.sql");
    fs::write(&file, sql).unwrap();
    psql.arg("-f").arg(file).env("PGOPTIONS", options).output().unwrap()
}

#[test]
fn blocks_print_what_the_readme_shows() {
    let readme = fs::read_to_string(testkit::root().join("README.md")).unwrap();
    let blocks = blocks(&readme);
    let script = blocks
        .iter()
        .find(|block| block.fence == "sh" && block.text.contains("genpkey"))
        .unwrap();
    let [jwk, alice, bob] = keys_and_tokens(&script.text);
    let options = format!("-c pg_session_jwt.jwk={jwk}");
    let variables = [("alice", alice.as_str()), ("bob", bob.as_str())];

    // Each block in a session of its own, after all that came before it and succeeded.
    let mut before = String::new();
    let (mut run, mut failed) = (0, 0);
    for block in blocks.iter().filter(|block| block.fence.starts_with("sql")) {
        let fails = block.fence == "sql error";
        let database = SERVER.database();
        let sql = format!("{before}\\echo =====\n{}", block.text);
        let output = psql(SERVER.directory(), &options, &variables, &database, &sql);
        let (out, error) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.success(), !fails, "{}\n{error}", block.text);
        let printed = out.rsplit("=====\n").next().unwrap();
        let shown = if fails { &error } else { printed };
        for line in expected(block) {
            let found = shown
                .lines()
                .any(|shown| shown == line || shown.ends_with(&format!(" {line}")));
            assert!(found, "{line} is not in:\n{shown}\nof\n{}", block.text);
        }
        if fails {
            failed += 1;
        } else {
            before.push_str(&block.text);
        }
        run += 1;
    }
    assert_eq!((run, failed), (8, 1), "blocks of the README, of which fail");
}
