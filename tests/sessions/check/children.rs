//! auth.check() and the children of tables: one row for all that have the same problem.

use testkit::session::{one, rows, run};

use crate::check::support::{Site, column, found, owned};

/// Finding, object and count of each row.
fn counted(site: &mut Site) -> Vec<(String, String, i64)> {
    let all = site
        .admin
        .query("select finding, object, count from auth.check()", &[])
        .unwrap();
    all.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[track_caller]
fn counts(site: &mut Site, make: &str, expected: &[(&str, &str, i64)]) {
    run(&mut site.admin, make);
    let expected: Vec<_> = expected
        .iter()
        .map(|(a, b, n)| ((*a).to_owned(), (*b).to_owned(), *n))
        .collect();
    assert_eq!(counted(site), expected, "{make}");
}

/// Runs the remedy of the only row with the finding.
fn remedy(site: &mut Site, finding: &str) {
    let remedy = column(&mut site.admin, "remedy", finding);
    run(&mut site.admin, &remedy);
}

const CLOSED: &str =
    "create table p (id int, owner text) partition by list (id); alter table p enable row level security;
    create index on p (owner); create policy own on p to authenticated using (auth.user_id() = owner);
    grant select on p to authenticated;";

#[test]
fn partitions_are_one_row() {
    let mut site = Site::new();
    run(&mut site.admin, CLOSED);
    for count in [2_i64, 20, 21, 150] {
        let make = format!(
            "do $$ begin for i in 1..{count} loop
                 execute format('create table if not exists \"p %s\" partition of p for values in (%s)', i, i);
                 execute format('grant select on \"p %s\" to authenticated', i);
             end loop; end $$"
        );
        counts(
            &mut site,
            &make,
            &[("table_without_rls", "children of public.p", count)],
        );
        let problem = column(&mut site.admin, "problem", "table_without_rls");
        let expected = format!(
            "{count} of them, such as public.\"p 1\": authenticated may SELECT, and row-level security is off."
        );
        assert_eq!(problem, expected);
        remedy(&mut site, "table_without_rls");
        assert_eq!(found(&mut site.admin), [], "{count}");
        let through_parent = "select has_table_privilege('authenticated', 'p', 'select')";
        assert!(one::<bool>(&mut site.admin, through_parent));
    }
}

#[test]
fn the_table_at_the_top_has_a_separate_row() {
    let mut site = Site::new();
    counts(
        &mut site,
        "create table p (id int) partition by list (id); create table p1 partition of p for values in (1) partition by list (id);
         create table p1a partition of p1 for values in (1); create table p2 partition of p for values in (2);
         grant select on p, p1, p1a, p2 to authenticated; grant truncate on p1, p2 to authenticated",
        &[
            ("privilege_bypasses_rls", "children of public.p", 2),
            ("table_without_rls", "children of public.p", 3),
            ("table_without_rls", "public.p", 1),
        ],
    );
    // Two kinds of problem are two rows.
    counts(
        &mut site,
        "grant insert on p2 to authenticated; revoke truncate on p1, p2 from authenticated",
        &[
            ("table_without_rls", "children of public.p", 2),
            ("table_without_rls", "public.p", 1),
            ("table_without_rls", "public.p2", 1),
        ],
    );
    // A single child has its own name.
    counts(
        &mut site,
        "revoke all on p, p1, p1a from authenticated",
        &[("table_without_rls", "public.p2", 1)],
    );
}

#[test]
fn unrelated_tables_are_separate_rows() {
    let mut site = Site::new();
    counts(
        &mut site,
        "create table a (); create table b (); create table p (); create table a1 () inherits (a);
         create table b1 () inherits (b); grant select on a1, b1, p to anonymous",
        &[
            ("table_without_rls", "public.a1", 1),
            ("table_without_rls", "public.b1", 1),
            ("table_without_rls", "public.p", 1),
        ],
    );
}

/// As TimescaleDB makes them: tables that inherit, in a schema that PUBLIC may use, with the privileges of the parent.
const CHUNKS: &str = "create table metrics (at int, owner text); alter table metrics enable row level security;
    create index on metrics (owner); create policy own on metrics to authenticated using (auth.user_id() = owner);
    create schema _chunks; grant usage on schema _chunks to public;
    do $$ begin for i in 1..30 loop
        execute format('create table _chunks._hyper_1_%s_chunk (check (at = %s)) inherits (metrics)', i, i);
    end loop; end $$;
    grant select, insert, truncate on all tables in schema _chunks to authenticated;
    grant select, insert on metrics to authenticated";

#[test]
fn chunks_in_their_own_schema_are_closed_by_it() {
    let mut site = Site::new();
    counts(
        &mut site,
        CHUNKS,
        &[
            ("privilege_bypasses_rls", "children of public.metrics", 30),
            ("table_without_rls", "children of public.metrics", 30),
        ],
    );
    let closing = "REVOKE USAGE ON SCHEMA _chunks FROM PUBLIC;";
    for finding in ["privilege_bypasses_rls", "table_without_rls"] {
        assert_eq!(column(&mut site.admin, "remedy", finding), closing);
    }
    run(&mut site.admin, "insert into _chunks._hyper_1_7_chunk values (7, 'x')");
    run(&mut site.admin, closing);
    assert_eq!(found(&mut site.admin), []);
    // The parent still shows the rows of its chunks.
    run(
        &mut site.admin,
        "alter policy own on metrics using (owner = 'x' or auth.user_id() = owner); set role authenticated",
    );
    assert_eq!(
        rows(&mut site.admin, "select at from metrics"),
        [[Some("7".to_owned())]]
    );
}

#[test]
fn a_schema_with_other_objects_stays_open() {
    let mut site = Site::new();
    for (other, drop) in [
        (
            "create table _chunks.other (owner text); alter table _chunks.other enable row level security;
             create index on _chunks.other (owner);
             create policy own on _chunks.other to authenticated using (auth.user_id() = owner);
             grant select on _chunks.other to authenticated",
            "drop table _chunks.other",
        ),
        (
            "create function _chunks.f() returns int language sql return 1",
            "drop function _chunks.f",
        ),
        (
            "create table public.chunk (check (at = 99)) inherits (metrics)",
            "drop table public.chunk",
        ),
    ] {
        run(
            &mut site.admin,
            &format!("{CHUNKS}; revoke truncate on all tables in schema _chunks from authenticated"),
        );
        counts(
            &mut site,
            other,
            &[("table_without_rls", "children of public.metrics", 30)],
        );
        remedy(&mut site, "table_without_rls");
        assert_eq!(found(&mut site.admin), [], "{other}");
        assert!(one::<bool>(
            &mut site.admin,
            "select has_schema_privilege('authenticated', '_chunks', 'usage')"
        ));
        run(
            &mut site.admin,
            &format!("{drop}; drop schema _chunks cascade; drop table metrics cascade"),
        );
    }
}

#[test]
fn names_in_a_remedy_are_quoted() {
    let mut site = Site::new();
    run(
        &mut site.admin,
        r#"create role "50% o'Neil"; grant "50% o'Neil" to authenticated;
           create table "it's \ $$ p" (id int, owner text) partition by list (id);
           do $do$ begin for i in 1..21 loop
               execute format('create table %I partition of "it''s \ $$ p" for values in (%s)', 'p'' %s "x" \ ' || i, i);
               execute format('grant insert on %I to "50%% o''Neil"', 'p'' %s "x" \ ' || i);
           end loop; end $do$"#,
    );
    let expected = [("table_without_rls", r#"children of public."it's \ $$ p""#)];
    assert_eq!(found(&mut site.admin), owned(&expected));
    remedy(&mut site, "table_without_rls");
    assert_eq!(found(&mut site.admin), []);
}

#[test]
fn a_comment_on_the_table_at_the_top_allows_its_children() {
    let mut site = Site::new();
    run(&mut site.admin, CLOSED);
    run(
        &mut site.admin,
        "create table p1 partition of p for values in (1); create table p2 partition of p for values in (2);
         grant select on p1, p2 to authenticated;
         comment on table p is 'auth.check: allow table_without_rls because both are public'",
    );
    let all = "select severity || ' ' || object || ' ' || count || ' ' || allowed_because from auth.check()";
    assert_eq!(
        one::<String>(&mut site.admin, all),
        "allowed children of public.p 2 both are public"
    );
}

#[test]
fn policies_of_children_are_one_row() {
    let mut site = Site::new();
    counts(
        &mut site,
        "create table p (id int, owner text) partition by list (id); create table p1 partition of p for values in (1);
         create table p2 partition of p for values in (2); alter table p1 enable row level security;
         alter table p2 enable row level security; create policy \"a ON b\" on p1 to authenticated using (auth.user_id() is null);
         create policy \"a ON b\" on p2 to authenticated using (auth.user_id() is null); grant select on p1, p2 to authenticated",
        &[("policy_open_without_identity", "\"a ON b\" ON children of public.p", 2)],
    );
    counts(
        &mut site,
        "alter policy \"a ON b\" on p1 using (auth.user_id() = owner); alter policy \"a ON b\" on p2 using (auth.user_id() = owner)",
        &[("policy_column_without_index", "children of public.p (owner)", 2)],
    );
    remedy(&mut site, "policy_column_without_index");
    assert_eq!(found(&mut site.admin), []);
}
