//! The end of the process while WebSockets are open.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use postgres_protocol::message::frontend;

use serde_json::json;
use testkit::key_server::wait_until;
use testkit::session::{one, run};

use crate::running::Gateway;
use crate::websocket::{no_session_remains_in, row, session, sessions_in};
use crate::{ALICE, BOB, SERVER, database, token};

#[test]
fn sigterm_with_open_websockets() {
    let database = database();
    let mut gateway = Gateway::start(&SERVER, &database, &["--drain-timeout=2"]);
    let mut idle = session(&gateway, ALICE);
    let mut in_transaction = session(&gateway, ALICE);
    in_transaction.query("begin").unwrap();
    let mut busy = session(&gateway, BOB);
    let mut bytes = BytesMut::new();
    frontend::query("select pg_sleep(60)", &mut bytes).unwrap();
    busy.send(&bytes);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(sessions_in(&database), 3);

    let begin = Instant::now();
    gateway.signal("TERM");
    assert_eq!(idle.rows(), Err("57P01".to_owned()));
    assert!(begin.elapsed() < Duration::from_secs(1), "what is idle ends at once");
    assert_eq!(in_transaction.query("select 1"), Ok(row(&["1"])));
    assert_eq!(gateway.exit_code(), Some(0));
    let elapsed = begin.elapsed();
    assert!(
        elapsed > Duration::from_secs(2) && elapsed < Duration::from_secs(7),
        "{elapsed:?}"
    );
    for socket in [&mut in_transaction, &mut busy] {
        assert_eq!(socket.rows(), Err("end".to_owned()));
    }
    no_session_remains_in(&database);
}

/// What waits for a connection does not begin when the time to drain is over.
#[test]
fn a_waiting_request_does_not_begin_after_the_end() {
    let database = database();
    let mut admin = SERVER.connect(&database, "postgres", "");
    run(
        &mut admin,
        "create table late (n int); grant select, insert on late to authenticated",
    );
    let mut gateway = Gateway::start(&SERVER, &database, &["--drain-timeout=1", "--max-connections=1"]);
    let alice = token(ALICE, 600);
    std::thread::scope(|scope| {
        let ask = |sql: &'static str| gateway.with(&alice).query(sql, &[]);
        let busy = scope.spawn(move || ask("select pg_sleep(60) from (select count(*) from late) as counted"));
        let locks = "select count(*) from pg_locks where relation = 'late'::regclass";
        wait_until("the lock", || one::<i64>(&mut admin, locks) == 1);
        let waiting = [(); 3].map(|()| scope.spawn(move || ask("insert into late values (1)")));
        std::thread::sleep(Duration::from_secs(1));
        gateway.signal("TERM");
        assert_eq!(busy.join().unwrap().1["code"], "57P01");
        for request in waiting {
            let (status, body) = request.join().unwrap();
            assert_eq!(
                (status, &body["code"], &body["detail"]),
                (400, &json!("57P01"), &json!(null))
            );
        }
    });
    assert_eq!(gateway.exit_code(), Some(0));
    assert_eq!(one::<i64>(&mut admin, "select count(*) from late"), 0);
}
