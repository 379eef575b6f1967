//! Interrupts of `auth.check()`, whose errors equal those of any query.

use std::time::Duration;

use testkit::server::Server;
use testkit::session::{one, run};

use crate::attacks::wire::Wire;

use super::answers::{Answer, Kind};
use super::cases;
use super::servers::{PRELOADED, WITH_BACKTRACES, WITHOUT};

/// A database with the extension, in which no other session waits for the locks of a test.
fn database(server: &Server) -> String {
    server.database_with("template template0")
}

/// The error of a statement, in a session that begins with these settings.
fn error(server: &Server, database: &str, settings: &str, sql: &str) -> Option<Answer> {
    let mut wire = Wire::connect(server.port(), database, "postgres");
    let answers = cases::answers(&mut wire, &format!("{settings};; {sql}"));
    answers.into_iter().find(|answer| answer.kind == Kind::Error)
}

/// Asserts that an error equals the expected one, except that PostgreSQL also names the SQL query of `auth.check()`.
#[track_caller]
fn is_the_same_but_for_the_query(error: Answer, expected: &Answer) {
    if let Some(context) = error.field('W') {
        // Since PostgreSQL 19 the first line names the lock. It is the only one while a query is parsed.
        let query = match context.strip_prefix("waiting for ") {
            Some(lock) => lock.split_once('\n').map(|(_, query)| query),
            None => Some(context),
        };
        assert!(
            query.is_none_or(|query| query.starts_with("SQL statement \"")),
            "{context}"
        );
        assert!(!context.contains("backtrace"), "{context}");
    }
    assert_eq!(without_the_query(error), *expected);
}

/// The error without its context, and without the positions in the client's query and in the internal one.
fn without_the_query(error: Answer) -> Answer {
    "WPpq".chars().fold(error, Answer::without)
}

/// Objects that `auth.check()` reads.
const TABLES_OF_CHECK: &str = "begin; lock table pg_policy in access exclusive mode";

#[test]
fn a_check_that_waits_for_a_lock() {
    for settings in ["set lock_timeout = 100", "set statement_timeout = 400"] {
        let waits = |server: &Server, database: &str, sql: &str| {
            let mut holder = server.connect(database, "postgres", "");
            run(&mut holder, TABLES_OF_CHECK);
            error(server, database, settings, sql).expect("an error")
        };
        let expected = without_the_query(waits(&WITHOUT, "postgres", "select count(*) from pg_policy"));
        for server in [&*PRELOADED, &*WITH_BACKTRACES] {
            is_the_same_but_for_the_query(
                waits(server, &database(server), "select * from auth.check()"),
                &expected,
            );
        }
    }
}

#[test]
fn a_check_that_is_cancelled_while_it_waits() {
    let cancelled = "select pg_cancel_backend(pg_backend_pid())";
    let expected = error(&WITHOUT, "postgres", "select 1", cancelled).unwrap();
    for server in [&*PRELOADED, &*WITH_BACKTRACES] {
        let database = database(server);
        let mut holder = server.connect(&database, "postgres", "");
        run(&mut holder, TABLES_OF_CHECK);
        let error = std::thread::scope(|scope| {
            let check = scope.spawn(|| error(server, &database, "select 1", "select * from auth.check()"));
            let mut other = server.connect("postgres", "postgres", "");
            let cancel = format!(
                "select count(*) from (select pg_cancel_backend(pid) from pg_stat_activity
                  where wait_event_type = 'Lock' and datname = '{database}') cancelled"
            );
            let is_cancelled = |_| {
                std::thread::sleep(Duration::from_millis(20));
                one::<i64>(&mut other, &cancel) == 1
            };
            assert!((0..500).any(is_cancelled), "auth.check() does not wait");
            check.join().unwrap()
        });
        is_the_same_but_for_the_query(error.expect("an error"), &expected);
    }
}

#[test]
fn a_check_interrupted_at_any_moment() {
    let expected = error(
        &WITHOUT,
        "postgres",
        "set statement_timeout = 1",
        "select pg_sleep(100)",
    )
    .unwrap();
    for server in [&*PRELOADED, &*WITH_BACKTRACES] {
        let database = database(server);
        // The check takes longer than each timeout. PostgreSQL reports one that fires at the end of a statement as a cancel.
        run(
            &mut server.connect(&database, "postgres", ""),
            "do 'begin for n in 1..600 loop execute format(''create table public.t%s (owner text)'', n); end loop; end';
             grant select on all tables in schema public to authenticated",
        );
        let errors: Vec<Answer> = (1..40)
            .filter_map(|timeout| {
                let settings = format!("set statement_timeout = {timeout}");
                error(server, &database, &settings, "select * from auth.check()")
            })
            .collect();
        assert!(!errors.is_empty());
        for error in errors {
            is_the_same_but_for_the_query(error, &expected);
        }
    }
}
