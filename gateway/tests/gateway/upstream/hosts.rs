//! Which of several servers the gateway uses.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::server::Server;
use testkit::session::run;

use super::{address, does_not_start, server, serves_at};
use crate::running::Gateway;
use crate::{create_login, database_of, settings};

#[test]
fn a_server_that_accepts_writes_is_found() {
    let (server, database) = server("host all jwt_gateway all trust", "");
    let servers = format!("127.0.0.1:1,{}", address(&server));
    serves_at(&servers, &database, &["--target-session-attrs=read-write"]);
}

#[test]
fn a_standby() {
    let mut standby = Server::start(&settings());
    create_login(&standby);
    let database = database_of(&standby);
    standby.restart_after(|directory| std::fs::write(directory.join("data/standby.signal"), "").unwrap());
    let primary = Server::start(&settings());
    create_login(&primary);
    // The name must be that of the standby.
    assert_eq!(database_of(&primary), database);

    let servers = format!("{},{}", address(&standby), address(&primary));
    for (attributes, is_standby) in [("any", "t"), ("read-write", "f")] {
        let gateway = Gateway::start_at(&servers, &database, &[&format!("--target-session-attrs={attributes}")]);
        let rows = gateway.client("anonymous", None).rows("select pg_is_in_recovery()");
        assert_eq!(rows, json!([[is_standby]]), "{attributes}");
    }
    does_not_start(&standby, &database, &["--target-session-attrs=read-write"]);
}

#[test]
fn a_server_that_never_answers() {
    let (server, database) = server("host all jwt_gateway all trust", "");
    // The system accepts the connections.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let servers = format!("{},{}", silent.local_addr().unwrap(), address(&server));
    let gateway = Gateway::start_at(&servers, &database, &["--connect-timeout=1"]);
    let visitor = gateway.client("anonymous", None);
    assert_eq!(visitor.rows("select 1"), json!([["1"]]));

    let port = server.port();
    drop(server);
    let _silent = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let begin = Instant::now();
    let (status, body) = visitor.query("select 1", &[]);
    assert_eq!((status, &body["code"]), (503, &json!("08001")), "{body}");
    // A second for each of the two.
    let elapsed = begin.elapsed();
    assert!(
        elapsed > Duration::from_millis(1900) && elapsed < Duration::from_secs(4),
        "{elapsed:?}"
    );
}

/// As in libpq: each server would count a failed login, and none would know the password better.
#[test]
fn a_wrong_password_is_not_tried_elsewhere() {
    let (server, database) = server("host all jwt_gateway all trust\nhost all owner all scram-sha-256", "");
    run(
        &mut server.connect(&database, "postgres", ""),
        "create role owner login password 'right'",
    );
    let twice = [address(&server), address(&server)].join(",");
    let gateway = Gateway::start_at(&twice, &database, &["--password-logins"]);
    assert_eq!(gateway.client("owner:wrong", None).error("select 1"), "28P01");
    let log = server.log();
    let failures = log.matches("password authentication failed for user \"owner\"").count();
    assert_eq!(failures, 1, "{log}");
}
