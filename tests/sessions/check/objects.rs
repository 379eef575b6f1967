//! auth.check() and the objects that end users can access: each problem is found, and no longer once it is fixed.

use testkit::server::major;
use testkit::session::{one, run};

use crate::check::support::{Site, column, found, owned};

#[test]
fn tables_without_row_level_security() {
    let mut site = Site::new();
    let hole = [("table_without_rls", "public.\"My Notes\"")];
    for (grant, revoke) in [
        (
            "grant select on \"My Notes\" to authenticated",
            "revoke all on \"My Notes\" from authenticated",
        ),
        (
            "grant delete on \"My Notes\" to anonymous",
            "revoke all on \"My Notes\" from anonymous",
        ),
        (
            "grant update (b) on \"My Notes\" to authenticated",
            "revoke update (b) on \"My Notes\" from authenticated",
        ),
        (
            "grant select on \"My Notes\" to public",
            "revoke all on \"My Notes\" from public",
        ),
        (
            "create role editors; grant insert on \"My Notes\" to editors; grant editors to authenticated",
            "alter table \"My Notes\" enable row level security;
             create policy own on \"My Notes\" using (auth.user_id() = a::text); create index on \"My Notes\" ((a::text))",
        ),
    ] {
        run(
            &mut site.admin,
            "drop table if exists \"My Notes\"; create table \"My Notes\" (a int, b int)",
        );
        assert_eq!(found(&mut site.admin), []);
        site.finds(grant, &hole, revoke);
    }
    let problem = "authenticated may INSERT, and row-level security is off: its policies have no effect.";
    run(
        &mut site.admin,
        "create policy p on \"My Notes\" to authenticated using (auth.user_id() = a::text);
         alter table \"My Notes\" disable row level security",
    );
    assert_eq!(column(&mut site.admin, "problem", "table_without_rls"), problem);
    let remedy = "ALTER TABLE public.\"My Notes\" ENABLE ROW LEVEL SECURITY; -- end users then see only rows that its policies permit\n\
         -- or: REVOKE ALL ON public.\"My Notes\" FROM editors; -- end users then have no access to it";
    assert_eq!(column(&mut site.admin, "remedy", "table_without_rls"), remedy);
}

#[test]
fn inaccessible_partitions_and_schemas() {
    let mut site = Site::new();
    site.finds(
        "create table p (id int) partition by list (id); create table p1 partition of p for values in (1);
         grant select on p, p1 to authenticated; alter table p enable row level security;
         create policy own on p using (auth.user_id() = id::text); create index on p ((id::text))",
        &[("table_without_rls", "public.p1")],
        "revoke select on p1 from authenticated",
    );
    site.finds(
        "alter table p disable row level security",
        &[("table_without_rls", "public.p")],
        "alter table p enable row level security",
    );
    // Without USAGE on its schema a table is not accessible.
    site.finds(
        "create schema inner_; create table inner_.t (); grant select on inner_.t to authenticated;
         grant usage on schema inner_ to authenticated",
        &[("table_without_rls", "inner_.t")],
        "revoke usage on schema inner_ from authenticated",
    );
    // Temporary tables belong to their session.
    site.finds("create temp table t (); grant select on t to authenticated", &[], "");
}

#[test]
fn foreign_tables() {
    let mut site = Site::new();
    site.finds(
        "create foreign data wrapper nothing; create server elsewhere foreign data wrapper nothing;
         create foreign table remote (id int) server elsewhere; grant select on remote to authenticated",
        &[("foreign_table", "public.remote")],
        "revoke select on remote from authenticated",
    );
}

#[test]
fn privileges_that_bypass_row_level_security() {
    let mut site = Site::new();
    let hole = [("privilege_bypasses_rls", "public.todos")];
    for privilege in ["truncate", "trigger", "references", "references (task)"] {
        let grant = format!("grant {privilege} on todos to authenticated");
        site.finds(
            &grant,
            &hole,
            &format!("revoke {privilege} on todos from authenticated"),
        );
    }
    if major() >= 17 {
        site.finds(
            "grant maintain on todos to anonymous",
            &hole,
            "revoke maintain on todos from anonymous",
        );
    }
    run(&mut site.admin, "grant all on todos to authenticated, anonymous");
    let maintain = if major() >= 17 { "MAINTAIN, " } else { "" };
    let problem = format!(
        "Privileges of anonymous, authenticated that row-level security does not restrict: {maintain}REFERENCES, TRIGGER, TRUNCATE."
    );
    assert_eq!(column(&mut site.admin, "problem", "privilege_bypasses_rls"), problem);
    let remedy = column(&mut site.admin, "remedy", "privilege_bypasses_rls");
    run(&mut site.admin, &remedy);
    assert_eq!(found(&mut site.admin), []);
}

