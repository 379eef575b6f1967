//! Functions that are declared IMMUTABLE and read the identity. A statement is prepared and executed for alice,
//! and then executed for bob: the findings agree with the result for bob.

use postgres::Client;
use testkit::session::{one, rows, run};

use crate::check::support::{Site, column, found, owned};

pub const TABLE: &str = "
    drop schema if exists app cascade; create schema app; set search_path = app; grant usage on schema app to authenticated;
    create table docs (id int, owner text); create index on docs (owner);
    insert into docs values (1, 'alice'), (2, 'bob'), (3, 'carol');
    alter table docs enable row level security; grant select on docs to authenticated;";
const READ: &str = "select owner from docs";
const POLICY: &str = "create policy p on docs for select to authenticated using (owner = me())";

/// Sets the identity of the session.
pub fn become_user(client: &mut Client, user: &str) {
    run(
        client,
        &format!("set request.jwt.claims = '{{\"sub\": \"{user}\"}}'; set role authenticated"),
    );
}

/// The result for bob after a statement was prepared and executed for alice. An error is a result, too.
fn result_for_bob(client: &mut Client, statement: &str) -> String {
    become_user(client, "alice");
    run(
        client,
        &format!("set plan_cache_mode = force_generic_plan; prepare s (text) as {statement}"),
    );
    rows(client, "execute s('alice')");
    become_user(client, "bob");
    let result = match client.simple_query("execute s('bob')") {
        Ok(_) => rows(client, "execute s('bob')")
            .into_iter()
            .map(|row| row[0].clone().unwrap_or_default())
            .collect::<Vec<_>>()
            .join(" "),
        Err(error) => error.as_db_error().unwrap().message().to_owned(),
    };
    run(
        client,
        "reset role; reset request.jwt.claims; deallocate s; reset plan_cache_mode",
    );
    result
}

/// Asserts the findings after `make`, and whether the result for bob is right; and that the remedies work.
#[track_caller]
fn expect(site: &mut Site, make: &str, statement: &str, expected: &[(&str, &str)], is_right: bool) {
    let client = &mut site.admin;
    run(
        client,
        &format!("{TABLE} {make}; set pg_session_jwt.claims_fallback = on"),
    );
    let result = result_for_bob(client, statement);
    run(client, "reset pg_session_jwt.claims_fallback");
    assert_eq!(result == "bob", is_right, "{result} after {make}");
    assert_eq!(found(client), owned(expected), "{make}");
    // One remedy at a time: it may remove the finding for another function.
    for _ in expected {
        if let Some(remedy) = rows(client, "select remedy from auth.check() limit 1").first() {
            run(client, remedy[0].as_ref().unwrap());
        }
    }
    assert_eq!(found(client), [], "after the remedies, {make}");
    // A session that has cached the condition of a domain keeps it.
    site.admin = site.cluster.superuser("site");
    let client = &mut site.admin;
    run(client, "set search_path = app; set pg_session_jwt.claims_fallback = on");
    assert_eq!(result_for_bob(client, statement), "bob", "after the remedies, {make}");
    run(client, "reset pg_session_jwt.claims_fallback");
}

/// Definitions of me() that a policy calls; each is a hole.
const HOLES: &[&str] = &[
    "create function me() returns text language sql immutable as 'select auth.user_id()'",
    "create function me() returns text language plpgsql immutable as 'begin return auth.user_id(); end'",
    "create function me() returns text language sql immutable return auth.user_id()",
    "create function me() returns text language sql immutable begin atomic select auth.session() ->> 'sub'; end",
    "create function me() returns text language sql immutable strict as 'SELECT \"auth\" . \"user_id\" /* () */ ( )'",
    "create function me() returns text language sql immutable as 'select auth.jwt() ->> ''sub'''",
    "create function me() returns text language sql immutable as 'select user_id from auth.status()'",
    "create function me() returns text language plpgsql immutable as $$ declare it text; begin execute 'select auth.user_id()' into it; return it; end $$",
    "create function me() returns text language plpgsql immutable as $$ declare it text; begin execute 'select auth.' || 'user_id()' into it; return it; end $$",
    "create function me() returns text language plpgsql immutable as $$ declare it text; begin execute format('select %I.%I()', 'auth', 'user_id') into it; return it; end $$",
    "create function me() returns text language plpgsql immutable as $f$ begin -- isn't it
         return (select auth.user_id()); end $f$",
    "create table members (user_id text); alter table members enable row level security; grant select on members to authenticated;
     create index on members (user_id); insert into members values ('alice'), ('bob');
     create policy own on members for select to authenticated using (auth.user_id() = user_id);
     create function me() returns text language sql immutable as 'select m.user_id from members m'",
    "create view self with (security_invoker) as select auth.user_id(); grant select on self to authenticated;
     create function me() returns text language sql immutable begin atomic select user_id from self; end",
];

#[test]
fn policies_over_immutable_functions_that_read_the_identity() {
    let mut site = Site::new();
    for make in HOLES {
        expect(
            &mut site,
            &format!("{make}; {POLICY}"),
            READ,
            &[("immutable_identity", "app.me()")],
            false,
        );
    }
}

