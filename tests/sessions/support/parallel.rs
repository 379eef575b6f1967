//! A server that runs every query in parallel workers, and the comparison of a worker with its leader.

use std::sync::LazyLock;

use postgres::Client;

use testkit::server::{Server, major};
use testkit::session::{one, rows, run};

/// With workers for all concurrent queries of these tests.
pub static SERVER: LazyLock<Server> = LazyLock::new(|| {
    Server::start(
        "max_worker_processes = 100\nmax_parallel_workers = 100\nmax_parallel_workers_per_gather = 2\n\
         parallel_setup_cost = 0\nparallel_tuple_cost = 0\nmin_parallel_table_scan_size = 0",
    )
});

/// A database with rows of three users, enough for two workers, and a function that returns the process id.
pub fn database(options: &str) -> String {
    let database = SERVER.database_with(options);
    fill(&mut SERVER.connect(&database, "postgres", ""));
    database
}

pub fn fill(client: &mut Client) {
    run(
        client,
        "create table owned (id int, user_id text);
         insert into owned select i, (array['alice', 'bob', 'carol'])[i % 3 + 1] from generate_series(1, 6000) i;
         alter table owned set (parallel_workers = 2);
         analyze owned;
         create function pid() returns int language plpgsql parallel safe as 'begin return pg_backend_pid(); end';
         alter table owned enable row level security;
         create policy own_rows on owned to authenticated using (auth.user_id() = user_id);
         create policy own_rows_wrapped on owned to anonymous using ((select auth.user_id()) = user_id);
         grant select on owned to authenticated, anonymous;",
    );
}

/// From here on every parallel plan runs in workers only, or also in the leader.
pub fn leader_takes_part(client: &mut Client, takes_part: bool) {
    run(client, &format!("set parallel_leader_participation = {takes_part}"));
}

/// The rows of a query over `owned`, each followed by whether a worker made it.
pub fn in_workers(client: &mut Client, columns: &str) -> Vec<Vec<Option<String>>> {
    let leader = one::<i32>(client, "select pg_backend_pid()");
    rows(
        client,
        &format!("select distinct {columns}, pid() <> {leader} from owned"),
    )
}

#[track_caller]
pub fn agrees_with_the_leader(client: &mut Client) {
    leader_takes_part(client, false);
    let columns = "auth.user_id(), auth.uid(), auth.session(), auth.jwt(), auth.organization(), \
                   auth.organization_id(), auth.role(), auth.email()";
    let leader = rows(client, &format!("select {columns}, true"));
    assert_eq!(in_workers(client, columns), leader);
}

/// The SET that makes every suitable query run in a parallel worker.
pub fn always_parallel() -> &'static str {
    match major() {
        15 => "set force_parallel_mode = on",
        _ => "set debug_parallel_query = on",
    }
}
