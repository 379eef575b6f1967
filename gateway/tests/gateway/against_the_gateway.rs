//! What a person with a valid token, or none, does to the gateway itself: it must start, connect, and tell the truth.

use std::net::TcpStream;
use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use testkit::server::Server;
use testkit::session::run;

use crate::running::Gateway;
use crate::{ALICE, SERVER, create_login, database, database_of, settings, token};

/// A separate server, since the login is the same in all databases. In its database an end user may do what setup.sql
/// revokes, as if that script had not been run.
fn own_server() -> (Server, String) {
    let server = Server::start(&settings());
    create_login(&server);
    let database = database_of(&server);
    let permit = "grant execute on function pg_terminate_backend(int, bigint), lo_create(oid) to public";
    run(&mut server.connect(&database, "postgres", ""), permit);
    (server, database)
}

/// A library that does not exist ends each connection before its first statement.
/// attack: 62, 132
#[rstest]
#[case("")]
#[case("in database ")]
fn a_planted_library_does_not_prevent_connections(#[case] scope: &str) {
    let (server, database) = own_server();
    let alice = token(ALICE, 600);
    let scope = if scope.is_empty() {
        String::new()
    } else {
        format!("{scope}{database}")
    };
    let plant = format!("alter role jwt_gateway {scope} set local_preload_libraries = 'no_such_library'");
    let gateway = Gateway::start(&server, &database, &["--max-connections=1"]);
    let (status, body) = gateway.with(&alice).batch(&["reset role", &plant]);
    assert_eq!(status, 200, "{body}");
    let end = "do $$ begin reset role; perform pg_terminate_backend(pg_backend_pid()); end $$";
    assert_eq!(gateway.with(&alice).error(end), "57P01");
    assert_eq!(gateway.with(&alice).rows("select 1"), json!([["1"]]));
    drop(gateway);
    let gateway = Gateway::start(&server, &database, &[]);
    assert_eq!(gateway.with(&alice).rows("select 1"), json!([["1"]]));
}

/// What any login can make, and what gives no right, does not prevent the next start.
#[rstest]
#[case("alter default privileges grant select on tables to anonymous")]
#[case("select lo_create(0)")]
fn the_gateway_starts_whatever_the_login_has_made(#[case] sql: &str) {
    let (server, database) = own_server();
    let alice = token(ALICE, 600);
    let gateway = Gateway::start(&server, &database, &[]);
    let (status, body) = gateway.with(&alice).batch(&["reset role", sql]);
    assert_eq!(status, 200, "{body}");
    drop(gateway);
    let gateway = Gateway::start(&server, &database, &[]);
    assert_eq!(gateway.with(&alice).rows("select 1"), json!([["1"]]));
}

/// Temporary objects of a session that is open, in this database and in another.
#[test]
fn the_gateway_starts_while_temporary_objects_exist() {
    let (server, database) = own_server();
    let other = database_of(&server);
    let mut sessions = [
        server.connect(&database, "jwt_gateway", ""),
        server.connect(&other, "jwt_gateway", ""),
    ];
    for session in &mut sessions {
        run(
            session,
            "create temporary table t (a int);
             create type pg_temp.kind as enum ('a');
             create function pg_temp.f() returns int language sql as 'select 1'",
        );
    }
    let gateway = Gateway::start(&server, &database, &[]);
    let alice = token(ALICE, 600);
    assert_eq!(gateway.with(&alice).rows("select 1"), json!([["1"]]));
}

/// The server trusts the gateway's address, and so asks for no password.
#[test]
fn a_login_without_a_question_for_the_password_is_rejected() {
    let gateway = Gateway::start(&SERVER, &database(), &["--password-logins"]);
    let (status, body) = gateway.client("postgres:wrong", None).query("select current_user", &[]);
    assert_eq!((status, &body["code"]), (400, &json!("28000")), "{body}");
}

/// A block can survive the cancel request, and its transaction can be committed after the answer.
#[test]
fn a_timeout_does_not_hide_a_commit() {
    let gateway = Gateway::start(&SERVER, &database(), &["--request-timeout=0.5", "--max-connections=2"]);
    let alice = token(ALICE, 600);
    let alice = gateway.with(&alice);
    let survive = "do $$ begin
        begin perform pg_sleep(60); exception when query_canceled then perform pg_sleep(3); end;
        insert into todos (task) values ('a');
    end $$";
    let (status, failure) = alice.query(survive, &[]);
    assert_eq!((status, &failure["code"]), (400, &json!("57014")));
    std::thread::sleep(Duration::from_secs(3));
    let rows = alice.rows("select count(*) from todos");
    let told = failure["detail"] == json!("It is not known whether the transaction was committed.");
    assert!(told || rows == json!([["0"]]), "{failure}: {rows}");
}

