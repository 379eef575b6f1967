//! Statements that are planned at one time and run at another, or in another process.

use std::io::Read as _;

use testkit::server::major;
use testkit::session::{Proxy, init, one, rows, run};

use crate::support::parallel;

use super::support::{
    ALICE, DRIZZLE, fill, has_sub_plan, improves, optimize, plan, scans, session, set_policy, uses_index,
};

#[test]
fn prepared_statements_use_the_index() {
    let mut client = session(DRIZZLE);
    for mode in ["force_custom_plan", "force_generic_plan", "auto"] {
        for on in [false, true] {
            optimize(&mut client, on);
            run(
                &mut client,
                &format!(
                    "deallocate all; set plan_cache_mode = {mode};
                     prepare above (int) as select id from todos where id > $1 and (select auth.user_id() = user_id);
                     prepare own (int) as select id from todos
                         where (select auth.user_id() = user_id) and id > $1 and (select auth.user_id() = user_id)"
                ),
            );
            for name in ["above", "own"] {
                for _ in 0..7 {
                    assert_eq!(rows(&mut client, &format!("execute {name} (5000)")).len(), 15, "{mode}");
                }
                let plan = plan(&mut client, &format!("execute {name} (5000)"));
                // EXPLAIN does not show the content of a sub-plan of an expression.
                let is_generic = on && mode == "force_generic_plan";
                assert!(
                    plan.contains("$1") || !is_generic,
                    "{mode}
{plan}"
                );
                assert!(
                    !plan.contains("$1") || mode != "force_custom_plan",
                    "{mode}
{plan}"
                );
                assert_eq!((uses_index(&plan), has_sub_plan(&plan)), (on, !on), "{mode}\n{plan}");
            }
        }
    }
}

#[test]
fn a_stored_plan_serves_the_current_user() {
    let mut client = session(DRIZZLE);
    let prepared = client.prepare("select user_id from todos").unwrap();
    let other = one::<String>(&mut client, "select md5('1')::uuid::text");
    run(&mut client, "set plan_cache_mode = force_generic_plan");
    for _ in 0..3 {
        for (user, count) in [(ALICE, 20), (other.as_str(), 1), ("absent", 0)] {
            run(
                &mut client,
                &format!(r#"set request.jwt.claims = '{{"sub":"{user}"}}'"#),
            );
            let seen = client.query(&prepared, &[]).unwrap();
            assert_eq!(seen.len(), count, "{user}");
            assert!(seen.iter().all(|row| row.get::<_, &str>(0) == user));
        }
        run(&mut client, "reset request.jwt.claims");
        assert_eq!(client.query(&prepared, &[]).unwrap().len(), 0);
    }
}

#[test]
fn functions_and_cursors_use_the_index() {
    let mut client = session(DRIZZLE);
    run(
        &mut client,
        "reset role;
         create function inlined() returns bigint language sql stable as 'select count(*) from todos';
         create function kept() returns bigint language sql volatile as 'select count(*) from todos';
         create function atomic() returns bigint volatile begin atomic select count(*) from todos; end;
         create function assigned() returns bigint language plpgsql as
             'declare n bigint; begin n := (select count(*) from todos); return n; end';
         create function looped() returns bigint language plpgsql as
             'declare n bigint = 0; r record;
              begin for r in select from todos loop n := n + 1; end loop; return n; end';
         create function dynamic() returns bigint language plpgsql as
             'declare n bigint; begin execute ''select count(*) from todos'' into n; return n; end';
         create procedure called(inout n bigint) language plpgsql as 'begin select count(*) into n from todos; end';
         set role authenticated",
    );
    for sql in [
        "select inlined()",
        "select kept()",
        "select atomic()",
        "select assigned()",
        "select looped()",
        "select dynamic()",
        "call called(0)",
        "declare c cursor for select id from todos; move all c; select 20",
        "declare c cursor with hold for select id from todos; move all c; select 20",
        "create temp table mine as select id from todos; select count(*) from mine",
        "do 'begin perform id from todos; end'; select 20",
    ] {
        for on in [false, true] {
            // A plan that was made with the other setting stays.
            run(&mut client, "discard plans");
            optimize(&mut client, on);
            run(&mut client, "begin");
            let before = scans(&mut client);
            assert_eq!(rows(&mut client, sql), [[Some("20".to_owned())]], "{sql}");
            let after = scans(&mut client);
            run(&mut client, "rollback");
            let expected = if on { (0, 1) } else { (1, 0) };
            assert_eq!((after.0 - before.0, after.1 - before.1), expected, "{sql}, {on}");
        }
    }
    run(&mut client, "begin");
    let before = scans(&mut client);
    let mut copied = String::new();
    let mut copy = client.copy_out("copy todos (id) to stdout").unwrap();
    copy.read_to_string(&mut copied).unwrap();
    drop(copy);
    assert_eq!(copied.lines().count(), 20);
    let after = scans(&mut client);
    assert_eq!((after.0 - before.0, after.1 - before.1), (0, 1), "COPY");
    run(&mut client, "rollback");
    improves(&mut client, "declare c cursor for select id from todos");
    improves(&mut client, "create temp table mine as select id from todos");
}

#[test]
fn a_function_that_becomes_a_part_of_the_query_gives_the_same() {
    // PostgreSQL inlines its query after the planner hooks were called.
    let mut client = session(DRIZZLE);
    run(
        &mut client,
        "reset role;
         create function mine() returns setof todos language sql stable as 'select * from todos';
         set role authenticated",
    );
    for on in [false, true] {
        optimize(&mut client, on);
        assert_eq!(rows(&mut client, "select id from mine()").len(), 20);
        assert_eq!(
            rows(
                &mut client,
                "select id from mine() where (select auth.user_id() = user_id)"
            )
            .len(),
            20
        );
    }
}

#[test]
fn parallel_workers_use_the_index() {
    let mut proxy = Proxy::new();
    let database = parallel::SERVER.database();
    fill(&parallel::SERVER, &database);
    let mut client = proxy.session_on(&parallel::SERVER, &database);
    init(&mut client, &proxy.token_of(ALICE));
    run(
        &mut client,
        "alter table todos set (parallel_workers = 2); set min_parallel_index_scan_size = 0;
         set seq_page_cost = 0.0001; set random_page_cost = 0.0001;
         set parallel_leader_participation = off",
    );
    set_policy(&mut client, DRIZZLE);
    improves(&mut client, "select id from todos");
    let parallel = plan(&mut client, "select id from todos");
    assert!(
        parallel.contains("Gather") && parallel.contains("Parallel"),
        "{parallel}"
    );
    let setting = if major() < 16 {
        "force_parallel_mode"
    } else {
        "debug_parallel_query"
    };
    run(&mut client, &format!("set {setting} = on"));
    improves(&mut client, "select count(*) from todos");
}
