//! `auth.check()` takes its time; what interrupts it says what it says to any query.

use crate::attacks::wire::Wire;
use crate::server::Server;
use crate::session::run;

use super::answers::{Answer, Kind};
use super::{IDENTIFIED, PRELOADED, WITH_BACKTRACES, WITHOUT, cases};

/// A statement in a session that begins with these settings: its error or notice.
fn error(server: &Server, settings: &str, sql: &str) -> Option<Answer> {
    let mut wire = Wire::connect(server.port(), IDENTIFIED, "postgres");
    let answers = cases::answers(&mut wire, &format!("{settings};; {sql}"));
    answers.into_iter().find(|answer| answer.kind == Kind::Error)
}

/// `auth.check()` asks in SQL, and PostgreSQL says in which query it was, and where; but for that the error is the same.
#[track_caller]
fn is_the_same_but_for_the_query(error: Answer, expected: &Answer) {
    if let Some(context) = error.field('W') {
        assert!(context.starts_with("SQL statement \""), "{context}");
        assert!(!context.contains("backtrace"), "{context}");
    }
    assert_eq!(without_the_query(error), *expected);
}

/// Without the context, and the positions in the query of the client and in the one that is in the context.
fn without_the_query(error: Answer) -> Answer {
    "WPpq".chars().fold(error, Answer::without)
}

/// What `auth.check()` reads.
const TABLES_OF_CHECK: &str = "begin; lock table pg_policy in access exclusive mode";

#[test]
fn a_check_that_waits_for_a_lock() {
    for settings in ["set lock_timeout = 100", "set statement_timeout = 400"] {
        let waits = |server: &Server, sql: &str| {
            let mut holder = server.connect(IDENTIFIED, "postgres", "");
            run(&mut holder, TABLES_OF_CHECK);
            error(server, settings, sql).expect("an error")
        };
        let expected = without_the_query(waits(&WITHOUT, "select count(*) from pg_policy"));
        for server in [&*PRELOADED, &*WITH_BACKTRACES] {
            is_the_same_but_for_the_query(waits(server, "select * from auth.check()"), &expected);
        }
    }
}

#[test]
fn a_check_that_is_cancelled_while_it_waits() {
    let expected = error(&WITHOUT, "select 1", "select pg_cancel_backend(pg_backend_pid())").unwrap();
    for server in [&*PRELOADED, &*WITH_BACKTRACES] {
        let mut holder = server.connect(IDENTIFIED, "postgres", "");
        run(&mut holder, TABLES_OF_CHECK);
        let cancelled = std::thread::scope(|scope| {
            let check = scope.spawn(|| error(server, "select 1", "select * from auth.check()"));
            let mut other = server.connect("postgres", "postgres", "");
            let cancel = "select count(*) from (select pg_cancel_backend(pid) from pg_stat_activity
                where wait_event_type = 'Lock' and query like '%auth.check()%' and pid <> pg_backend_pid()) cancelled";
            while other.query_one(cancel, &[]).unwrap().get::<_, i64>(0) == 0 {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            check.join().unwrap()
        });
        is_the_same_but_for_the_query(cancelled.expect("an error"), &expected);
    }
}

#[test]
fn a_check_that_is_interrupted_wherever_it_is() {
    let expected = error(&WITHOUT, "set statement_timeout = 1", "select pg_sleep(100)").unwrap();
    for server in [&*PRELOADED, &*WITH_BACKTRACES] {
        let errors: Vec<Answer> = (1..40)
            .filter_map(|timeout| {
                let settings = format!("set statement_timeout = {timeout}");
                error(server, &settings, "select * from auth.check()")
            })
            .collect();
        assert!(!errors.is_empty());
        for error in errors {
            is_the_same_but_for_the_query(error, &expected);
        }
    }
}
