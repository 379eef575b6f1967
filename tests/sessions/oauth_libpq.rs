//! libpq 18 itself logs in with a token, and finds by itself where tokens come from.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::oauth_server::{ISSUER, token, token_with, usual_server};
use crate::server::{Server, pg_config};
use crate::session::now;

/// Compiles the client with the libpq of the PostgreSQL under test.
fn compile(folder: &Path) -> PathBuf {
    let (source, client) = ("tests/oauth/client.c", folder.join("client"));
    let libdir = pg_config("--libdir");
    let output = Command::new("cc")
        .args(["-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&client)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(source))
        .arg(format!("-I{}", pg_config("--includedir").display()))
        .arg(format!("-L{}", libdir.display()))
        .arg(format!("-Wl,-rpath,{}", libdir.display()))
        .arg("-lpq")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    client
}

/// What it prints and says, without the token on its command line.
fn run(client: &Path, server: &Server, token: &str, queries: &[&str]) -> Output {
    let conninfo = format!(
        "host=127.0.0.1 port={} dbname=app user=authenticated oauth_issuer={ISSUER} oauth_client_id=tests",
        server.port()
    );
    let mut child = Command::new(client)
        .arg(conninfo)
        .args(queries)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{token}").unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn libpq_hands_a_token_over_and_the_session_knows_who_it_is() {
    let Some(server) = usual_server("") else { return };
    let client = compile(server.folder());
    let queries = [
        "select auth.user_id()",
        "insert into notes (note) values ('hers')",
        "select owner || ' ' || note from notes",
        "select system_user",
        "discard all",
        "select auth.user_id()",
    ];
    let output = run(&client, &server, &token("alice"), &queries);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), "alice\nalice hers\noauth:alice\nalice\n");
    let output = run(&client, &server, &token("bob"), &["select count(*) from notes"]);
    assert_eq!(text(&output.stdout), "0\n");
}

#[test]
fn libpq_says_of_a_refused_token_what_postgresql_says() {
    let Some(server) = usual_server("") else { return };
    let client = compile(server.folder());
    let expired = token_with(&format!(r#""sub":"alice","aud":"api","exp":{}"#, now() - 3600));
    for token in ["garbage", &expired] {
        let output = run(&client, &server, token, &["select 1"]);
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(
            said.contains("OAuth bearer authentication failed for user \"authenticated\""),
            "{said}"
        );
        assert!(!said.contains(token), "{said}");
    }
}
