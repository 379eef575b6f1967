//! Limits at the limit and beyond, and clients that go away.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::server::Server;

use crate::running::Gateway;
use crate::{ALICE, SERVER, create_login, database, database_of, settings, token};

#[test]
fn the_size_of_a_request() {
    let gateway = Gateway::start(&SERVER, &database(), &["--max-request-bytes=1000"]);
    let alice = token(ALICE, 600);
    let alice = gateway.with(&alice);
    let body = |size: usize| {
        let frame = r#"{"query":"select length($1)","params":[""]}"#.len();
        json!({"query": "select length($1)", "params": ["a".repeat(size - frame)]}).to_string()
    };
    assert_eq!(alice.post_text(body(1000), &[]).0, 200);
    let (status, failure) = alice.post_text(body(1001), &[]);
    assert_eq!((status, &failure["code"]), (413, &json!("54000")));
    // Also if the client does not announce the size.
    let chunked = alice.post_text(body(1001), &[("Transfer-Encoding", "chunked")]);
    assert_eq!((chunked.0, &chunked.1["code"]), (413, &json!("54000")));
}

#[test]
fn the_size_of_a_response() {
    let gateway = Gateway::start(
        &SERVER,
        &database(),
        &["--max-response-bytes=10000", "--max-connections=1"],
    );
    let alice = token(ALICE, 600);
    let alice = gateway.with(&alice);
    let (_, whole) = alice.query("select repeat('a', 9000)", &[]);
    let spare = 10_000 - serde_json::to_string(&whole).unwrap().len();
    assert_eq!(
        alice.query(&format!("select repeat('a', {})", 9000 + spare), &[]).0,
        200
    );
    let (status, failure) = alice.query(&format!("select repeat('a', {})", 9000 + spare + 1), &[]);
    assert_eq!((status, &failure["code"]), (507, &json!("54000")));
    // A row that is longer is not even read, and many rows are cancelled.
    assert_eq!(alice.query("select repeat('a', 5000000)", &[]).0, 507);
    assert_eq!(
        alice
            .query("select g, repeat('a', 100) from generate_series(1, 1000000) g", &[])
            .0,
        507
    );
    assert_eq!(alice.rows("select 1"), json!([["1"]]));
}

/// The error tells whether the transaction was committed.
#[test]
fn a_response_that_does_not_fit_says_what_has_become_of_the_transaction() {
    let gateway = Gateway::start(
        &SERVER,
        &database(),
        &["--max-response-bytes=10000", "--max-connections=1"],
    );
    let alice = token(ALICE, 600);
    let alice = gateway.with(&alice);
    let insert = "insert into todos (task) select repeat('a', 100) from generate_series(1, 1000) returning task";
    let (status, failure) = alice.query(insert, &[]);
    let rows = alice.rows("select count(*) from todos");
    let committed = failure["detail"] == json!("The transaction was committed.");
    assert_eq!((status, rows), (507, json!([[if committed { "1000" } else { "0" }]])));
}

#[test]
fn the_number_of_statements_and_parameters() {
    let gateway = Gateway::start(&SERVER, &database(), &["--max-statements=3"]);
    let alice = token(ALICE, 600);
    let alice = gateway.with(&alice);
    assert_eq!(alice.batch(&["select 1"; 3]).0, 200);
    let (status, failure) = alice.batch(&["select 1"; 4]);
    assert_eq!((status, &failure["code"]), (400, &json!("54000")));
    let most: Vec<_> = (0..65_535).map(|_| json!(null)).collect();
    assert_eq!(alice.query("select 1", &most[..1]).1["code"], json!("08P01"));
    let beyond: Vec<_> = (0..65_536).map(|_| json!(null)).collect();
    assert_eq!(alice.query("select 1", &beyond).1["code"], json!("54000"));
}

