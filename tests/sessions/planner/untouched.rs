//! Sub-selects that stay: all except one plain expression that calls this extension and reads an outer column.

use std::sync::LazyLock;

use rstest::rstest;

use testkit::server::SHARED;
use testkit::session::{one, rows, run};

use super::support::{ALICE, has_sub_plan, improves, optimize, outcome, plan, session};

/// Asserts that the setting changes neither the plan nor the result.
#[track_caller]
fn stays(client: &mut postgres::Client, sql: &str) -> String {
    let both = [false, true].map(|on| {
        optimize(client, on);
        (plan(client, sql), outcome(client, sql))
    });
    assert_eq!(both[0], both[1], "{sql}");
    both[1].0.clone()
}

fn client() -> postgres::Client {
    let mut client = session("true");
    run(
        &mut client,
        "reset role; delete from todos where id % 1000 > 1; create sequence s; set x.y = 'alice';
         create schema mine;
         create function mine.user_id() returns text language plpgsql stable as 'begin return auth.user_id(); end';
         create function mine.wrapper() returns text language sql stable as 'select auth.user_id()';
         create function auth.wrapper() returns text language sql stable as 'select auth.user_id()';
         create function mine.eq(text, text) returns boolean language sql stable as 'select auth.user_id() = $2';
         create operator mine.=== (leftarg = text, rightarg = text, function = mine.eq);
         grant usage on schema mine to authenticated; grant usage on sequence s to authenticated;
         set role authenticated",
    );
    client
}

/// A session in a database that the rows of the tables share, which only read.
fn shared() -> postgres::Client {
    static DATABASE: LazyLock<String> = LazyLock::new(|| one(&mut client(), "select current_database()::text"));
    let mut client = SHARED.connect(&DATABASE, "postgres", "");
    run(
        &mut client,
        &format!(r#"set x.y = 'alice'; set request.jwt.claims = '{{"sub":"{ALICE}"}}'; set role authenticated"#),
    );
    // Loads the library, whose hook then plans each statement.
    run(&mut client, "select auth.user_id()");
    client
}

#[rstest]
#[case("(select lower(user_id) = 'x')")]
#[case("(select current_setting('x.y') = user_id)")]
#[case("(select mine.user_id() = user_id)")]
#[case("(select mine.wrapper() = user_id)")]
#[case("(select auth.wrapper() = user_id)")]
#[case("(select '' operator(mine.===) user_id)")]
#[case("(select user_id is null)")]
fn a_sub_select_of_other_functions(#[case] condition: &str) {
    let mut client = shared();
    let plan = stays(&mut client, &format!("select id from todos where {condition}"));
    assert!(has_sub_plan(&plan), "{condition}\n{plan}");
}

#[rstest]
#[case("(select auth.user_id() = user_id and is_public)")]
#[case("(select auth.user_id() = user_id or is_public)")]
#[case("(select not (auth.user_id() = user_id))")]
#[case("(select auth.user_id() = user_id is true and is_public)")]
#[case("(select coalesce(auth.user_id() = user_id and is_public, false))")]
fn a_sub_select_whose_parts_the_planner_would_put_in_another_order(#[case] condition: &str) {
    let mut client = shared();
    let plan = stays(&mut client, &format!("select id from todos where {condition}"));
    assert!(has_sub_plan(&plan), "{condition}\n{plan}");
}

#[rstest]
#[case("(select auth.user_id() = user_id from generate_series(1, 1))")]
#[case("(select auth.user_id() = user_id from (values (1)) v)")]
#[case("(select auth.user_id() = user_id where true)")]
#[case("(select auth.user_id() = user_id where id > 5000)")]
#[case("(select auth.user_id() = user_id limit 1)")]
#[case("(select auth.user_id() = user_id limit 0)")]
#[case("(select auth.user_id() = user_id offset 1)")]
#[case("(select auth.user_id() = user_id order by 1)")]
#[case("(select auth.user_id() = user_id order by random())")]
#[case("(select auth.user_id() = user_id group by ())")]
#[case("(select auth.user_id() = user_id having true)")]
#[case("(select distinct auth.user_id() = user_id)")]
#[case("(select distinct on (user_id) auth.user_id() = user_id)")]
#[case("(select auth.user_id() = user_id union select auth.user_id() = user_id)")]
#[case("(select auth.user_id() = user_id except all select auth.user_id() <> user_id)")]
#[case("(with w as (select 1) select auth.user_id() = user_id)")]
#[case("(with w as materialized (select random()) select auth.user_id() = user_id from w)")]
#[case("(select auth.user_id() = user_id and count(*) > 0)")]
#[case("(select auth.user_id() = user_id and row_number() over () = 1)")]
#[case("(select unnest(array[auth.user_id() = user_id]))")]
#[case("(select auth.user_id() = user_id and random() < 2)")]
#[case("(select auth.user_id() = user_id and nextval('s') > 0)")]
#[case("(select auth.user_id() = user_id and clock_timestamp() > 'epoch')")]
#[case("(select (select auth.user_id() = user_id))")]
#[case("(select auth.user_id() = user_id and exists (select from notes n where n.id = todos.id))")]
#[case("(select auth.user_id() = user_id and id in (select id from notes))")]
#[case("(values (auth.user_id() = user_id))")]
fn a_sub_select_that_is_more_than_an_expression(#[case] condition: &str) {
    let mut client = shared();
    let plan = stays(&mut client, &format!("select id from todos where {condition}"));
    // PostgreSQL itself removes VALUES and expressions without effect.
    assert!(
        has_sub_plan(&plan) || condition.starts_with("(values"),
        "{condition}\n{plan}"
    );
}

#[rstest]
#[case("exists (select auth.user_id() = user_id)")]
#[case("true = any (select auth.user_id() = user_id)")]
#[case("true in (select auth.user_id() = user_id)")]
#[case("true = all (select auth.user_id() = user_id)")]
#[case("true <> all (select auth.user_id() = user_id)")]
#[case("array(select auth.user_id() = user_id) = array[true]")]
#[case("(true, 1) = (select auth.user_id() = user_id, 1)")]
#[case("(true, 1) in (select auth.user_id() = user_id, 1)")]
fn a_sub_select_that_is_no_scalar(#[case] condition: &str) {
    let mut client = shared();
    stays(&mut client, &format!("select id from todos where {condition}"));
}

#[rstest]
#[case("(select auth.user_id()) = user_id")]
#[case("user_id = (select auth.jwt() ->> 'sub')")]
#[case("owner = (select auth.uid())")]
#[case("(select auth.user_id() is not null)")]
#[case("(select auth.user_id() = '6f4d2f0a-5b7e-4c8e-9d51-0123456789ab') and id > 5000")]
fn a_sub_select_without_a_column_of_the_row_outside_runs_once(#[case] condition: &str) {
    let mut client = shared();
    let plan = stays(&mut client, &format!("select id from todos where {condition}"));
    assert!(plan.contains("InitPlan"), "{condition}\n{plan}");
}

#[test]
fn a_sub_select_with_a_column_of_a_query_further_out() {
    // The column is the same for all rows of the query around the sub-select.
    let sql = "select t.id from todos t where exists (select from notes n where n.id < 3
               and (select auth.user_id() = t.user_id))";
    stays(&mut shared(), sql);
}