/// A row that is too long to be read does not hide what has become of its transaction.
#[test]
fn a_long_row_does_not_hide_a_commit() {
    let gateway = Gateway::start(&SERVER, &database(), &["--max-response-bytes=10000"]);
    let alice = token(ALICE, 600);
    let alice = gateway.with(&alice);
    let insert = "insert into todos (task) values (repeat('a', 1100000)) returning task";
    let (status, failure) = alice.query(insert, &[]);
    assert_eq!((status, &failure["code"]), (507, &json!("54000")));
    std::thread::sleep(Duration::from_millis(500));
    let rows = alice.rows("select count(*) from todos");
    match failure["detail"].as_str() {
        Some("The transaction was committed.") => assert_eq!(rows, json!([["1"]])),
        Some(detail) => assert_eq!(detail, "It is not known whether the transaction was committed."),
        None => assert_eq!(rows, json!([["0"]])),
    }
}

/// An error of any length is cut, so that errors that are slow to read do not fill the memory.
#[test]
fn a_long_error_is_cut() {
    let gateway = Gateway::start(&SERVER, &database(), &["--max-connections=1"]);
    let alice = token(ALICE, 600);
    let raise = "do $$ begin raise exception '%', repeat('a', 1000000); end $$";
    let (status, failure) = gateway.with(&alice).query(raise, &[]);
    assert_eq!((status, &failure["code"]), (400, &json!("P0001")));
    assert_eq!(failure["message"], json!("a".repeat(16 * 1024)));
}

/// A connection does not keep the memory of its longest row, and JSON that is too long is not made.
#[test]
fn long_rows_take_no_memory_afterwards() {
    let gateway = Gateway::start(
        &SERVER,
        &database(),
        &["--max-connections=4", "--max-response-bytes=16000000"],
    );
    let alice = token(ALICE, 600);
    gateway.with(&alice).rows("select 1");
    let before = gateway.resident_kib();
    let long = |character: &str, status: u16| {
        let sql = format!("select length(repeat({character}, 8000000)), repeat({character}, 8000000)");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let (gateway, alice, sql) = (&gateway, &alice, &sql);
                scope.spawn(move || {
                    let (answered, mut body) = gateway.with(alice).query(sql, &[]);
                    assert_eq!(answered, status, "{}", body["message"].take());
                });
            }
        });
    };
    long("chr(1)", 507);
    long("'a'", 200);
    let taken = gateway.resident_kib().saturating_sub(before);
    // Without either it was a gigabyte.
    assert!(taken < 100_000, "{taken} KiB");
}

/// What PostgreSQL sends is counted before it is read.
#[test]
fn a_long_row_is_counted_before_it_is_read() {
    let gateway = Gateway::start(
        &SERVER,
        &database(),
        &["--max-memory-bytes=10000000", "--max-connections=1"],
    );
    let alice = token(ALICE, 600);
    let (status, failure) = gateway.with(&alice).query("select repeat('a', 20000000)", &[]);
    assert_eq!((status, &failure["code"]), (503, &json!("53200")));
    assert_eq!(gateway.with(&alice).rows("select 1"), json!([["1"]]));
}

/// A client that has lost its network would keep its place among the WebSockets, and its connection to PostgreSQL, for ever.
#[test]
fn connections_are_probed() {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let client = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    gateway.client("anonymous", None).rows("select 1");
    let probed = |local: Option<u16>, remote: u16| {
        let port = |field: &str| u16::from_str_radix(field.split_once(':').unwrap().1, 16).unwrap();
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        // The addresses, the state, the queues, and the timer: 2 is that of the probes.
        table.lines().skip(1).any(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            local.is_none_or(|local| port(fields[1]) == local)
                && port(fields[2]) == remote
                && fields[3] == "01"
                && fields[5].starts_with("02:")
        })
    };
    assert!(probed(Some(gateway.port), client.local_addr().unwrap().port()));
    assert!(probed(None, SERVER.port()));
}
