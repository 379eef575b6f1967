//! auth.check() and the findings that comments allow.

use testkit::server::major;
use testkit::session::{one, rows, run};

use crate::check::support::{Site, found, owned};

#[path = "../../../src/check/allowance.rs"]
mod allowance;

use allowance::{Allowance, of_comment};

/// Severity, finding, object and reason of each row.
fn all(site: &mut Site) -> Vec<[String; 4]> {
    let all = "select severity, finding, object, allowed_because from auth.check()";
    let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "-".to_owned());
    let texts = |row: Vec<Option<String>>| [cell(&row[0]), cell(&row[1]), cell(&row[2]), cell(&row[3])];
    rows(&mut site.admin, all).into_iter().map(texts).collect()
}

#[track_caller]
fn finds(site: &mut Site, make: &str, expected: &[[&str; 4]]) {
    run(&mut site.admin, make);
    assert_eq!(
        all(site),
        expected.iter().map(|row| row.map(str::to_owned)).collect::<Vec<_>>(),
        "{make}"
    );
}

#[test]
fn a_comment_allows_one_finding_of_its_object() {
    let mut site = Site::new();
    let holes = "create table open (id int); grant select, truncate on open to anonymous;
                 create table other (id int); grant select on other to anonymous;";
    let without_rls = ["critical", "table_without_rls", "public.open", "-"];
    let privileges = ["critical", "privilege_bypasses_rls", "public.open", "-"];
    let other = ["critical", "table_without_rls", "public.other", "-"];
    finds(&mut site, holes, &[privileges, without_rls, other]);
    let allowed = ["allowed", "table_without_rls", "public.open", "it is a public catalog."];
    finds(
        &mut site,
        "comment on table open is 'Products. auth.check: allow table_without_rls because it is a public catalog.'",
        &[privileges, other, allowed],
    );
    // The worst come first, and what is allowed comes last.
    finds(
        &mut site,
        "comment on table other is 'auth.check: allow table_without_rls because test';
         create policy p on todos for select to authenticated using (true)",
        &[
            privileges,
            ["notice", "policy_read_open", "p ON public.todos", "-"],
            allowed,
            ["allowed", "table_without_rls", "public.other", "test"],
        ],
    );
    finds(
        &mut site,
        "comment on table other is null; drop policy p on todos;
         comment on table open is E'auth.check: allow table_without_rls, privilege_bypasses_rls because both'",
        &[
            other,
            ["allowed", "privilege_bypasses_rls", "public.open", "both"],
            ["allowed", "table_without_rls", "public.open", "both"],
        ],
    );
}

#[test]
fn comments_on_every_kind_of_object() {
    let mut site = Site::new();
    for (make, comment_on, finding, object, undo) in [
        (
            "create policy \"a b\" on todos for select to authenticated using (true)",
            "policy \"a b\" on todos",
            "policy_read_open",
            "\"a b\" ON public.todos",
            "drop policy \"a b\" on todos",
        ),
        (
            "create policy p on todos for select to authenticated using (true)",
            "table todos",
            "policy_read_open",
            "p ON public.todos",
            "drop policy p on todos",
        ),
        (
            "create view \"V\" as select task from todos; grant select on \"V\" to authenticated",
            "view \"V\"",
            "view_bypasses_rls",
            "public.\"V\"",
            "drop view \"V\"",
        ),
        (
            "create function f(int, text) returns int language sql security definer return 1",
            "function f",
            "definer_function",
            "public.f(integer,text)",
            "drop function f",
        ),
        (
            "create procedure p() language sql security definer begin atomic select 1; end",
            "procedure p",
            "definer_function",
            "public.p()",
            "drop procedure p",
        ),
        (
            "alter role authenticated createdb",
            "role authenticated",
            "role_attribute",
            "authenticated",
            "alter role authenticated nocreatedb",
        ),
        (
            "alter role authenticated in database site set work_mem = '64kB'",
            "role authenticated",
            "role_setting",
            "ROLE authenticated IN DATABASE site",
            "alter role authenticated in database site reset all",
        ),
        (
            "create schema \"My\"; grant create on schema \"My\" to anonymous",
            "schema \"My\"",
            "schema_create",
            "\"My\"",
            "drop schema \"My\"",
        ),
        (
            "grant create on database site to anonymous",
            "database site",
            "database_create",
            "site",
            "revoke create on database site from anonymous",
        ),
        (
            "set pg_session_jwt.claims_fallback = on",
            "database site",
            "claims_mode",
            "pg_session_jwt.claims_fallback",
            "reset pg_session_jwt.claims_fallback",
        ),
        (
            "drop index todos_user_id_idx",
            "table todos",
            "policy_column_without_index",
            "public.todos (user_id)",
            "create index todos_user_id_idx on todos (user_id)",
        ),
    ] {
        run(&mut site.admin, make);
        assert_eq!(found(&mut site.admin), owned(&[(finding, object)]), "{make}");
        let comment = format!("comment on {comment_on} is 'auth.check: allow {finding} because of this test'");
        finds(&mut site, &comment, &[["allowed", finding, object, "of this test"]]);
        run(&mut site.admin, &format!("comment on {comment_on} is null; {undo}"));
        assert_eq!(found(&mut site.admin), [], "{undo}");
    }
}