#[test]
fn a_sub_select_that_is_no_condition() {
    let mut client = client();
    for sql in [
        "select id, (select auth.user_id() = user_id) from todos",
        "select id from todos order by (select auth.user_id() = user_id), id",
        "select (select auth.user_id() = user_id), count(*) from todos group by 1",
        "select user_id, count(*) from todos group by user_id having (select auth.user_id() = user_id)",
        "select id, rank() over (partition by (select auth.user_id() = user_id) order by id) from todos",
        "select distinct on ((select auth.user_id() = user_id)) id from todos
             order by (select auth.user_id() = user_id), id",
        "update todos set is_public = (select auth.user_id() = user_id) returning id, is_public",
        "delete from todos returning id, (select auth.user_id() = user_id)",
    ] {
        let plan = stays(&mut client, sql);
        assert!(has_sub_plan(&plan), "{sql}\n{plan}");
    }
    // The conditions of a query inside such an expression are conditions nevertheless.
    for sql in [
        "select n.id, (select count(*) from todos t where t.id = n.todo and (select auth.user_id() = t.user_id))
             from notes n where n.id < 3000 and (select auth.user_id() = n.user_id)",
        "select id from notes n where (select auth.user_id() = user_id) order by array(select t.id from todos t
             where t.id = n.todo and (select auth.user_id() = t.user_id))",
    ] {
        optimize(&mut client, false);
        let (literal, expected) = (plan(&mut client, sql), outcome(&mut client, sql));
        optimize(&mut client, true);
        let optimized = plan(&mut client, sql);
        assert_eq!(outcome(&mut client, sql), expected, "{sql}");
        let count = |plan: &str| plan.matches("SubPlan").count();
        assert!(count(&optimized) < count(&literal), "{sql}\n{optimized}");
        assert!(super::support::uses_index(&optimized), "{sql}\n{optimized}");
    }
}

#[test]
fn where_the_extension_is_not_created_nothing_is_its_own() {
    let mut client = client();
    improves(
        &mut client,
        "select id from notes where (select auth.user_id() = user_id)",
    );
    run(
        &mut client,
        "reset role; drop policy own on todos; drop function auth.wrapper(); drop extension pg_session_jwt;
         create schema if not exists auth;
         create function auth.user_id() returns text language plpgsql stable as
             $$begin return current_setting('request.jwt.claims')::json ->> 'sub'; end$$",
    );
    optimize(&mut client, true);
    let sql = "select id from notes where (select auth.user_id() = user_id)";
    assert!(has_sub_plan(&plan(&mut client, sql)));
    assert_eq!(rows(&mut client, sql).len(), 20);
}
