//! The same clients behind PgBouncer, where they share one connection to the server with a stranger.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use testkit::pgbouncer::PgBouncer;

use crate::drizzle::{drizzle, migrated};
use crate::node::node;
use crate::python::python;
use crate::rust::rust;
use crate::{ALICE, SERVER, connects, database, does_the_scenario_at, output, token};

/// A stranger, whose transactions come between those of the client, and who leaves the connection as new: whatever a client
/// expects to find there in its next transaction is gone.
fn stranger(pgbouncer: &PgBouncer, database: &str, done: &AtomicBool) {
    let carol = "ca401000-0000-4000-8000-000000000003";
    let (mut client, token) = (pgbouncer.connect(database), token(carol, 600));
    while !done.load(Ordering::Relaxed) {
        let seen = format!(
            "begin; set local role authenticated; select auth.jwt_session_init('{token}', true);
             select count(*) from todos; commit"
        );
        let messages = client.simple_query(&seen).unwrap();
        let rows = messages.iter().filter_map(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        assert_eq!(rows.last(), Some("0"));
        client.batch_execute("discard all").unwrap();
    }
}

/// Runs a client in transaction mode, with a stranger beside it.
#[track_caller]
fn shares_a_connection(client: &mut Command, database: &str) {
    let pgbouncer = PgBouncer::start(&SERVER, "transaction", "ignore_startup_parameters = extra_float_digits");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let stranger = scope.spawn(|| stranger(&pgbouncer, database, &done));
        let client = scope.spawn(|| does_the_scenario_at(pgbouncer.port, client.env("POOLED", "1"), database));
        let client = client.join();
        done.store(true, Ordering::Relaxed);
        stranger.join().unwrap();
        client.unwrap();
    });
}

#[test]
fn clients_of_node() {
    for file in ["pg.mjs", "postgres.mjs", "kysely.mjs"] {
        shares_a_connection(&mut node(file), &database());
    }
}

#[test]
fn drizzle_on_both_drivers() {
    let (database, _) = migrated("crud-policy");
    for driver in ["pg", "postgres"] {
        shares_a_connection(&mut drizzle("crud-policy", driver), &database);
    }
}

#[test]
fn clients_of_python() {
    for file in ["with_psycopg.py", "with_asyncpg.py", "with_sqlalchemy.py"] {
        shares_a_connection(&mut python(file), &database());
    }
}

#[test]
fn sqlx() {
    shares_a_connection(&mut rust("sqlx"), &database());
}

#[test]
fn a_pipeline_is_one_transaction_in_statement_mode() {
    let (database, pgbouncer) = (database(), PgBouncer::start(&SERVER, "statement", ""));
    let mut client = python("pipeline.py");
    let printed = output(connects(&mut client, pgbouncer.port, &database));
    let expected = format!("alice: 1 of {ALICE}\nexpired: 28000\nafterwards: app None\n");
    assert_eq!(printed, expected.repeat(100));
}
