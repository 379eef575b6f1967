//! auth.check() and large policies: its cost grows in proportion to them, it can be cancelled, and it reports a policy that
//! is too large.
//!
//! The time limit of a statement is many times what it takes. It is a small part of what the statement would take if each
//! condition were compared with each other one.

use testkit::session::{one, rows, run};

use crate::check::policies::Docs;
use crate::check::support::{Site, column, found, owned};

const CONDITIONS: usize = 20_000;
const TIME: &str = "set statement_timeout = '60s'";

/// `count` conditions, each made from its number.
fn many(count: usize, joined_by: &str, condition: impl Fn(usize) -> String) -> String {
    (0..count).map(condition).collect::<Vec<_>>().join(joined_by)
}

fn numbers(joined_by: &str) -> String {
    many(CONDITIONS, joined_by, |i| format!("id = {i}"))
}

/// attack: 142
#[test]
fn a_policy_with_very_many_conditions_is_evaluated() {
    let mut docs = Docs::new();
    run(&mut docs.0.admin, TIME);
    let texts = many(CONDITIONS, ", ", |i| format!("'{i}'"));
    let whens = many(CONDITIONS, " ", |i| {
        format!("when id = {i} then auth.user_id() = owner")
    });
    let each = |condition: fn(usize) -> String| many(CONDITIONS / 4, " or ", condition);
    for (closed, open) in [
        (
            format!("auth.user_id() = owner and {}", numbers(" and ")),
            format!("auth.user_id() is null and {}", numbers(" and ")),
        ),
        (
            format!("auth.user_id() = owner or {}", numbers(" or ")),
            format!("auth.user_id() is null or {}", numbers(" or ")),
        ),
        (
            each(|i| format!("(auth.user_id() = owner and id = {i})")),
            each(|i| format!("(auth.user_id() is distinct from owner and id = {i})")),
        ),
        (
            format!("auth.user_id() in ({texts})"),
            format!("coalesce(auth.user_id() in ({texts}), true)"),
        ),
        (
            format!("case {whens} else false end"),
            format!("case {whens} else auth.user_id() is null end"),
        ),
        (
            each(|i| format!("exists (select from members m where m.team = {i} and m.user_id = auth.user_id())")),
            each(|i| format!("not exists (select from members m where m.team = {i} and m.user_id = auth.user_id())")),
        ),
        (
            each(|i| format!("(select auth.user_id() = docs.owner and docs.id = {i})")),
            each(|i| format!("(select auth.user_id() is null and docs.id = {i})")),
        ),
    ] {
        docs.reads(&closed, &[]);
        docs.reads(&open, &["policy_open_without_identity"]);
    }
}

/// Calls and operators within each other. Where the value of one is not known, its arguments are not evaluated again.
#[test]
fn a_policy_with_a_long_chain_of_operators_is_evaluated() {
    let mut docs = Docs::new();
    run(&mut docs.0.admin, TIME);
    for chain in [
        many(60, " || ", |i| format!("'{i}'")),
        format!("{}owner{}", "substr(".repeat(60), ", 1)".repeat(60)),
        format!("('{{}}'::jsonb{} ->> 'z')", many(60, "", |i| format!(" -> '{i}'"))),
    ] {
        docs.reads(&format!("auth.user_id() = owner and owner <> {chain}"), &[]);
        docs.reads(
            &format!("auth.user_id() is null or owner = {chain}"),
            &["policy_open_without_identity"],
        );
    }
}

#[test]
fn repeated_conditions_are_known_among_very_many() {
    let mut docs = Docs::new();
    run(&mut docs.0.admin, TIME);
    let closed = "case when auth.user_id() is null then is_public else is_public or auth.user_id() = owner end";
    docs.reads(&format!("({closed}) and ({})", numbers(" or ")), &[]);
    // Each of them twice, beside parts that differ.
    docs.reads(
        &format!(
            "({closed}) and ({0}) or auth.user_id() = owner and ({0})",
            numbers(" or ")
        ),
        &[],
    );
    let open = closed.replacen("then is_public", "then is_public or id = 1", 1);
    docs.reads(
        &format!("({open}) and ({})", numbers(" or ")),
        &["policy_open_without_identity"],
    );
    // All of them are one condition.
    let same = many(CONDITIONS, " or ", |_| "id = 1".to_owned());
    docs.reads(&format!("({closed}) and ({same})"), &[]);
}

