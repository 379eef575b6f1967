//! A rotation as seen by long statements and by parallel workers.

use std::thread;

use postgres::Client;
use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{init, one, rejection, rejection_of, rejects, rows, run, user_id};

use crate::support::jwks_url::{entry, server_with};
use crate::support::key_fetcher::rejects_init;
use crate::support::parallel::{agrees_with_the_leader, fill, in_workers, leader_takes_part};

const RETIRED: (&str, &str) = ("28000", messages::NO_KEY_OF_TOKEN);

/// A server whose provider has the first key, and can rotate to the second.
struct Rotation {
    old: Provider,
    new: Provider,
    keys: KeyServer,
    server: Server,
}

impl Rotation {
    fn start(more: &str) -> Rotation {
        let (old, new) = (Provider::new("a"), Provider::with_kid("a", "k2"));
        let keys = KeyServer::start(Answer::Body(old.key_set()));
        let server = server_with(&[entry("a", &keys.url())], more);
        Rotation { old, new, keys, server }
    }

    fn session(&self) -> Client {
        let mut client = self.server.connect("template1", "postgres", "");
        init(&mut client, &self.old.token("alice"));
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
        client
    }

    /// The provider retires the old key, and a session with a token of the new key reveals it.
    fn rotate(&self) {
        self.keys.answer(Answer::Body(self.new.key_set()));
        let mut client = self.server.connect("template1", "postgres", "");
        init(&mut client, &self.new.token("bob"));
        assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    }
}

/// Waits until the session is in pg_sleep.
fn wait_for_sleep(rotation: &Rotation, process: i32) {
    let mut admin = rotation.server.connect("postgres", "postgres", "");
    let sleeps =
        format!("select wait_event is not distinct from 'PgSleep' from pg_stat_activity where pid = {process}");
    wait_until("the session to sleep", || one(&mut admin, &sleeps));
}

#[test]
fn busy_session_notices_a_rotation_at_its_next_statement() {
    let rotation = Rotation::start("");
    let mut living = rotation.session();
    let known = rotation.old.token("alice");
    init(&mut living, &known);
    let process = one(&mut living, "select pg_backend_pid()");
    let busy = thread::spawn(move || {
        run(&mut living, "select auth.user_id(), pg_sleep(2)");
        living
    });
    wait_for_sleep(&rotation, process);
    rotation.rotate();
    let mut living = busy.join().unwrap();
    rejects(&mut living, "select auth.user_id()", RETIRED.0, RETIRED.1);
    rejects(&mut living, "select auth.session()", RETIRED.0, RETIRED.1);
    // Nor is a token accepted that this session has verified before.
    rejects_init(&mut living, &known, RETIRED.0, RETIRED.1);
    init(&mut living, &rotation.new.token("carol"));
    assert_eq!(user_id(&mut living).as_deref(), Some("carol"));
}

#[test]
fn each_query_of_a_long_statement_checks_the_keys() {
    let rotation = Rotation::start("");
    let mut living = rotation.session();
    let process = one(&mut living, "select pg_backend_pid()");
    // Without the rotation it would run for a minute.
    let busy = thread::spawn(move || {
        let sql = "do $$ begin for i in 1..600 loop perform auth.user_id(), pg_sleep(0.1); end loop; end $$";
        let rejected = rejection_of(&living.batch_execute(sql).unwrap_err());
        (living, rejected)
    });
    wait_for_sleep(&rotation, process);
    rotation.rotate();
    let (mut living, rejected) = busy.join().unwrap();
    assert_eq!((rejected.sqlstate.as_str(), rejected.message.as_str()), RETIRED);
    init(&mut living, &rotation.new.token("carol"));
    assert_eq!(user_id(&mut living).as_deref(), Some("carol"));
}

