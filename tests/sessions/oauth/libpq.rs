//! psql with libpq 18 logs in with a token from libpq's hook, and discovers the server's requirements itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::server::{Server, pg_config, program};
use testkit::session::now;

use crate::support::oauth_server::{ISSUER, token, token_with, usual_server};

/// Compiles the hook that supplies the token.
fn compile(directory: &Path) -> PathBuf {
    let hook = directory.join("hook.so");
    let output = Command::new("cc")
        .args(["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
        .arg(&hook)
        .arg(testkit::root().join("tests/fixtures/oauth/hook.c"))
        .arg(format!("-I{}", pg_config("--includedir").display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    hook
}

/// psql with a token.
fn psql(server: &Server, hook: &Path, token: &str, queries: &[&str]) -> Output {
    let file = server.directory().join("token");
    fs::write(&file, format!("{token}\n")).unwrap();
    let conninfo = format!(
        "host=127.0.0.1 port={} dbname=app user=authenticated oauth_issuer={ISSUER} oauth_client_id=tests",
        server.port()
    );
    let mut psql = program("psql", None);
    psql.args(["-XAtq", "-d", &conninfo])
        .env("LD_PRELOAD", hook)
        .env("OAUTH_TOKEN_FILE", &file);
    for query in queries {
        psql.args(["-c", query]);
    }
    psql.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn psql_login_sets_the_identity() {
    let Some(server) = usual_server("") else { return };
    let hook = compile(server.directory());
    let queries = [
        "select auth.user_id()",
        "insert into notes (note) values ('hers')",
        "select owner, note from notes",
        "select system_user",
        "discard all",
        "select auth.user_id()",
    ];
    let output = psql(&server, &hook, &token("alice"), &queries);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), "alice\nalice|hers\noauth:alice\nalice\n");
    let output = psql(&server, &hook, &token("bob"), &["select count(*) from notes"]);
    assert_eq!(text(&output.stdout), "0\n");
}

#[test]
fn psql_shows_postgresqls_error_for_a_rejected_token() {
    let Some(server) = usual_server("") else { return };
    let hook = compile(server.directory());
    let expired = token_with(&format!(r#""sub":"alice","aud":"api","exp":{}"#, now() - 3600));
    for token in ["garbage", &expired] {
        let output = psql(&server, &hook, token, &["select 1"]);
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        assert!(
            said.contains("OAuth bearer authentication failed for user \"authenticated\""),
            "{said}"
        );
        assert!(!said.contains(token), "{said}");
    }
}