/// The most memory in MiB that the session's process has had since its start (proc(5), VmHWM).
fn peak(client: &mut postgres::Client) -> u64 {
    let pid: i32 = one(client, "select pg_backend_pid()");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// attack: 142
#[test]
fn memory_of_one_table_is_freed_before_the_next_one() {
    let mut docs = Docs::new();
    let add = |client: &mut postgres::Client, number: usize| {
        let using = format!("auth.user_id() = owner and ({})", numbers(" or "));
        let statements = format!(
            "create table large{number} (id int, owner text); alter table large{number} enable row level security;
             grant select on large{number} to authenticated; create policy p on large{number} to authenticated using ({using})"
        );
        run(client, &statements);
    };
    let check = |docs: &mut Docs| {
        let mut client = docs.0.cluster.connect("site", "postgres", "");
        run(&mut client, "select from auth.check()");
        peak(&mut client)
    };
    add(&mut docs.0.admin, 0);
    let of_one = check(&mut docs);
    for number in 1..10 {
        add(&mut docs.0.admin, number);
    }
    let bytes: i32 = one(
        &mut docs.0.admin,
        "select length(polqual::text) from pg_policy where polrelid = 'large0'::regclass",
    );
    let of_ten = check(&mut docs);
    let tree = u64::try_from(bytes).unwrap() >> 20;
    assert!(tree >= 5, "{tree} MiB");
    assert!(
        of_ten < of_one + 4 * tree,
        "{of_one} MiB for one table, {of_ten} MiB for ten with {tree} MiB each"
    );
}

/// attack: 142
#[test]
fn cancel_request_is_honored_at_any_moment() {
    let mut docs = Docs::new();
    let using = many(CONDITIONS / 4, " or ", |i| {
        format!("(auth.user_id() = owner and id = {i})")
    });
    run(
        &mut docs.0.admin,
        &format!("create policy p on docs for select to authenticated using ({using})"),
    );
    let mut cancelled = 0;
    for milliseconds in std::iter::successors(Some(1), |before| Some(before + before / 3 + 1)) {
        // In one message, which an error rolls back: alone, the next SET could be cancelled by the timeout of the one before.
        let check = format!("set statement_timeout = {milliseconds}; select from auth.check()");
        let Err(error) = docs.0.admin.batch_execute(&check) else {
            break;
        };
        let error = error.as_db_error().unwrap();
        // PostgreSQL reports a timeout that fires at the end of a statement as a cancel.
        let messages = ["statement timeout", "user request"].map(|by| format!("canceling statement due to {by}"));
        assert!(messages.iter().any(|message| message == error.message()), "{error:?}");
        assert_eq!(
            (error.code().code(), error.detail(), error.hint()),
            ("57014", None, None)
        );
        // PostgreSQL names the query of the checker that was cancelled, and nothing else is added.
        let context = error.where_().unwrap_or("SQL statement \"WITH");
        assert!(context.starts_with("SQL statement \"WITH"), "{context}");
        assert_eq!(error.routine(), Some("ProcessInterrupts"));
        cancelled += 1;
    }
    assert!(cancelled > 0);
}

#[test]
fn too_deep_or_too_large_policies_are_reported_unread() {
    let mut docs = Docs::new();
    run(&mut docs.0.admin, "set max_stack_depth = '7MB'");
    for (begin, end) in [
        ("coalesce(", ", false)"),
        (
            "exists (select from members m where m.user_id = auth.user_id() and ",
            ")",
        ),
        ("not (id = 1 and not (is_public or ", "))"),
    ] {
        let using = format!("{}auth.user_id() = owner{}", begin.repeat(800), end.repeat(800));
        run(
            &mut docs.0.admin,
            &format!("set max_stack_depth = '7MB'; drop policy if exists p on docs;
                      create policy p on docs for select to authenticated using ({using}); set max_stack_depth = '100kB'"),
        );
        let rejected = "select finding from auth.check() where finding not in ('not_checked')";
        assert_eq!(rows(&mut docs.0.admin, rejected), Vec::<Vec<Option<String>>>::new());
    }
    run(&mut docs.0.admin, "set max_stack_depth = '2MB'");
    let large = format!("auth.user_id() = owner and owner <> '{}'", "x".repeat(40 << 20));
    docs.reads(&large, &["not_checked"]);
    let problem = column(&mut docs.0.admin, "problem", "not_checked");
    assert_eq!(problem, "The expression is too large to be evaluated.");
    // A restrictive policy that is too large.
    run(
        &mut docs.0.admin,
        &format!("create policy r on docs as restrictive to authenticated using ({large})"),
    );
    let expected = [("not_checked", "r ON public.docs")];
    run(
        &mut docs.0.admin,
        "drop policy p on docs; create policy p on docs to authenticated using (true)",
    );
    assert_eq!(found(&mut docs.0.admin), owned(&expected));
}

/// Functions whose source texts call each other. The slowest way to follow them depends on the order of the catalogs.
///
/// attack: 142
#[test]
fn very_many_calls_are_followed() {
    let mut site = Site::new();
    let client = &mut site.admin;
    run(client, TIME);
    let names = many(200, ", ", |i| format!("h({i})"));
    run(
        client,
        &format!(
            "set check_function_bodies = off; create function h(int) returns int language sql as 'select 1';
             do $$ begin for i in 1..3000 loop
                 execute format('create function f%s() returns int language plpgsql as %L', i, format('begin perform f%s(), {names}; end', i + 1));
             end loop; end $$;
             create function f3001() returns text language sql immutable as 'select auth.user_id()';
             create function me() returns int language sql stable return f1();
             create table docs (id int); alter table docs enable row level security; grant select on docs to authenticated;
             create policy p on docs for select to authenticated using (id = me())"
        ),
    );
    assert_eq!(found(client), owned(&[("immutable_identity", "public.f3001()")]));
}

/// One name that thousands of functions have, which call it hundreds of times.
///
/// attack: 142
#[test]
fn very_many_functions_of_one_name_call_each_other() {
    let mut site = Site::new();
    let client = &mut site.admin;
    run(client, TIME);
    let calls = many(200, ", ", |i| format!("f(null, {i})"));
    run(
        client,
        &format!(
            "set check_function_bodies = off;
             do $$ begin for i in 1..2000 loop
                 execute format('create schema s%s', i);
                 execute format('create function s%s.f(int, int) returns int immutable language plpgsql as %L', i, 'begin perform {calls}; end');
             end loop; end $$;
             create or replace function s7.f(int, int) returns int immutable language sql as 'select 1 where auth.user_id() = 1::text'"
        ),
    );
    let all = "select count(*) from auth.check() where finding = 'immutable_function' and object like 's%.f(integer,integer)'";
    assert_eq!(one::<i64>(client, all), 2000);
}

/// attack: 142
#[test]
fn views_over_views_are_read_once() {
    let mut site = Site::new();
    let client = &mut site.admin;
    run(client, TIME);
    let condition = many(400, " or ", |i| format!("id = {i}"));
    run(
        client,
        &format!(
            "create table t (id int, owner text); create view v0 as select * from t where auth.user_id() = owner;
             do $$ begin for i in 1..400 loop
                 execute format('create view v%s as select * from v%s where auth.user_id() = owner and ({condition})', i, i - 1);
             end loop; end $$;
             grant select on all tables in schema public to authenticated; revoke select on t from authenticated"
        ),
    );
    let all = "select finding, count(*) from auth.check() group by finding";
    assert_eq!(
        rows(client, all),
        [["view_without_barrier", "401"].map(|cell| Some(cell.to_owned()))]
    );
}