#[test]
fn views_that_run_as_their_owner() {
    let mut site = Site::new();
    let hole = [("view_bypasses_rls", "public.v")];
    run(
        &mut site.admin,
        "create view v as select task from todos; grant select on v to authenticated",
    );
    site.finds("", &hole, "alter view v set (security_invoker)");
    site.finds(
        "alter view v set (security_invoker = off)",
        &hole,
        "alter view v set (security_invoker = 1)",
    );
    // Through another view: a view that runs as the caller is as safe as the view that it reads.
    site.finds(
        "create view w as select * from v; alter view v reset (security_invoker);
                revoke all on v from authenticated; grant select on w to authenticated",
        &[("view_bypasses_rls", "public.w")],
        "alter view w set (security_invoker)",
    );
    site.finds(
        "alter view v set (security_invoker); alter view w reset (security_invoker)",
        &[("view_bypasses_rls", "public.w")],
        "drop view w",
    );
    // A view may show a part of a table without row-level security that end users cannot access.
    site.finds(
        "create table stock (id int, price int); create view prices as select id from stock;
                grant select on prices to anonymous",
        &[],
        "",
    );
    // An owner that is subject to row-level security.
    site.finds(
        "create role writer; grant select on todos to writer; create view mine as select * from todos;
         alter view mine owner to writer; grant create on schema public to writer; grant select on mine to authenticated",
        &[], "");
    site.finds(
        "alter table todos owner to writer",
        &[("view_bypasses_rls", "public.mine")],
        "alter table todos force row level security",
    );
}

#[test]
fn materialized_views() {
    let mut site = Site::new();
    site.finds(
        "create view v with (security_invoker) as select task from todos; create materialized view m as select * from v;
         grant select on m to anonymous",
        &[("materialized_view_bypasses_rls", "public.m")],
        "revoke select on m from anonymous",
    );
    site.finds(
        "create materialized view n as select 1; grant select on n to anonymous",
        &[],
        "",
    );
}

#[test]
fn security_definer_functions() {
    let mut site = Site::new();
    let hole = [("definer_function", "public.f(integer,text)")];
    site.finds(
        "create function f(int, text) returns int language sql security definer return 1",
        &hole,
        "revoke execute on function f from public",
    );
    site.finds(
        "grant execute on function f to authenticated",
        &hole,
        "alter function f security invoker",
    );
    run(&mut site.admin, "alter function f security definer");
    let problem = "authenticated may run it as postgres, and it does not set search_path.";
    assert_eq!(column(&mut site.admin, "problem", "definer_function"), problem);
    run(&mut site.admin, "alter function f set search_path = pg_catalog");
    let problem = "authenticated may run it as postgres.";
    assert_eq!(column(&mut site.admin, "problem", "definer_function"), problem);
    // A trigger's function cannot be called.
    site.finds("drop function f; create function t() returns trigger language plpgsql security definer as 'begin return new; end'", &[], "");
    site.finds(
        "create procedure p() language sql security definer begin atomic select 1; end",
        &[("definer_function", "public.p()")],
        "revoke execute on procedure p from public",
    );
}

#[test]
fn objects_end_users_own_or_may_create() {
    let mut site = Site::new();
    site.finds(
        "alter table todos owner to authenticated",
        &[
            ("owned_object", "public.todos"),
            ("owned_object", "public.todos_id_seq"),
            ("privilege_bypasses_rls", "public.todos"),
        ],
        "alter table todos owner to postgres",
    );
    site.finds(
        "create role team; grant team to anonymous; create function f() returns int language sql return 1;
                alter function f owner to team",
        &[("owned_object", "public.f()")],
        "alter function f owner to postgres",
    );
    site.finds(
        "grant create on schema public to public",
        &[("schema_create", "public")],
        "revoke create on schema public from public",
    );
    site.finds(
        "grant create on database site to authenticated",
        &[("database_create", "site")],
        "revoke create on database site from authenticated",
    );
    // Temporary objects are no finding, large objects are one for all of them.
    site.finds(
        "set role authenticated; create temp table t (id int primary key); reset role",
        &[],
        "",
    );
    site.finds(
        "set role authenticated; select lo_create(0), lo_create(0); reset role",
        &[("large_objects", "authenticated")],
        "select lo_unlink(oid) from pg_largeobject_metadata",
    );
}

#[test]
fn extensions_that_bypass_row_level_security() {
    let mut site = Site::new();
    let is_there = |site: &mut Site, name| {
        one::<bool>(
            &mut site.admin,
            &format!("select exists (select from pg_available_extensions where name = '{name}')"),
        )
    };
    if is_there(&mut site, "dblink") {
        site.finds(
            "create extension dblink",
            &[("dblink_executable", "dblink")],
            "drop extension dblink",
        );
    }
    if is_there(&mut site, "pg_stat_statements") {
        site.finds(
            "create extension pg_stat_statements",
            &[("pg_stat_statements_readable", "public.pg_stat_statements")],
            "revoke all on pg_stat_statements from public",
        );
    }
    assert_eq!(found(&mut site.admin), owned(&[]));
}

#[test]
fn unusual_catalogs_cause_no_errors() {
    let mut site = Site::new();
    run(
        &mut site.admin,
        "create table odd (\"a.b\" text, \"drop me\" int, \"%s\" text); alter table odd drop column \"drop me\";
         alter table odd enable row level security;
         create policy \"% %I\" on odd to authenticated using (auth.user_id() = \"%s\");
         grant select on odd to authenticated; create table nothing (); alter table nothing enable row level security;
         grant select on nothing to authenticated; create role gone;
         create policy p on nothing to gone using (true); drop owned by gone; drop role gone;
         create view v with (security_invoker) as select auth.user_id(); grant select on v to anonymous",
    );
    assert_eq!(
        found(&mut site.admin),
        owned(&[
            ("rls_without_policy", "public.nothing"),
            ("policy_column_without_index", "public.odd (\"%s\")"),
        ])
    );
}