#[test]
fn a_comment_on_another_kind_of_object_of_the_same_name_allows_nothing() {
    let mut site = Site::new();
    finds(
        &mut site,
        "alter role authenticated createdb; create schema authenticated;
         comment on schema authenticated is 'auth.check: allow role_attribute because of a trick'",
        &[
            ["critical", "role_attribute", "authenticated", "-"],
            ["notice", "exception_unused", "SCHEMA authenticated", "-"],
        ],
    );
}

/// An end user's role must not allow its own finding: neither as the owner of the object, nor by a role that it can become,
/// nor after RESET ROLE.
#[test]
fn no_session_of_an_end_user_can_allow_a_finding() {
    let mut site = Site::new();
    let comment = "comment on table open is 'auth.check: allow table_without_rls because I say so'";
    let open = ["critical", "table_without_rls", "public.open", "-"];
    let unused = ["notice", "exception_unused", "public.open", "-"];
    run(
        &mut site.admin,
        "create table open (id int); grant select on open to authenticated; create role team; create role owner;
         create role app login noinherit; alter role app set track_activities = off;
         revoke execute on function pg_cancel_backend(int), pg_terminate_backend(int, bigint) from public",
    );
    // A login that has the privileges of end users without SET ROLE serves them as it is.
    let inherits = if major() >= 16 {
        "grant authenticated to app with inherit true, set false"
    } else {
        "grant authenticated to app"
    };
    for (owner, make, by, undo) in [
        ("authenticated", "select", "authenticated", "select"),
        (
            "team",
            "grant team to authenticated",
            "authenticated",
            "revoke team from authenticated",
        ),
        (
            "app",
            "grant authenticated to app",
            "app",
            "revoke authenticated from app",
        ),
        (
            "owner",
            "grant authenticated, owner to app",
            "app",
            "revoke authenticated, owner from app",
        ),
        ("app", inherits, "app", "revoke authenticated from app"),
    ] {
        run(&mut site.admin, &format!("{make}; alter table open owner to {owner}"));
        run(&mut site.admin, &format!("set role {by}"));
        let is_member = format!("set role {owner}; {comment}; reset role");
        run(&mut site.admin, &is_member);
        let rows = all(&mut site);
        assert!(rows.contains(&open.map(str::to_owned)), "{owner}: {rows:?}");
        assert!(rows.contains(&unused.map(str::to_owned)), "{owner}: {rows:?}");
        let allowed = rows.iter().filter(|row| row[0] == "allowed").count();
        assert_eq!(allowed, 0, "{owner}: {rows:?}");
        run(
            &mut site.admin,
            &format!("alter table open owner to postgres; grant select on open to authenticated; {undo}"),
        );
        finds(
            &mut site,
            "",
            &[["allowed", "table_without_rls", "public.open", "I say so"]],
        );
    }
    // An owner that no end user can become.
    finds(
        &mut site,
        "alter table open owner to owner",
        &[["allowed", "table_without_rls", "public.open", "I say so"]],
    );
    // With CREATEROLE a role may comment on itself.
    finds(
        &mut site,
        "drop table open; alter role authenticated createrole;
         comment on role authenticated is 'auth.check: allow role_attribute because I say so'",
        &[
            ["critical", "role_attribute", "authenticated", "-"],
            ["notice", "exception_unused", "ROLE authenticated", "-"],
        ],
    );
    // A superuser may comment on everything.
    finds(
        &mut site,
        "alter role authenticated superuser nocreaterole;
         comment on database site is 'auth.check: allow role_attribute because I say so'",
        &[
            ["critical", "role_attribute", "authenticated", "-"],
            ["notice", "exception_unused", "DATABASE site", "-"],
            ["notice", "exception_unused", "ROLE authenticated", "-"],
        ],
    );
}

