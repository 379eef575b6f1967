//! Concurrent installations in two databases, both of which create the same two roles of the cluster.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use testkit::cluster::{PLAIN, Turn, drop_roles};
use testkit::session::{one, rejection, run};

use crate::support::extension_catalog::facts;

const CREATE: &str = "create extension pg_session_jwt";
const INSTALLED: &str = "select count(*) from pg_extension where extname = 'pg_session_jwt'";
const ROLES: &str = "select count(*) from pg_roles where rolname in ('authenticated', 'anonymous') and not rolcanlogin";

/// attack: 121
#[test]
fn concurrent_installations_succeed() {
    let cluster = PLAIN.turn();
    let mut clients = [cluster.empty_database("a"), cluster.empty_database("b")];
    let rounds = 30;
    for round in 0..rounds {
        let start = Barrier::new(2);
        thread::scope(|scope| {
            for client in &mut clients {
                scope.spawn(|| {
                    start.wait();
                    run(client, CREATE);
                });
            }
        });
        let [a, b] = &mut clients;
        assert_eq!(facts(a), facts(b), "round {round}");
        assert_eq!(one::<i64>(a, ROLES), 2);
        run(a, "drop extension pg_session_jwt");
        run(b, "drop extension pg_session_jwt");
        drop_roles(a);
    }
}

/// Waits until that session waits for another transaction, which shows that the race takes place.
fn wait_until_blocked(cluster: &Turn, pid: i32) {
    let mut client = cluster.superuser("postgres");
    let began = Instant::now();
    let waiting = format!("select coalesce(wait_event_type = 'Lock', false) from pg_stat_activity where pid = {pid}");
    while !one::<bool>(&mut client, &waiting) {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "the second installation does not wait for the first"
        );
        thread::sleep(Duration::from_millis(5));
    }
}

/// Installs in `second` while the transaction of the first installation is open, and ends that one with `end`.
fn overlap(cluster: &Turn, end: &str) -> [Client; 2] {
    let (mut first, mut second) = (cluster.empty_database("a"), cluster.empty_database("b"));
    let pid = one(&mut second, "select pg_backend_pid()");
    run(&mut first, &format!("begin; {CREATE}"));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| run(&mut second, CREATE));
        wait_until_blocked(cluster, pid);
        run(&mut first, end);
        waiting.join().unwrap();
    });
    [first, second]
}

#[test]
fn second_installation_uses_the_committed_roles() {
    let cluster = PLAIN.turn();
    let [mut first, mut second] = overlap(&cluster, "commit");
    assert_eq!(facts(&mut first), facts(&mut second));
    assert_eq!(one::<i64>(&mut first, ROLES), 2);
}

#[test]
fn second_installation_creates_roles_after_a_rollback() {
    let cluster = PLAIN.turn();
    let [mut first, mut second] = overlap(&cluster, "rollback");
    assert_eq!(
        (one::<i64>(&mut first, INSTALLED), one::<i64>(&mut second, INSTALLED)),
        (0, 1)
    );
    assert_eq!(one::<i64>(&mut first, ROLES), 2);
}

#[test]
fn dangerous_role_created_meanwhile_is_rejected() {
    let cluster = PLAIN.turn();
    let (mut attacker, mut client) = (cluster.superuser("postgres"), cluster.empty_database("d"));
    let pid = one(&mut client, "select pg_backend_pid()");
    run(&mut attacker, "begin; create role authenticated bypassrls");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| rejection(&mut client, CREATE));
        wait_until_blocked(&cluster, pid);
        run(&mut attacker, "commit");
        let rejected = waiting.join().unwrap();
        assert_eq!(
            rejected.message,
            r#"role "authenticated" has more privileges than end users may have"#
        );
    });
}

#[test]
fn role_invisible_to_the_transaction_is_inspected() {
    let cluster = PLAIN.turn();
    let mut client = cluster.empty_database("d");
    run(&mut client, "begin isolation level repeatable read; select 1");
    cluster.run("create role anonymous superuser");
    let rejected = rejection(&mut client, CREATE);
    assert_eq!(
        (&*rejected.sqlstate, &*rejected.message, rejected.hint.as_deref()),
        (
            "40001",
            r#"role "anonymous" was created by a concurrent transaction"#,
            Some("Try again.")
        )
    );
}
