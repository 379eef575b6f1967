//! The statements that the gateway rejects are exactly those with which PostgreSQL begins or ends a transaction, whatever
//! white space and comments are in them.

use postgres::Client;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sql_over_http::statement::rejection;
use testkit::server::Server;

const WORDS: [&str; 24] = [
    "commit",
    "END",
    "abort",
    "rollback",
    "begin",
    "start",
    "prepare",
    "work",
    "transaction",
    "to",
    "savepoint",
    "s",
    "prepared",
    "'x'",
    "$$x$$",
    "and",
    "chain",
    "no",
    "release",
    "select",
    "1",
    "\"commit\"",
    "as",
    "values(1)",
];

const BETWEEN: [&str; 16] = [
    " ",
    " ",
    "\n",
    "\t",
    "\u{b}",
    "\u{c}",
    ";",
    "--x\n",
    "--x\r",
    "/**/",
    "/*x/*y*/z*/",
    "/*/ */",
    "/***/",
    "\u{a0}",
    "\u{feff}",
    "",
];

/// attack: 140
#[test]
fn what_begins_or_ends_a_transaction_is_rejected() {
    let server = Server::start_empty("max_prepared_transactions = 4");
    let mut client = server.connect("postgres", "postgres", "");
    let piece = || (prop::sample::select(&BETWEEN[..]), prop::sample::select(&WORDS[..]));
    let statements = (prop::collection::vec(piece(), 1..5), prop::sample::select(&BETWEEN[..]));
    let mut accepted = 0;
    let mut controls = 0;
    let mut runner = TestRunner::new(Config {
        cases: 4000,
        failure_persistence: None,
        ..Config::default()
    });
    // The runner takes a function without state.
    let state = std::cell::RefCell::new((&mut client, &mut accepted, &mut controls));
    runner
        .run(&statements, |(pieces, end)| {
            let sql: String = pieces
                .iter()
                .flat_map(|(before, word)| [*before, *word])
                .chain([end])
                .collect();
            let (client, accepted, controls) = &mut *state.borrow_mut();
            let ended = ends(client, &sql);
            let begun = begins(client, &sql);
            if ended.or(begun).is_some() {
                let control = ended == Some(true) || begun == Some(true);
                **accepted += 1;
                **controls += usize::from(control);
                prop_assert_eq!(rejection(&sql).is_some(), control, "{:?}", sql);
            }
            Ok(())
        })
        .unwrap();
    assert!(accepted > 100 && controls > 50, "{accepted} {controls}");
}

/// Whether the statement ends the transaction that it is in. `None` if PostgreSQL does not accept it there.
fn ends(client: &mut Client, sql: &str) -> Option<bool> {
    client
        .batch_execute("begin; set local gateway.marker = 'set'; savepoint s")
        .unwrap();
    let accepted = client.execute(sql, &[]).is_ok();
    let marker = client.query_one("select current_setting('gateway.marker', true)", &[]);
    let ended = marker.is_ok_and(|row| row.get::<_, Option<String>>(0).as_deref() != Some("set"));
    reset(client);
    accepted.then_some(ended)
}

/// Whether the statement begins a transaction. `None` if PostgreSQL does not accept it outside of one.
fn begins(client: &mut Client, sql: &str) -> Option<bool> {
    let accepted = client.execute(sql, &[]).is_ok();
    let begun = client.batch_execute("savepoint s").is_ok();
    reset(client);
    accepted.then_some(begun)
}

fn reset(client: &mut Client) {
    client.batch_execute("rollback").unwrap();
    // Most statements have not prepared a transaction.
    let _ = client.batch_execute("rollback prepared 'x'");
    client.batch_execute("deallocate all").unwrap();
}