#[test]
fn comments_that_allow_nothing_are_reported() {
    let mut site = Site::new();
    let mut problem = |comment: &str| -> Option<String> {
        run(&mut site.admin, &format!("comment on table todos is '{comment}'"));
        let problem = "select string_agg(problem, '|') from auth.check() where finding = 'exception_unused'";
        one(&mut site.admin, problem)
    };
    for (comment, expected) in [
        (
            "auth.check: allow table_without_rls because it was open once",
            "The comment allows table_without_rls, which is not found here: it would hide the finding when it comes.",
        ),
        (
            "auth.check: allow table_without_rsl because of a typing error",
            "The comment allows table_without_rsl, which is not the name of a finding.",
        ),
        (
            "auth.check: allow table_without_rls",
            "The form is \"allow <finding> because <reason>\", and the comment has \"allow table_without_rls\".",
        ),
        (
            "auth.check: allow table_without_rls because ",
            "The form is \"allow <finding> because <reason>\", and the comment has \"allow table_without_rls because\".",
        ),
        (
            "auth.check: allow all because I want that!",
            "The comment allows all, which is not the name of a finding.",
        ),
        (
            "auth.check: deny",
            "The form is \"allow <finding> because <reason>\", and the comment has \"deny\".",
        ),
    ] {
        assert_eq!(problem(comment).as_deref(), Some(expected), "{comment}");
    }
    for comment in [
        "",
        "see auth.check()",
        "auth.check is run nightly",
        "allow table_without_rls because of x",
    ] {
        assert_eq!(problem(comment), None, "{comment}");
    }
}

#[test]
fn the_parts_of_a_comment() {
    let allow = |finding: &str, reason: &str| {
        Ok(Allowance {
            finding: finding.into(),
            reason: reason.into(),
        })
    };
    let malformed = |part: &str| Err(part.as_bytes().to_vec());
    for (comment, expected) in [
        ("", vec![]),
        ("auth.check", vec![]),
        ("auth.check: allow a because b", vec![allow("a", "b")]),
        ("X. auth.check: allow a_b because b c.\n", vec![allow("a_b", "b c.")]),
        ("auth.check:allow a because b", vec![allow("a", "b")]),
        (
            "auth.check:  allow a , b because  c",
            vec![allow("a", "c"), allow("b", "c")],
        ),
        (
            "auth.check: allow a because b. auth.check: allow c because d",
            vec![allow("a", "b."), allow("c", "d")],
        ),
        (
            "auth.check: allow a because b because c",
            vec![allow("a", "b because c")],
        ),
        ("auth.check:", vec![malformed("")]),
        ("auth.check: allow because b", vec![malformed("allow because b")]),
        ("auth.check: allow A because b", vec![malformed("allow A because b")]),
        (
            "auth.check: allow a,  because b",
            vec![allow("a", "b"), malformed("allow a,  because b")],
        ),
        (
            "auth.check: allow a because auth.check: x",
            vec![malformed("allow a because"), malformed("x")],
        ),
        ("Auth.Check: allow a because b", vec![]),
    ] {
        assert_eq!(of_comment(comment.as_bytes()), expected, "{comment}");
    }
}

/// Of an end user's comment only the beginning is read, so that it cannot fill the report. The last part of it is cut.
#[test]
fn long_comment_of_an_end_user_is_not_read_to_its_end() {
    let mut site = Site::new();
    run(
        &mut site.admin,
        "create table mine (); alter table mine owner to authenticated;
         do $$ begin execute format('comment on table mine is %L', repeat('auth.check: allow x because y', 100000)); end $$",
    );
    let unused = "select count(*) from auth.check() where finding = 'exception_unused'";
    assert_eq!(one::<i64>(&mut site.admin, unused), 2);
}