/// attack: 111
#[test]
fn the_time_of_a_request() {
    let gateway = Gateway::start(&SERVER, &database(), &["--request-timeout=0.5", "--max-connections=1"]);
    let alice = token(ALICE, 600);
    let alice = gateway.with(&alice);
    let pid = alice.rows("select pg_backend_pid()");
    let (status, failure) = alice.batch(&[
        "insert into todos (task) values ('a')",
        "set statement_timeout = 0",
        "select pg_sleep(60)",
    ]);
    assert_eq!((status, &failure["code"]), (400, &json!("57014")));
    assert_eq!(alice.rows("select count(*) from todos"), json!([["0"]]));
    assert_eq!(
        alice.rows("select pg_backend_pid()"),
        pid,
        "the connection is used again"
    );
}

#[test]
fn a_client_that_goes_away_stops_its_query() {
    let gateway = Gateway::start(&SERVER, &database(), &["--max-connections=1"]);
    let alice = token(ALICE, 600);
    let body = r#"{"queries":[{"query":"insert into todos (task) values ('a')"},{"query":"select pg_sleep(60)"}]}"#;
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    let head = format!(
        "POST /sql HTTP/1.1\r\nHost: a\r\nNeon-Connection-String: postgres://authenticated@a\r\n\
         Authorization: Bearer {alice}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    drop(stream);
    let began = Instant::now();
    assert_eq!(gateway.with(&alice).rows("select count(*) from todos"), json!([["0"]]));
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn too_many_requests_are_rejected_at_once() {
    let gateway = Gateway::start(&SERVER, &database(), &["--max-connections=1", "--max-waiting=1"]);
    let alice = token(ALICE, 600);
    std::thread::scope(|scope| {
        let sleeper = |delay: u64| {
            let (gateway, alice) = (&gateway, &alice);
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(delay));
                gateway.with(alice).query("select pg_sleep(1)", &[]).0
            })
        };
        let (first, second) = (sleeper(0), sleeper(200));
        std::thread::sleep(Duration::from_millis(500));
        let (status, failure) = gateway.with(&alice).query("select 1", &[]);
        assert_eq!((status, &failure["code"]), (503, &json!("53300")));
        assert_eq!((first.join().unwrap(), second.join().unwrap()), (200, 200));
    });
    assert_eq!(gateway.with(&alice).rows("select 1"), json!([["1"]]));
}

#[test]
fn it_recovers_from_a_restart_of_postgresql() {
    let mut server = Server::start(&settings());
    create_login(&server);
    let database = database_of(&server);
    let gateway = Gateway::start(&server, &database, &["--max-connections=2"]);
    let alice = token(ALICE, 600);
    assert_eq!(gateway.with(&alice).rows("select 1"), json!([["1"]]));
    let mut admin = server.connect(&database, "postgres", "");
    let kill = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = 'jwt_gateway'";
    assert_eq!(admin.query(kill, &[]).unwrap().len(), 1);
    assert_eq!(gateway.with(&alice).rows("select 1"), json!([["1"]]));
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| gateway.with(&alice).query("select pg_sleep(60)", &[]));
        std::thread::sleep(Duration::from_millis(300));
        admin.query(kill, &[]).unwrap();
        let (status, body) = sleeper.join().unwrap();
        assert_eq!((status, &body["code"]), (400, &json!("57P01")));
    });
    server.restart();
    assert_eq!(gateway.with(&alice).rows("select 1"), json!([["1"]]));
}

#[test]
fn a_body_that_ends_early() {
    let gateway = Gateway::start(&SERVER, &database(), &["--client-timeout=0.5"]);
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    let alice = token(ALICE, 600);
    let head = format!(
        "POST /sql HTTP/1.1\r\nHost: a\r\nNeon-Connection-String: postgres://authenticated@a\r\n\
         Authorization: Bearer {alice}\r\nContent-Length: 100\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[test]
fn malformed_bodies() {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let alice = token(ALICE, 600);
    let alice = gateway.with(&alice);
    let deep = format!(r#"{{"query":"select 1","params":[{}]}}"#, "[".repeat(1_000_000));
    for body in [
        b"".as_slice(),
        b"[]",
        b"{}",
        b"{\"query\":1}",
        b"{\"query\":\"\xff\"}",
        b"null",
        deep.as_bytes(),
    ] {
        let (status, failure) = alice.post_text(body, &[]);
        assert_eq!((status, &failure["code"]), (400, &json!("22032")), "{failure}");
    }
}
