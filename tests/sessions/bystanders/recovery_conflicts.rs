//! A query that a standby cancels because it conflicts with recovery.

use std::time::Duration;

use testkit::server::Server;
use testkit::session::{one, run};

use crate::attacks::wire::Wire;
use crate::support::standby::standby_of;

use super::answers::{Answer, Kind};
use super::cases;

const SLEEPERS: &str = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";

#[test]
fn a_query_that_recovery_cancels() {
    let expected = cancelled("");
    let error = expected.iter().find(|answer| answer.kind == Kind::Error).unwrap();
    assert_eq!(error.field('C'), Some("40001"));
    assert_eq!(error.field('D'), Some("User was holding a relation lock for too long."));
    assert_eq!(cancelled("shared_preload_libraries = 'pg_session_jwt'"), expected);
}

/// The error of a standby's session whose table is dropped.
fn cancelled(conf: &str) -> Vec<Answer> {
    let primary = Server::start_empty(conf);
    let mut client = primary.connect("postgres", "postgres", "");
    run(&mut client, "create table read (id int); insert into read values (1)");
    let standby = standby_of(&primary, &format!("{conf}\nmax_standby_streaming_delay = 0"));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut wire = Wire::connect(standby.port(), "postgres", "postgres");
            cases::answers(&mut wire, "select id from read where pg_sleep(100) is null")
        });
        let mut other = standby.connect("postgres", "postgres", "");
        let sleeps = |_| {
            std::thread::sleep(Duration::from_millis(20));
            one::<i64>(&mut other, SLEEPERS) == 1
        };
        assert!((0..500).any(sleeps), "no session reads");
        run(&mut client, "drop table read");
        reader.join().unwrap()
    })
}
