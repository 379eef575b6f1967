//! How the gateway logs in to PostgreSQL, and where it does not.

mod channel_binding;
mod hosts;
mod impostor;
mod login_check;
mod tls;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;
use testkit::server::Server;
use testkit::session::run;

use crate::running::Gateway;
use crate::{ALICE, SERVER, create_login, database, database_of, settings, token};

/// A server with this line in pg_hba.conf for the gateway's login.
fn server(line: &str, conf: &str) -> (Server, String) {
    let mut server = Server::start(&format!("{}\n{conf}", settings()));
    create_login(&server);
    let database = database_of(&server);
    let hba = format!("{line}\nhost all postgres all trust\n");
    server.restart_after(|directory| std::fs::write(directory.join("data/pg_hba.conf"), hba).unwrap());
    (server, database)
}

fn set_password(server: &Server, encryption: &str) -> PathBuf {
    let mut admin = server.connect("postgres", "postgres", "");
    run(
        &mut admin,
        &format!("set password_encryption = '{encryption}'; alter role jwt_gateway password 'pass word'"),
    );
    let file = server.directory().join("password");
    std::fs::write(&file, "pass word\n").unwrap();
    file
}

fn address(server: &Server) -> String {
    format!("127.0.0.1:{}", server.port())
}

#[track_caller]
fn serves(server: &Server, database: &str, options: &[&str]) {
    serves_at(&address(server), database, options);
}

#[track_caller]
fn serves_at(servers: &str, database: &str, options: &[&str]) {
    let gateway = Gateway::start_at(servers, database, options);
    assert_eq!(
        gateway.with(&token(ALICE, 600)).rows("select auth.user_id()"),
        json!([[ALICE]])
    );
}

/// What the gateway writes when it does not start.
#[track_caller]
fn does_not_start(server: &Server, database: &str, options: &[&str]) -> String {
    does_not_start_at(&address(server), database, options)
}

#[track_caller]
fn does_not_start_at(servers: &str, database: &str, options: &[&str]) -> String {
    log_of_failed_start("error", servers, database, options)
}

#[track_caller]
fn log_of_failed_start(level: &str, servers: &str, database: &str, options: &[&str]) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pg_session_jwt_gateway"))
        .args(["--listen", "127.0.0.1:0", "--postgres", servers, "--database", database])
        .args(["--log-level", level])
        .args(options)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while child.try_wait().unwrap().is_none() && begin.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(20));
    }
    // One that has started would never end.
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "the gateway has started");
    String::from_utf8(output.stderr).unwrap()
}

#[rstest]
#[case("scram-sha-256", "scram-sha-256")]
#[case("md5", "md5")]
#[case("scram-sha-256", "password")]
fn passwords(#[case] encryption: &str, #[case] method: &str) {
    let (server, database) = server(
        &format!("host all jwt_gateway all {method}\nlocal all jwt_gateway {method}"),
        "",
    );
    let file = set_password(&server, encryption);
    let file = file.to_str().unwrap();
    if method == "password" {
        // As clear text only where no network carries it.
        let error = does_not_start(&server, &database, &["--password-file", file]);
        assert!(error.contains("could not check the login"), "{error}");
        return;
    }
    serves(&server, &database, &["--password-file", file]);
    std::fs::write(file, "another\n").unwrap();
    let error = does_not_start(&server, &database, &["--password-file", file]);
    assert!(!error.contains("another"), "{error}");
}

#[rstest]
#[case(0o600, false)]
#[case(0o640, true)]
#[case(0o604, true)]
fn a_password_file_that_others_can_read(#[case] mode: u32, #[case] warns: bool) {
    let file = std::env::temp_dir().join(format!("gateway-{}-mode-{mode:o}", std::process::id()));
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    let option = format!("--password-file={}", file.display());
    let log = log_of_failed_start("warn", "127.0.0.1:1", "app", &[&option]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(log.contains("others can read the password file"), warns, "{log}");
}

#[test]
fn password_logins() {
    let (server, database) = server("host all jwt_gateway all trust\nhost all owner all scram-sha-256", "");
    let mut admin = server.connect(&database, "postgres", "");
    run(
        &mut admin,
        "create role owner login password 'right'; grant select on todos to owner; grant create on schema public to owner",
    );
    let closed = Gateway::start(&server, &database, &[]);
    assert_eq!(closed.client("owner:right", None).error("select 1"), "28000");
    let gateway = Gateway::start(&server, &database, &["--password-logins"]);
    let owner = gateway.client("owner:right", None);
    assert_eq!(
        owner.rows("select current_user, session_user"),
        json!([["owner", "owner"]])
    );
    assert_eq!(owner.query("vacuum", &[]).0, 200);
    assert_eq!(
        owner
            .batch(&[
                "create table mine (n int)",
                "insert into mine values (1)",
                "select n from mine"
            ])
            .0,
        200
    );
    assert_eq!(owner.rows("select n from mine"), json!([["1"]]));
    for wrong in ["owner:wrong", "stranger:right", "owner:"] {
        let (status, body) = gateway.client(wrong, None).query("select 1", &[]);
        assert_ne!(status, 200, "{body}");
    }
    assert_eq!(gateway.client("owner:wrong", None).error("select 1"), "28P01");
    // A token is not for a login of PostgreSQL, and the roles keep their way.
    let alice = token(ALICE, 600);
    assert_eq!(gateway.client("owner:right", Some(&alice)).error("select 1"), "28000");
    assert_eq!(
        gateway.with(&alice).rows("select auth.user_id(), session_user"),
        json!([[ALICE, "jwt_gateway"]])
    );
}

/// A visitor can take the other role, and has no identity there.
#[test]
fn a_visitor_in_the_other_role() {
    let database = database();
    run(
        &mut SERVER.connect(&database, "postgres", ""),
        "insert into todos (user_id, task) values ('a', 'a')",
    );
    let gateway = Gateway::start(&SERVER, &database, &[]);
    let visitor = gateway.client("anonymous", None);
    let (status, body) = visitor.batch(&["set role authenticated", "select auth.user_id(), count(*) from todos"]);
    assert_eq!((status, &body["results"][1]["rows"]), (200, &json!([[null, "0"]])));
}
