//! Parallel workers, a crash and a restart.

use testkit::provider::{Provider, database_on};
use testkit::server::Server;
use testkit::session::{init, one, run};

use super::support::{CONF, counted};
use crate::support::parallel::{always_parallel, fill, in_workers, leader_takes_part};

#[test]
fn parallel_workers_count_nothing() {
    let server = Server::start(&format!(
        "{CONF}\nmax_parallel_workers_per_gather = 2\nparallel_setup_cost = 0\nparallel_tuple_cost = 0\n\
         min_parallel_table_scan_size = 0"
    ));
    let provider = Provider::new("a");
    let database = database_on(&server, &[provider.entry("")], "");
    let mut client = server.connect(&database, "postgres", "");
    fill(&mut client);
    run(&mut client, always_parallel());
    init(&mut client, &provider.token("alice"));
    leader_takes_part(&mut client, false);
    let time = super::support::verification_time(&server, &database);
    let found = in_workers(&mut client, "auth.user_id()");
    assert_eq!(found, [[Some("alice".to_owned()), Some("t".to_owned())]]);
    assert_eq!(counted(&server, &database), ["a accepted new 1"]);
    assert_eq!(super::support::verification_time(&server, &database), time);
}

#[test]
fn a_crash_and_a_restart_begin_with_0_and_a_new_time() {
    let mut server = Server::start(&format!("{CONF}\nrestart_after_crash = on"));
    let provider = Provider::new("a");
    let database = database_on(&server, &[provider.entry("")], "");
    let token = provider.token("alice");
    let mut since = Vec::new();
    for end in ["crash", "restart", "nothing"] {
        let mut client = server.connect(&database, "postgres", "");
        let rows = "select count(*) from auth.stats() where database is not null";
        assert_eq!(one::<i64>(&mut client, rows), 0);
        init(&mut client, &token);
        client.batch_execute("set pg_session_jwt.jwt = 'x'").unwrap_err();
        assert_eq!(counted(&server, &database), ["a accepted new 1", "- rejected form 1"]);
        since.push(one::<String>(
            &mut client,
            "select max(stats_reset)::text from auth.stats()",
        ));
        match end {
            "crash" => {
                server.kill(one::<i32>(&mut client, "select pg_backend_pid()"));
                client.batch_execute("select 1").unwrap_err();
            }
            "restart" => server.restart(),
            _ => {}
        }
    }
    since.dedup();
    assert_eq!(since.len(), 3, "{since:?}");
}
