//! Plans, cursors and workers that were made for one user and are used by another.

use testkit::server::major;
use testkit::session::{rows, run};

use super::deployment::{Deployment, request, session_init, token};
use super::ways::{ANONYMOUS, MALLORY, in_every_way, value, who};

/// The tasks that a query returns, in order.
fn tasks(client: &mut postgres::Client, sql: &str) -> String {
    let texts = rows(client, sql).concat().into_iter().flatten();
    texts.collect::<Vec<_>>().join(" ")
}

/// attack: 76, 87
#[test]
fn plan_made_for_alice_gives_mallory_her_own_rows() {
    in_every_way(|deployment| {
        for mode in ["force_generic_plan", "force_custom_plan", "auto"] {
            let mut client = deployment.anyone();
            run(&mut client, &format!("deallocate all; set plan_cache_mode = {mode}"));
            let prepare = "prepare all_tasks as select task from public.todos order by id;
                           prepare of_user(text) as select task from public.todos where user_id = $1 order by id;
                           prepare hers as select task from public.todos where (select auth.user_id() = todos.user_id) order by id";
            assert_eq!(
                tasks_of_request(&mut client, &format!("{prepare}; execute all_tasks")),
                "secret hidden"
            );
            for round in 0..7 {
                for (sql, hers) in [
                    ("execute all_tasks", "secret hidden"),
                    ("execute of_user('alice')", "secret hidden"),
                    ("execute hers", "secret hidden"),
                ] {
                    assert_eq!(tasks_of_request(&mut client, sql), hers, "{mode}, round {round}");
                    assert_eq!(tasks(&mut client, sql), "", "{mode}, round {round}, no identity");
                    run(&mut client, &session_init("mallory"));
                    let mine = if sql.contains("alice") { "" } else { "own" };
                    assert_eq!(tasks(&mut client, sql), mine, "{mode}, round {round}, mallory");
                    run(&mut client, "reset pg_session_jwt.jwt");
                }
            }
        }
    });
}

fn tasks_of_request(client: &mut postgres::Client, sql: &str) -> String {
    let texts = request(client, "alice", sql).concat().into_iter().flatten();
    texts.collect::<Vec<_>>().join(" ")
}

/// attack: 76
#[test]
fn plan_inside_a_function_follows_the_identity() {
    in_every_way(|deployment| {
        run(
            &mut deployment.admin(),
            "create function count_mine() returns bigint language plpgsql stable
                 as $$ begin return (select count(*) from public.todos); end $$;
             create function count_inlined() returns bigint language sql stable as 'select count(*) from public.todos'",
        );
        let counts = "select concat_ws(' ', public.count_mine(), public.count_inlined())";
        let mut client = deployment.anyone();
        for _ in 0..7 {
            assert_eq!(tasks_of_request(&mut client, counts), "2 2");
            assert_eq!(tasks(&mut client, counts), "0 0");
            run(&mut client, &session_init("mallory"));
            assert_eq!(tasks(&mut client, counts), "1 1");
            run(&mut client, "reset pg_session_jwt.jwt");
        }
    });
}

/// attack: 78
#[test]
fn cursor_follows_the_identity() {
    in_every_way(|deployment| {
        let mut client = deployment.anyone();
        let (alice, mallory) = (token("alice"), token("mallory"));
        run(
            &mut client,
            &format!(
                "begin; select auth.jwt_session_init('{alice}', true); set local enable_indexscan = off;
                 set local enable_bitmapscan = off; declare c no scroll cursor for select task from public.todos"
            ),
        );
        run(&mut client, &format!("select auth.jwt_session_init('{mallory}', true)"));
        assert_eq!(tasks(&mut client, "fetch all from c"), "own");
        run(&mut client, "rollback");
        assert_eq!(who(&mut client), ANONYMOUS);
    });
}

/// attack: 80
#[test]
fn parallel_worker_has_the_identity_of_its_leader() {
    // In a worker without an identity these policies would permit all rows.
    in_every_way(|deployment| {
        run(
            &mut deployment.admin(),
            "create table opens (user_id text, n int);
             insert into opens select (array['alice', 'bob', 'mallory', null])[i % 4 + 1], i from generate_series(1, 4000) i;
             alter table opens set (parallel_workers = 2);
             alter table opens enable row level security;
             create policy own on opens to authenticated using (
                 auth.user_id() is null or coalesce(auth.user_id(), 'alice') = user_id
                 or user_id is not distinct from auth.user_id());
             grant select on opens to authenticated;
             analyze opens",
        );
        let mut client = deployment.mallory();
        let workers = if major() < 16 {
            "force_parallel_mode"
        } else {
            "debug_parallel_query"
        };
        run(
            &mut client,
            &format!(
                "set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0; set parallel_tuple_cost = 0;
                 set min_parallel_table_scan_size = 0; set parallel_leader_participation = off; set {workers} = on"
            ),
        );
        let seen = "select string_agg(distinct coalesce(user_id, '(null)'), ' ') || count(*) from public.opens";
        let plan = tasks(&mut client, &format!("explain {seen}"));
        assert!(plan.contains("Parallel Seq Scan on opens"), "{plan}");
        assert_eq!(value(&mut client, seen).as_deref(), Some("mallory1000"));
        assert_eq!(who(&mut client), MALLORY);
        run(&mut client, "discard all");
    });
}

/// attack: 77
#[test]
fn identity_set_within_a_query_shows_only_its_own_rows() {
    in_every_way(|deployment: &Deployment| {
        let mut client = deployment.mallory();
        let bad = testkit::session::Proxy::new().token_of("alice");
        // A token for each row, the valid one first. The policy shows only mallory's rows throughout.
        for sql in [
            format!(
                "select auth.jwt_session_init('{}')::text || task from public.todos",
                token("mallory")
            ),
            format!(
                "with t as materialized (select auth.jwt_session_init('{}') x) select task from public.todos, t",
                token("mallory")
            ),
        ] {
            let seen = tasks(&mut client, &sql);
            assert_eq!(seen, "own", "{sql}");
        }
        super::ways::fails(
            &mut client,
            &format!("select auth.jwt_session_init('{bad}'), task from public.todos"),
            "28000",
        );
        // Without a row the token is not evaluated.
        run(&mut client, "reset pg_session_jwt.jwt");
        let late = format!(
            "select task, auth.jwt_session_init('{}') from public.todos",
            token("mallory")
        );
        assert_eq!(tasks(&mut client, &late), "");
        assert_eq!(who(&mut client), ANONYMOUS);
    });
}