#[test]
fn rotation_ends_the_identity_in_a_transaction() {
    let rotation = Rotation::start("");
    let mut living = rotation.session();
    for begin in ["begin", "begin isolation level repeatable read"] {
        run(&mut living, begin);
        assert_eq!(user_id(&mut living).as_deref(), Some("alice"));
        run(&mut living, "commit");
    }
    run(&mut living, "begin isolation level repeatable read; savepoint s");
    assert_eq!(user_id(&mut living).as_deref(), Some("alice"));
    rotation.rotate();
    rejects(&mut living, "select auth.user_id()", RETIRED.0, RETIRED.1);
    run(&mut living, "rollback to s");
    let local = format!("select auth.jwt_session_init('{}', true)", rotation.new.token("carol"));
    run(&mut living, &local);
    assert_eq!(user_id(&mut living).as_deref(), Some("carol"));
    run(&mut living, "commit");
    // The token of the session is restored, and its key is not.
    rejects(&mut living, "select auth.user_id()", RETIRED.0, RETIRED.1);
    run(&mut living, "reset all");
    assert_eq!(user_id(&mut living), None);
}

#[test]
fn a_wait_for_keys_can_be_cancelled() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Silence);
    let server = server_with(&[entry("a", &keys.url())], "");
    let mut client = server.connect("template1", "postgres", "");
    run(&mut client, "set statement_timeout = '300ms'");
    let timeout = "canceling statement due to statement timeout";
    rejects_init(&mut client, &provider.token("alice"), "57014", timeout);
    rejects(&mut client, "select from auth.providers()", "57014", timeout);
    assert_eq!(user_id(&mut client), None);
    // Without a cancel request it ends by itself.
    run(&mut client, "reset statement_timeout");
    rejects_init(
        &mut client,
        &provider.token("alice"),
        "55000",
        messages::KEYS_NOT_AVAILABLE,
    );
    keys.answer(Answer::Body(provider.key_set()));
    wait_until("the second try", || {
        let present = format!("select auth.jwt_session_init('{}')", provider.token("alice"));
        client.batch_execute(&present).is_ok()
    });
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

/// Workers for every query, as in support::parallel.
const PARALLEL: &str = "max_worker_processes = 20\nmax_parallel_workers = 16\nmax_parallel_workers_per_gather = 2\n\
                        parallel_setup_cost = 0\nparallel_tuple_cost = 0\nmin_parallel_table_scan_size = 0";

#[test]
fn parallel_workers_agree_with_their_leader_on_a_rotation() {
    let rotation = Rotation::start(PARALLEL);
    let database = rotation.server.database();
    let mut living = rotation.server.connect(&database, "postgres", "");
    fill(&mut living);
    init(&mut living, &rotation.old.token("alice"));
    agrees_with_the_leader(&mut living);
    leader_takes_part(&mut living, false);
    let alice = [[Some("alice".to_owned()), Some("t".to_owned())]];
    assert_eq!(in_workers(&mut living, "auth.user_id()"), alice);
    for role in ["authenticated", "anonymous"] {
        run(&mut living, &format!("set role {role}"));
        let mine = [[Some("alice".to_owned()), Some("2000".to_owned())]];
        assert_eq!(
            rows(&mut living, "select user_id, count(*) from owned group by 1"),
            mine
        );
    }
    run(&mut living, "reset role");

    rotation.rotate();
    // The workers notice first.
    let in_worker = rejection(&mut living, "select auth.user_id() from owned");
    assert_eq!((in_worker.sqlstate.as_str(), in_worker.message.as_str()), RETIRED);
    run(&mut living, "set role authenticated");
    let filtered = rejection(&mut living, "select count(*) from owned");
    assert_eq!((filtered.sqlstate.as_str(), filtered.message.as_str()), RETIRED);
    run(&mut living, "reset role");
    assert_eq!(rejection(&mut living, "select auth.user_id()"), in_worker);
    init(&mut living, &rotation.new.token("bob"));
    agrees_with_the_leader(&mut living);
    run(&mut living, "set role authenticated");
    leader_takes_part(&mut living, true);
    let mine = [[Some("bob".to_owned()), Some("2000".to_owned())]];
    assert_eq!(
        rows(&mut living, "select user_id, count(*) from owned group by 1"),
        mine
    );
    // Leader and workers sent the provider no request beyond the one for the token with a new key.
    assert_eq!(rotation.keys.requests(), 2);
}
