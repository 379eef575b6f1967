//! Server processes without a user session that run code of users.

use std::time::{Duration, Instant};

use testkit::server::Server;
use testkit::session::run;

use super::ways::value;

/// attack: 131
#[test]
fn apply_worker_has_no_identity() {
    // Only replication logs in to it. A trigger there must find no identity and no error.
    let server = Server::start("wal_level = logical\npg_session_jwt.claims_fallback = off");
    let (from, to) = (server.database(), server.database());
    let mut publisher = server.connect(&from, "postgres", "");
    run(
        &mut publisher,
        "create table notes (id int primary key, who text);
         create publication notes for table notes",
    );
    run(
        &mut publisher,
        "select pg_create_logical_replication_slot('notes', 'pgoutput')",
    );
    let mut subscriber = server.connect(&to, "postgres", "");
    run(
        &mut subscriber,
        "create table notes (id int primary key, who text);
         create function sees() returns trigger language plpgsql as
             $$ begin new.who := coalesce(auth.user_id(), '(none)') || coalesce(auth.uid()::text, '') || auth.session()::text;
                      return new; end $$;
         create trigger sees before insert on notes for each row execute function sees();
         alter table notes enable always trigger sees",
    );
    let source = format!("host=127.0.0.1 port={} dbname={from} user=postgres", server.port());
    run(
        &mut subscriber,
        &format!(
            "create subscription notes connection '{source}' publication notes with (create_slot = false, slot_name = notes)"
        ),
    );
    run(&mut publisher, "insert into notes values (1, 'alice')");
    let started = Instant::now();
    while value(&mut subscriber, "select count(*) from notes").as_deref() != Some("1") {
        assert!(started.elapsed() < Duration::from_secs(60), "{}", server.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let who = value(&mut subscriber, "select who from notes");
    assert_eq!(who.as_deref(), Some("(none)null"));
    run(&mut subscriber, "drop subscription notes");
}
