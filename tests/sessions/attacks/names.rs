//! Names that resolve to other objects than expected.

use testkit::session::{rows, run};

use super::deployment::session_init;
use super::ways::{MALLORY, fails, in_every_way, value, who};

/// attack: 89, 92, 118
#[test]
fn policy_keeps_the_meaning_it_was_created_with() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        run(
            &mut client,
            "create function pg_temp.user_id() returns text language sql as $$ select 'alice'::text $$;
             create function pg_temp.equal(text, text) returns boolean language sql as 'select true';
             create operator pg_temp.= (leftarg = text, rightarg = text, function = pg_temp.equal);
             create function pg_temp.jwt_session_init(text) returns void language sql as 'select'",
        );
        for path in [
            "pg_temp",
            "pg_temp, auth, public",
            "pg_temp, pg_catalog, public",
            "auth, pg_temp",
        ] {
            run(&mut client, &format!("set search_path = {path}"));
            assert_eq!(who(&mut client), MALLORY, "{path}");
        }
        // Not even by its bare name: PostgreSQL finds no function in the temporary schema.
        run(&mut client, "set search_path = pg_temp, auth");
        assert_eq!(value(&mut client, "select user_id()").as_deref(), Some("mallory"));
        run(&mut client, "discard all");
    });
}

/// attack: 89
#[test]
fn temporary_table_hides_a_name_only_in_its_session() {
    // Only its own session sees it: docs/hardening.md, "Name tables with their schema".
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        run(
            &mut client,
            "create temp table todos as select 'alice' as user_id, 'forged' as task",
        );
        assert_eq!(value(&mut client, "select task from todos").as_deref(), Some("forged"));
        assert_eq!(
            value(&mut client, "select task from public.todos").as_deref(),
            Some("own")
        );
        assert_eq!(who(&mut client), MALLORY);
        run(&mut client, "drop table pg_temp.todos");
        assert_eq!(
            deployment.alice("select task from todos order by id").concat(),
            ["secret", "hidden"].map(|task| Some(task.to_owned()))
        );
    });
}

/// attack: 90
#[test]
fn nothing_can_be_created_in_schema_auth() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        for sql in [
            "create function auth.user_id(x text default 'alice') returns text language sql as 'select x'",
            "create function auth.jwt_session_init(x unknown) returns void language sql as 'select'",
            "create function auth.jwt_session_init(x varchar) returns void language sql as 'select'",
            "create or replace function auth.user_id() returns text language sql as 'select ''alice''::text'",
            "create procedure auth.init(x int default 1) language sql as 'select'",
            "create table auth.users (id int)",
            "create view auth.user_id as select 'alice'",
            "create type auth.user_id as (x int)",
            "create operator auth.= (leftarg = text, rightarg = text, function = texteq)",
            "create function public.user_id() returns text language sql as 'select ''alice''::text'",
            "alter function auth.user_id() rename to was_user_id",
            "alter function auth.user_id() owner to authenticated",
            "alter function auth.user_id() set schema public",
            "alter function auth.user_id() immutable",
            "alter function auth.user_id() leakproof",
            "alter function auth.user_id() set pg_session_jwt.jwt = ''",
            "drop function auth.user_id() cascade",
            "comment on function auth.user_id() is 'x'",
        ] {
            fails(&mut client, sql, "42501");
        }
        let before = rows(
            &mut deployment.admin(),
            "select nspacl::text from pg_namespace where nspname = 'auth'",
        );
        run(
            &mut client,
            "grant execute on function auth.user_id() to anonymous; grant usage on schema auth to anonymous",
        );
        let after = rows(
            &mut deployment.admin(),
            "select nspacl::text from pg_namespace where nspname = 'auth'",
        );
        assert_eq!(after, before, "a GRANT without the right to it is a mere warning");
        let functions =
            "select count(*) from pg_proc where proname = 'user_id' and pronamespace = 'auth'::regnamespace";
        assert_eq!(value(&mut client, functions).as_deref(), Some("1"));
    });
}

/// attack: 91, 118, 128
#[test]
fn extension_and_schema_cannot_be_altered() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        for sql in [
            "alter schema auth rename to was_auth",
            "alter schema auth owner to authenticated",
            "drop schema auth cascade",
            "drop extension pg_session_jwt cascade",
            "alter extension pg_session_jwt set schema public",
            "alter extension pg_session_jwt update",
            "alter extension pg_session_jwt drop function auth.user_id()",
            "create extension pg_session_jwt",
            "drop owned by postgres",
            "reassign owned by postgres to authenticated",
        ] {
            let rejected = testkit::session::rejection(&mut client, sql);
            let expected = if sql.starts_with("create extension") {
                "42710"
            } else {
                "42501"
            };
            assert_eq!(rejected.sqlstate, expected, "{sql}: {rejected:?}");
            assert_eq!(who(&mut client), MALLORY, "{sql}");
        }
        // Not even the extension's owner can move the functions that policies name.
        let mut admin = deployment.admin();
        run(&mut admin, "create schema elsewhere");
        let rejected = testkit::session::rejection(&mut admin, "alter extension pg_session_jwt set schema elsewhere");

        assert_eq!(rejected.sqlstate, "0A000", "{rejected:?}");
        run(&mut client, &session_init("mallory"));
        assert_eq!(who(&mut client), MALLORY);
    });
}
