//! auth.check() and default privileges, and logins that have the privileges of end users without SET ROLE.

use testkit::server::major;
use testkit::session::{one, run};

use crate::check::support::{Site, column, found, owned};

const IN_PUBLIC: &str = "DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public ON TABLES";
const EVERYWHERE: &str = "DEFAULT PRIVILEGES FOR ROLE postgres ON TABLES";

#[test]
fn default_privileges_of_end_users() {
    let mut site = Site::new();
    run(
        &mut site.admin,
        "create role \"My Maker\"; create role team; create schema closed; create schema \"Open\"; grant usage on schema \"Open\" to team",
    );
    let mut holes = vec![
        ("grant select on tables to authenticated", EVERYWHERE),
        ("in schema public grant insert on tables to anonymous", IN_PUBLIC),
        ("in schema public grant truncate on tables to public", IN_PUBLIC),
        (
            "in schema public grant references, trigger on tables to authenticated, anonymous",
            IN_PUBLIC,
        ),
        ("grant all on tables to public", EVERYWHERE),
        (
            "for role \"My Maker\" in schema public grant update on tables to authenticated",
            "DEFAULT PRIVILEGES FOR ROLE \"My Maker\" IN SCHEMA public ON TABLES",
        ),
        (
            "for role \"My Maker\" in schema \"Open\" grant delete on tables to authenticated",
            "DEFAULT PRIVILEGES FOR ROLE \"My Maker\" IN SCHEMA \"Open\" ON TABLES",
        ),
        (
            "grant create on schemas to authenticated",
            "DEFAULT PRIVILEGES FOR ROLE postgres ON SCHEMAS",
        ),
    ];
    if major() >= 17 {
        holes.push(("in schema public grant maintain on tables to authenticated", IN_PUBLIC));
    }
    run(&mut site.admin, "grant team to authenticated");
    holes.push(("grant select on tables to team", EVERYWHERE));
    for (privileges, object) in holes {
        run(&mut site.admin, &format!("alter default privileges {privileges}"));
        let expected = owned(&[("default_privileges", object)]);
        assert_eq!(found(&mut site.admin), expected, "{privileges}");
        let remedy = column(&mut site.admin, "remedy", "default_privileges");
        run(&mut site.admin, &remedy);
        assert_eq!(found(&mut site.admin), [], "{remedy}");
        assert_eq!(
            one::<i64>(&mut site.admin, "select count(*) from pg_default_acl"),
            0,
            "{remedy}"
        );
    }
    run(&mut site.admin, "create role other");
    for privileges in [
        "grant select on tables to other",
        "in schema closed grant select on tables to authenticated",
        "grant usage on schemas to authenticated",
        "grant usage on sequences to authenticated",
        "grant execute on functions to authenticated",
        "revoke execute on functions from public",
        "grant usage on types to anonymous",
        "for role \"My Maker\" grant all on tables to \"My Maker\"",
    ] {
        run(&mut site.admin, &format!("alter default privileges {privileges}"));
        assert_eq!(found(&mut site.admin), [], "{privileges}");
    }
}

#[test]
fn problem_says_what_end_users_will_have() {
    let mut site = Site::new();
    run(
        &mut site.admin,
        "alter default privileges in schema public grant select, truncate on tables to authenticated, anonymous",
    );
    assert_eq!(
        column(&mut site.admin, "problem", "default_privileges"),
        "anonymous, authenticated will have SELECT, TRUNCATE on each table that postgres creates in public, before row-level \
         security is enabled on it."
    );
    assert_eq!(
        column(&mut site.admin, "remedy", "default_privileges"),
        "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public REVOKE SELECT, TRUNCATE ON TABLES FROM anonymous, \
         authenticated; -- each new one then needs a GRANT"
    );
    // The table of the example has what the problem says.
    run(&mut site.admin, "create table t ()");
    let expected = [
        ("privilege_bypasses_rls", "public.t"),
        ("table_without_rls", "public.t"),
        ("default_privileges", IN_PUBLIC),
    ];
    assert_eq!(found(&mut site.admin), owned(&expected));
    run(
        &mut site.admin,
        "drop table t; alter default privileges in schema public revoke all on tables from authenticated, anonymous",
    );
    run(
        &mut site.admin,
        "alter default privileges grant create on schemas to anonymous",
    );
    assert_eq!(
        column(&mut site.admin, "problem", "default_privileges"),
        "anonymous will have CREATE on each schema that postgres creates."
    );
}

#[test]
fn logins_that_inherit_and_have_more() {
    let mut site = Site::new();
    let inherits = if major() >= 16 { " with inherit true" } else { "" };
    run(
        &mut site.admin,
        "create role app login; create table secrets (id int); create role team",
    );
    run(&mut site.admin, &format!("grant authenticated to app{inherits}"));
    assert_eq!(found(&mut site.admin), []);
    let hole = [("login_inherits", "app")];
    for (make, fix) in [
        ("grant select on secrets to app", "revoke select on secrets from app"),
        (
            "grant update (id) on secrets to app",
            "revoke update (id) on secrets from app",
        ),
        ("grant delete on secrets to app", "revoke delete on secrets from app"),
        (
            "grant select on secrets to team; grant team to app",
            "revoke team from app",
        ),
        (
            "create schema own; create table own.t (); alter schema own owner to app; alter table own.t owner to app",
            "drop schema own cascade",
        ),
        (
            "create materialized view m as select task from todos; grant select on m to app",
            "drop materialized view m",
        ),
        ("grant pg_read_all_data to app", "revoke pg_read_all_data from app"),
    ] {
        site.finds(make, &hole, fix);
    }
    for make in [
        "select",
        "alter table secrets enable row level security; grant select on secrets to app; alter table secrets force row level security",
        "revoke select on secrets from app; create role boss login superuser",
        "create schema closed; create table closed.t (); grant select on closed.t to app",
    ] {
        site.finds(make, &[], "drop role if exists boss");
    }
    // What end users can read is a finding about the table.
    site.finds(
        "create table open (); grant select on open to authenticated",
        &[("table_without_rls", "public.open")],
        "drop table open",
    );
    assert_eq!(
        {
            run(&mut site.admin, "create table plain (); grant select on plain to app");
            column(&mut site.admin, "problem", "login_inherits")
        },
        "It may log in and has the privileges of authenticated without SET ROLE. End users that it serves as it is have its \
         other privileges, too, such as on public.plain, which is not restricted by row-level security."
    );
    // With NOINHERIT the login is one that end users share.
    let noinherit = if major() >= 16 {
        "grant authenticated to app with inherit false"
    } else {
        "alter role app noinherit"
    };
    run(&mut site.admin, noinherit);
    assert_eq!(found(&mut site.admin), owned(&[("login_shared", "app")]));
}
