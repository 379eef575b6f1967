//! The begin and the end of the process, and what operators see of it.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::ports::free_port;

use crate::running::Gateway;
use crate::websocket::no_session_remains_in;
use crate::{SERVER, database};

/// Runs a gateway that does not start. Returns its exit code and the last line of its log, without the time.
fn failed_start(options: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_pg_session_jwt_gateway"))
        .args(["--listen", "127.0.0.1:0", "--log-level", "error", "--postgres"])
        .arg(format!("127.0.0.1:{}", SERVER.port()))
        .args(options)
        .output()
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    let line = log.lines().last().unwrap_or_default();
    (
        output.status.code(),
        line.split_once("ERROR ").map_or(line, |(_, text)| text).to_owned(),
    )
}

#[test]
fn a_login_that_may_do_more_is_rejected() {
    assert_eq!(
        failed_start(&["--database", &database(), "--user", "postgres"]),
        (
            Some(1),
            "could not start: login \"postgres\" must not be used: login is a superuser; login has BYPASSRLS; \
             login has CREATEROLE; login has CREATEDB; login has REPLICATION; login has INHERIT; \
             login is not a member of authenticated; login is not a member of anonymous; \
             gateway/setup.sql creates a login that can be"
                .to_owned()
        )
    );
}

/// The reason is that of PostgreSQL, which clients do not learn.
#[test]
fn a_login_that_does_not_exist() {
    let database = database();
    assert_eq!(
        failed_start(&["--database", &database, "--user", "stranger"]),
        (
            Some(1),
            format!(
                "could not start: could not check the login in database \"{database}\": role \"stranger\" does not exist; \
                 gateway/setup.sql creates the login"
            )
        )
    );
}

#[test]
fn a_wrong_option_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap();
    assert_eq!(failed_start(&[]).0, Some(2));
    assert_eq!(failed_start(&["--database", "app", "--log-level", "trace"]).0, Some(2));
    assert_eq!(
        failed_start(&["--database", &database(), "--status-listen", &taken.to_string()]),
        (
            Some(1),
            format!("could not start: could not listen on {taken}: Address already in use (os error 98)")
        )
    );
    assert_eq!(
        failed_start(&["--database", "app", "--allow-origin", "app.example.com"]),
        (
            Some(1),
            "could not start: origin \"app.example.com\" must be \"*\" or a scheme and a host, such as \
             https://app.example.com"
                .to_owned()
        )
    );
}

#[test]
fn sigterm_lets_a_running_request_end() {
    let mut gateway = Gateway::start(&SERVER, &database(), &[]);
    gateway.signal("HUP");
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            gateway
                .client("anonymous", None)
                .query("select 1 from pg_sleep(1)", &[])
        });
        std::thread::sleep(Duration::from_millis(500));
        gateway.signal("TERM");
        let (status, body) = running.join().unwrap();
        assert_eq!((status, &body["rows"]), (200, &json!([["1"]])));
    });
    assert_eq!(gateway.exit_code(), Some(0));
}

#[test]
fn a_drain_has_a_time_limit_and_a_second_signal_ends_it() {
    for (limit, second) in [("1", None), ("60", Some("INT"))] {
        let database = database();
        let mut gateway = Gateway::start(&SERVER, &database, &["--drain-timeout", limit]);
        let mut agent = Command::new("curl");
        agent.args([
            "-s",
            "-H",
            "Neon-Connection-String: postgres://anonymous@a",
            &gateway.url(),
            "-d",
        ]);
        agent.arg(r#"{"query":"select pg_sleep(20)"}"#).stdout(Stdio::piped());
        let running = agent.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(500));
        let begin = Instant::now();
        gateway.signal("TERM");
        if let Some(second) = second {
            std::thread::sleep(Duration::from_millis(300));
            gateway.signal(second);
        }
        assert_eq!(gateway.exit_code(), Some(0));
        assert!(begin.elapsed() < Duration::from_secs(10));
        // The request is cancelled, and its client learns why.
        let response = String::from_utf8(running.wait_with_output().unwrap().stdout).unwrap();
        assert!(response.contains(r#""code":"57P01""#), "{response}");
        no_session_remains_in(&database);
    }
}

#[test]
fn operators_see_readiness_and_metrics() {
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let gateway = Gateway::start(&SERVER, &database(), &["--status-listen", &address]);
    let get = |path: &str| {
        ureq::get(format!("http://{address}{path}"))
            .call()
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap()
    };
    assert_eq!(
        gateway.client("anonymous", None).rows("select notice from notices"),
        json!([["hello"]])
    );
    assert_eq!(gateway.client("authenticated", None).error("select 1"), "28000");
    assert_eq!(get("/healthz"), "ok\n");
    assert_eq!(get("/readyz"), "ok\n");
    let metrics = get("/metrics");
    for line in [
        "pg_session_jwt_gateway_requests_total{status=\"200\"} 1",
        "pg_session_jwt_gateway_requests_total{status=\"400\"} 1",
        "pg_session_jwt_gateway_errors_total{class=\"28\"} 1",
        "pg_session_jwt_gateway_rejected_logins_total{sqlstate=\"28000\"} 1",
        "pg_session_jwt_gateway_database_seconds_count 1",
    ] {
        assert!(metrics.lines().any(|is| is == line), "{line}\nis not in\n{metrics}");
    }
}
