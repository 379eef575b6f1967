//! The processes of a connection: its end, a crash of the server, parallel workers.

use testkit::key_server::wait_until;
use testkit::server::Server;
use testkit::session::{one, rows, run};

use super::support::{Site, pid, shown};

#[test]
fn end_of_a_connection_ends_its_row() {
    let mut site = Site::new();
    for (inside, how) in [
        ("", "close"),
        ("begin", "close"),
        ("", "terminate"),
        ("begin", "terminate"),
    ] {
        let mut client = site.session();
        let pid = pid(&mut client);
        let [alice, bob] = ["alice", "bob"].map(|user| site.token(user));
        // The rollback at the end of the process restores the first identity.
        run(&mut client, &format!("set pg_session_jwt.jwt = '{alice}'"));
        run(&mut client, &format!("{inside}; set pg_session_jwt.jwt = '{bob}'"));
        assert_eq!(site.shown(&pid, "user_id"), "bob");
        if how == "terminate" {
            run(&mut site.monitor, &format!("select pg_terminate_backend({pid}, 10000)"));
        } else {
            drop(client);
        }
        let gone = format!("select count(*) = 0 from pg_stat_activity where pid = {pid}");
        wait_until("the end", || one(&mut site.monitor, &gone));
        assert_eq!(site.shown(&pid, "user_id"), "", "{how} {inside}");
    }
    let of_database = format!(
        "select count(*) from auth.activity() where database = '{}'",
        site.database
    );
    assert_eq!(one::<i64>(&mut site.monitor, &of_database), 0);
}

#[test]
fn crash_ends_all_rows() {
    let server = Server::start("shared_preload_libraries = 'pg_session_jwt'\nrestart_after_crash = on");
    let claims = r#"set request.jwt.claims = '{"sub":"alice"}'; select auth.user_id()"#;
    let mut client = server.connect(&server.database(), "postgres", "");
    run(&mut client, claims);
    let mut victim = server.connect("postgres", "postgres", "");
    server.kill(pid(&mut victim));
    client.batch_execute("select 1").unwrap_err();
    let mut client = server.connect("template1", "postgres", "");
    assert_eq!(one::<i64>(&mut client, "select count(*) from auth.activity()"), 0);
    run(&mut client, claims);
    let pid = pid(&mut client);
    assert_eq!(shown(&mut client, pid, "user_id"), "alice");
}

#[test]
fn parallel_workers_show_nothing() {
    let mut site = Site::new();
    let mut client = site.session();
    run(
        &mut client,
        "create table owned as select i as id, 'alice' as user_id from generate_series(1, 6000) i;
         alter table owned set (parallel_workers = 2);
         analyze owned;
         create function seen() returns text language plpgsql parallel safe
             as $$ begin perform pg_sleep(0.0001); return pg_backend_pid() || ' ' || auth.user_id(); end $$;
         set parallel_leader_participation = off",
    );
    run(
        &mut client,
        &format!("set pg_session_jwt.jwt = '{}'", site.token("alice")),
    );
    let leader = pid(&mut client);
    let since = site.shown(&leader, "since");
    let database = site.database.clone();
    let seen = std::thread::scope(|scope| {
        let query = scope.spawn(|| rows(&mut client, "select distinct seen() from owned"));
        let mut seen = Vec::new();
        while !query.is_finished() {
            let pids =
                format!("select coalesce(array_agg(pid), '{{}}') from auth.activity() where database = '{database}'");
            seen.push(one::<Vec<i32>>(&mut site.monitor, &pids));
        }
        let workers = query.join().unwrap();
        assert!(!workers.is_empty());
        for row in &workers {
            let text = row[0].as_deref().unwrap();
            assert!(
                text.ends_with(" alice") && !text.starts_with(&format!("{leader} ")),
                "{text}"
            );
        }
        seen
    });
    assert!(seen.iter().all(|pids| *pids == [leader]), "{seen:?}");
    assert_eq!(site.shown(&leader, "user_id, since"), format!("alice|{since}"));
}