#[test]
fn immutable_functions_that_read_a_setting_have_two_findings() {
    let mut site = Site::new();
    let client = &mut site.admin;
    let (stale, setting) = (
        ("immutable_identity", "app.me()"),
        ("policy_reads_setting", "p ON app.docs"),
    );
    for function in [
        "create function me() returns text language sql immutable as $$ select current_setting('request.jwt.claims')::json ->> 'sub' $$",
        "create function me() returns text language sql immutable return current_setting('request.jwt.claims')::json ->> 'sub'",
    ] {
        run(client, &format!("{TABLE} {function}; {POLICY}"));
        assert_eq!(found(client), owned(&[stale, setting]), "{function}");
        let remedy = column(client, "remedy", "immutable_identity");
        run(client, &remedy);
        assert_eq!(found(client), owned(&[setting]), "{function}");
    }
}

#[test]
fn places_that_retain_an_identity() {
    let mut site = Site::new();
    let me = HOLES[0];
    let hole = [("immutable_identity", "app.me()")];
    let insert = "insert into docs (id) values (9) returning owner";
    for (make, statement) in [
        (
            "create policy p on docs for select to authenticated using (owner = (select me()))",
            READ,
        ),
        (
            "create view mine with (security_invoker, security_barrier) as select * from docs where owner = me(); grant select on mine to authenticated;
             create policy p on docs for select to authenticated using (owner = auth.user_id() or owner = 'alice')",
            "select owner from mine",
        ),
        (
            "alter table docs alter owner set default me(); grant insert on docs to authenticated;
             create policy p on docs to authenticated using (auth.user_id() = owner)",
            insert,
        ),
        (
            "create domain mine as text check (value = me());
             create policy p on docs for select to authenticated using (auth.user_id() = owner)",
            "select $1::mine",
        ),
        (
            "create function own(o text) returns bool language sql stable as 'select o = me()';
             create policy p on docs for select to authenticated using (own(owner))",
            READ,
        ),
        (
            "create function own(o text) returns bool language plpgsql as 'begin return o = me(); end';
             create policy p on docs for select to authenticated using (own(owner))",
            READ,
        ),
    ] {
        expect(&mut site, &format!("{me}; {make}"), statement, &hole, false);
    }
    // Constant arguments.
    let claim =
        "create function claim(name text) returns text language sql immutable as 'select auth.session() ->> name'";
    expect(
        &mut site,
        &format!("{claim}; create policy p on docs for select to authenticated using (owner = claim('s' || 'ub'))"),
        READ,
        &[("immutable_identity", "app.claim(text)")],
        false,
    );
    // Two functions, of which one calls the other.
    expect(
        &mut site,
        "create function inner_() returns text language plpgsql immutable as 'begin return auth.user_id(); end';
         create function me() returns text language sql immutable as 'select inner_()';
         create policy p on docs for select to authenticated using (owner = me())",
        READ,
        &[
            ("immutable_identity", "app.inner_()"),
            ("immutable_identity", "app.me()"),
        ],
        false,
    );
}

#[test]
fn an_index_over_an_immutable_function_stores_the_results_for_one_user() {
    let mut site = Site::new();
    let client = &mut site.admin;
    run(
        client,
        &format!(
            "{TABLE} create function own(o text) returns bool language plpgsql immutable as 'begin return o = auth.user_id(); end';
             create policy p on docs for select to authenticated using (own(owner));
             set pg_session_jwt.claims_fallback = on; set request.jwt.claims = '{{\"sub\": \"alice\"}}';
             create index own_docs on docs (own(owner)); reset request.jwt.claims; set enable_seqscan = off"
        ),
    );
    become_user(client, "bob");
    assert_eq!(one::<String>(client, READ), "alice");
    run(
        client,
        "reset role; reset request.jwt.claims; reset pg_session_jwt.claims_fallback",
    );
    assert_eq!(found(client), owned(&[("immutable_identity", "app.own(text)")]));
    let remedy = column(client, "remedy", "immutable_identity");
    assert_eq!(remedy, "DROP INDEX app.own_docs; ALTER FUNCTION app.own(text) STABLE;");
    run(client, &remedy);
    assert_eq!(found(client), []);
    run(client, "set pg_session_jwt.claims_fallback = on");
    become_user(client, "bob");
    assert_eq!(one::<String>(client, READ), "bob");
}

