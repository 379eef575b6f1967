//! Plans, cursors, values and workers that were made for one user and are used by another.

use rstest::rstest;
use serde_json::{Value, json};

use super::scene::{MALLORY, Scene};
use crate::{BOB, token};

/// Plans that a function has kept follow the user of each request, and of each statement.
/// attack: 76, 87
#[rstest]
#[case("auto")]
#[case("force_generic_plan")]
#[case("force_custom_plan")]
fn a_plan_made_for_bob(#[case] mode: &str) {
    let scene = Scene::shared();
    let bob = token(BOB, 600);
    let bob = scene.gateway.with(&bob);
    let mode = format!("set plan_cache_mode = {mode}");
    let counts = "select public.count_mine(), public.count_inlined()";
    let same_plan = [
        "prepare p as select count(*) from public.todos",
        "execute p",
        "execute p",
    ];
    let become_other = "select auth.jwt_session_init('{other}')";
    for _ in 0..7 {
        assert_eq!(scene.answer(&bob, &[&mode, counts]), json!([["2", "2"]]));
        scene.visitor_gets(&[&mode, counts], &json!([["0", "0"]]));
        scene.mallory_gets(&[&mode, counts], &json!([["1", "1"]]));
    }
    let within = [&[mode.as_str()], &same_plan[..], &[become_other, "execute p"]].concat();
    scene.mallory_gets(&within, &json!([["0"]]));
    scene.mallory_gets(&[&mode, counts, become_other, counts], &json!([["0", "0"]]));
}

/// attack: 77
#[rstest]
#[case("select auth.jwt_session_init('{hers}')::text || task from public.todos", json!([["own"]]))]
#[case("with t as materialized (select auth.jwt_session_init('{hers}') x) select task from public.todos, t", json!([["own"]]))]
#[case("select auth.jwt_session_init('{forged}'), task from public.todos", json!("28000"))]
#[case("select count(task) from public.todos, (select auth.jwt_session_init('{forged}') offset 0) t", json!("28000"))]
fn an_identity_set_within_a_query(#[case] sql: &str, #[case] expected: Value) {
    let scene = Scene::shared();
    scene.mallory_gets(&[sql], &expected);
    // Without a row the token is not evaluated.
    scene.visitor_gets(
        &["select task, auth.jwt_session_init('{forged}') from public.todos"],
        &json!([]),
    );
}

/// attack: 78
#[test]
fn a_cursor_follows_the_identity() {
    let scene = Scene::shared();
    let declare = "declare c no scroll cursor for select task from public.todos";
    let seq_scan = ["set enable_indexscan = off", "set enable_bitmapscan = off"];
    let take_over = [
        &seq_scan[..],
        &[
            declare,
            "select auth.jwt_session_init('{hers}', true)",
            "fetch all from c",
        ],
    ]
    .concat();
    let bob = token(BOB, 600);
    assert_eq!(scene.answer(&scene.gateway.with(&bob), &take_over), json!([["own"]]));
    scene.visitor_gets(&take_over, &json!([["own"]]));
    let logged_out = [
        &seq_scan[..],
        &[declare, "reset pg_session_jwt.jwt", "fetch all from c"],
    ]
    .concat();
    scene.mallory_gets(&logged_out, &json!([]));
}

/// Settings with which a query over these tables has workers.
pub const PARALLEL: [&str; 5] = [
    "set max_parallel_workers_per_gather = 2",
    "set parallel_setup_cost = 0",
    "set parallel_tuple_cost = 0",
    "set min_parallel_table_scan_size = 0",
    "set parallel_leader_participation = off",
];

/// In a worker without an identity this policy would permit all rows.
/// attack: 80
#[test]
fn a_parallel_worker_has_the_identity_of_its_leader() {
    let scene = Scene::shared();
    let seen = "select string_agg(distinct coalesce(user_id, '(null)'), ' ') || count(*) from public.opens";
    let explain = format!("explain {seen}");
    let plan = scene.answer(&scene.mallory(), &[&PARALLEL[..], &[&explain]].concat());
    assert!(plan.to_string().contains("Parallel Seq Scan on opens"), "{plan}");
    scene.mallory_gets(&[&PARALLEL[..], &[seen]].concat(), &json!([[format!("{MALLORY}1000")]]));
}

/// A false label, which PostgreSQL trusts.
/// attack: 80
#[rstest]
#[case("perform auth.jwt_session_init('{hers}')", json!("55000"))]
#[case("perform auth.jwt_session_init('{forged}')", json!("55000"))]
#[case("perform set_config('pg_session_jwt.jwt', '{hers}', false)", json!("25000"))]
#[case("reset pg_session_jwt.jwt", json!("25000"))]
#[case("if auth.user_id() <> '{mallory}' then raise 'x'; end if", json!([["0"]]))]
fn no_token_is_accepted_in_a_worker(#[case] statement: &str, #[case] expected: Value) {
    let create = format!(
        "create function pg_temp.f() returns text language plpgsql parallel safe as
         $$ begin {statement}; return auth.user_id(); end $$"
    );
    let call = "select count(*) from public.many where pg_temp.f() is null";
    let explain = format!("explain {call}");
    let scene = Scene::shared();
    let plan = scene.answer(&scene.mallory(), &[&PARALLEL[..], &[&create, &explain]].concat());
    assert!(plan.to_string().contains("Workers Planned"), "{plan}");
    scene.mallory_gets(&[&PARALLEL[..], &[&create, call]].concat(), &expected);
}

/// The check of a domain runs between the return of a value and its use, and calls the same site again as another user.
/// attack: 136
#[rstest]
#[case("auth.user_id()")]
#[case("auth.uid()")]
#[case("auth.session() ->> 'sub'")]
#[case("auth.jwt() ->> 'sub'")]
fn a_value_survives_further_calls_of_its_site(#[case] reader: &str) {
    let create = [
        "create temp table depth (n int)",
        "insert into depth values (3)",
        "create function pg_temp.again() returns boolean language plpgsql as $$ begin
             update depth set n = n - 1 where n > 0;
             if found then perform auth.jwt_session_init('{other}', true), pg_temp.f(); end if;
             return true; end $$",
        "create domain pg_temp.d as text check (pg_temp.again())",
    ];
    let function =
        format!("create function pg_temp.f() returns pg_temp.d language plpgsql as $$ begin return {reader}; end $$");
    let scene = Scene::shared();
    let all = [&create[..], &[&function, "select pg_temp.f()::text, auth.user_id()"]].concat();
    scene.mallory_gets(&all, &json!([[MALLORY, "other"]]));
}

/// A condition that fails for bob's row is not evaluated for it, wherever the planner puts it.
/// attack: 139
#[rstest]
#[case("select id from public.docs", json!([["1"]]))]
#[case("select id from public.docs where secret::int = 7", json!([["1"]]))]
#[case("select id from public.docs where 1 / (case when owner = '{bob}' then 0 else 1 end) = 1", json!([["1"]]))]
#[case("update public.docs set id = id returning id", json!([["1"]]))]
#[case("select id from public.docs where secret::int = 7 and false", json!([]))]
fn a_condition_that_fails(#[case] sql: &str, #[case] expected: Value) {
    Scene::shared().mallory_gets(&[sql], &expected);
    Scene::shared().mallory_gets(&["set pg_session_jwt.optimize_policies = off", sql], &expected);
}