#[test]
fn functions_that_retain_no_identity() {
    let mut site = Site::new();
    let own = "create policy p on docs for select to authenticated using (auth.user_id() = owner";
    for me in [
        "language sql stable as 'select auth.user_id()'",
        "language plpgsql as 'begin return auth.user_id(); end'",
        "language sql stable return auth.user_id()",
    ] {
        expect(
            &mut site,
            &format!("create function me() returns text {me}; {POLICY}"),
            READ,
            &[],
            true,
        );
    }
    for pure in [
        "language sql immutable as 'select lower(o) /* auth.user_id() */'",
        "language sql immutable as $$ select o || '' -- auth.user_id()\n $$",
        "language sql immutable as $$ select case when o = 'auth.user_id()' then null else o end $$",
        "language plpgsql immutable as $$ declare auth_user_id text = o; begin return auth_user_id; end $$",
        "language plpgsql immutable as $$ begin raise debug 'current_user, auth.user_id()'; return o; end $$",
        "language sql immutable as $$ select case when current_setting('TimeZone') = '' then null else o end $$",
        "language sql immutable return lower(o)",
        "language sql immutable as $$ select case when has_schema_privilege('postgres', 'app', 'usage') then o end $$",
        "language sql immutable as 'select \"current_user\" from (select o) as x (\"current_user\")'",
    ] {
        let make = format!("create function same(o text) returns text {pure}; {own} and same(owner) = owner)");
        expect(&mut site, &make, READ, &[], true);
    }
    // A default argument is not known to the planner, and a set is not computed by it.
    let make = "create function same(o text default auth.user_id()) returns text language sql immutable as 'select o'";
    let with_default = "create policy p on docs for select to authenticated using (owner = same())";
    expect(&mut site, &format!("{make}; {with_default}"), READ, &[], true);
    let make = "create function mine() returns setof text language sql immutable as 'select auth.user_id()'";
    let with_set = "create policy p on docs for select to authenticated using (owner in (select mine()))";
    expect(&mut site, &format!("{make}; {with_set}"), READ, &[], true);
    // A function of the application with the same name as one of the extension.
    let make = "create function user_id() returns text language sql immutable return 'bob';
                create function me() returns text language sql immutable as 'select user_id()'";
    expect(&mut site, &format!("{make}; {POLICY}"), READ, &[], true);
}

#[test]
fn immutable_functions_that_no_plan_has_computed_yet() {
    let mut site = Site::new();
    let own = "create function own(o text) returns bool language sql immutable as 'select o = auth.user_id()'";
    let me = HOLES[0];
    let policy = "create policy p on docs to authenticated using (auth.user_id() = owner); grant insert on docs to authenticated";
    let insert = "insert into docs (id, owner) values (9, $1) returning owner";
    for (make, statement, function) in [
        (
            format!("{own}; create policy p on docs for select to authenticated using (own(owner))"),
            READ,
            "app.own(text)",
        ),
        (
            format!(
                "{own}; create operator === (leftarg = text, rightarg = text, function = texteq);
                     create policy p on docs for select to authenticated using (own(owner) and owner === owner)"
            ),
            READ,
            "app.own(text)",
        ),
        (format!("{me}; {policy}"), READ, "app.me()"),
        (
            format!("{me}; {policy}; alter table docs add check (owner = me()) not valid"),
            insert,
            "app.me()",
        ),
        (
            format!("{me}; {policy}; alter table docs add author text generated always as (me()) stored"),
            "insert into docs (owner) values ($1) returning author",
            "app.me()",
        ),
    ] {
        expect(&mut site, &make, statement, &[("immutable_function", function)], true);
    }
}

#[test]
fn the_problem_names_what_is_read_and_where() {
    let mut site = Site::new();
    run(&mut site.admin, &format!("{TABLE} {}; {POLICY}", HOLES[0]));
    let expected = "It is declared IMMUTABLE and reads auth.user_id(): a plan or index retains the result for another user. \
                    It is used in policy p ON app.docs.";
    assert_eq!(column(&mut site.admin, "problem", "immutable_identity"), expected);
    assert_eq!(
        column(&mut site.admin, "remedy", "immutable_identity"),
        "ALTER FUNCTION app.me() STABLE;"
    );
}

/// All users of this cluster have one role, so a plan that retains what depends on the role is right for bob as well.
#[test]
fn immutable_functions_that_depend_on_the_role() {
    let mut site = Site::new();
    for body in [
        "language sql immutable as 'select getpgusername()::text'",
        "language plpgsql immutable as 'begin return getpgusername(); end'",
        "language sql immutable return getpgusername()",
        "language sql immutable as $$ select has_table_privilege('app.docs', 'select')::text $$",
        "language sql immutable return has_table_privilege('app.docs', 'select')::text",
        "language sql immutable as $$ select pg_catalog.has_column_privilege('app.docs', 'owner', 'select')::text $$",
        "language sql immutable return has_schema_privilege('app', 'usage')::text",
        "language sql immutable as $$ select pg_has_role('authenticated', 'member')::text $$",
        "language sql immutable return pg_has_role('authenticated', 'member')::text",
        "language sql immutable as $$ select row_security_active('app.docs')::text $$",
        "language sql immutable return row_security_active('app.docs')::text",
    ] {
        let policy = "create policy p on docs for select to authenticated using (owner = auth.user_id() and of_role() is not null)";
        expect(
            &mut site,
            &format!("create function of_role() returns text {body}; {policy}"),
            READ,
            &[("immutable_identity", "app.of_role()")],
            true,
        );
    }
}
