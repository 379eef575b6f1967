//! Unusual callers of the functions: operators, aggregates, domains, triggers, workers, procedures.

use testkit::session::{Proxy, rejection, rows, run};

use super::deployment::{Deployment, session_init, token};
use super::ways::{ANONYMOUS, MALLORY, Way, fails, in_every_way, short, value, who};

/// Asserts that the token is accepted or rejected, and that mallory never becomes another user, in any process.
#[track_caller]
fn harmless(client: &mut postgres::Client, sql: &str) {
    let process = value(client, "select pg_backend_pid()");
    if let Err(error) = client.simple_query(sql) {
        assert!(error.as_db_error().is_some(), "{}: {error:?}", short(sql));
    }
    assert!(
        [MALLORY, ANONYMOUS].contains(&who(client).as_str()),
        "after {}",
        short(sql)
    );
    assert_eq!(
        value(client, "select pg_backend_pid()"),
        process,
        "after {}",
        short(sql)
    );
}

/// attack: 93
#[test]
fn operators_aggregates_and_domains_call_the_same_function() {
    in_every_way(|deployment| {
        let (good, bad) = (token("mallory"), Proxy::new().token_of("alice"));
        let mut client = deployment.mallory();
        for sql in [
            "create operator pg_temp.@@@ (rightarg = text, function = auth.jwt_session_init)",
            "create operator pg_temp.@@@ (leftarg = text, rightarg = boolean, function = auth.jwt_session_init)",
            "create aggregate pg_temp.last_token(text) (sfunc = textcat, stype = text, finalfunc = auth.jwt_session_init)",
            "create aggregate pg_temp.all_tokens(boolean) (sfunc = auth.jwt_session_init, stype = text, initcond = 'x')",
            "create domain pg_temp.taken as text check (auth.jwt_session_init(value) is not null)",
            "create domain pg_temp.hers as text check (auth.user_id() = value) default auth.user_id()",
            "create cast (text as void) with function auth.jwt_session_init(text)",
        ] {
            harmless(&mut client, sql);
        }
        for token in [&good, &bad] {
            for sql in [
                format!("select operator(pg_temp.@@@) '{token}'::text"),
                format!("select '{token}'::text operator(pg_temp.@@@) true"),
                format!("select pg_temp.last_token(t) from (values ('{token}'), ('')) t(t)"),
                format!("select pg_temp.last_token('{token}') over () from generate_series(1, 3)"),
                format!("select pg_temp.all_tokens(true) from generate_series(1, 3), (select '{token}') t"),
                format!("select '{token}'::pg_temp.taken"),
                format!("do $$ declare t pg_temp.taken := '{token}'; begin t := t; end $$"),
                format!("select row('{token}')::text::pg_temp.taken"),
                "select 'alice'::pg_temp.hers".to_owned(),
                format!("select auth.jwt_session_init(variadic array['{token}'])"),
                format!("select * from auth.jwt_session_init('{token}')"),
                format!("select * from rows from (auth.jwt_session_init('{token}'), auth.status()) with ordinality"),
                format!("values (auth.jwt_session_init('{token}')), (null)"),
                format!("select case when auth.jwt_session_init('{token}') is null then 1 end"),
                format!("select 1 order by auth.jwt_session_init('{token}')"),
                format!("select auth.jwt_session_init('{token}') group by 1"),
                format!("select auth.jwt_session_init('{token}') limit 0"),
                "select auth.user_id() over ()".to_owned(),
                "select auth.status(), auth.status(), generate_series(1, 3)".to_owned(),
                "select (auth.status()).*, auth.status()::text from generate_series(1, 3)".to_owned(),
                "select * from auth.status() s, lateral auth.status() t limit 0".to_owned(),
                "select auth.session() from generate_series(1, 3) group by rollup (auth.session())".to_owned(),
            ] {
                harmless(&mut client, &sql);
            }
        }
        run(&mut client, "discard all");
    });
}

/// attack: 93
#[test]
fn attackers_trigger_sets_no_other_identity() {
    in_every_way(|deployment| {
        let (good, bad) = (token("mallory"), Proxy::new().token_of("alice"));
        let mut client = deployment.anyone();
        run(
            &mut client,
            "create temp table t (token text, is_local boolean);
             create function pg_temp.take() returns trigger language plpgsql as
                 'begin perform auth.jwt_session_init(new.token, new.is_local); return null; end';
             create constraint trigger late after insert on t deferrable initially deferred
                 for each row execute function pg_temp.take()",
        );
        // At commit a local identity ends, that of the session stays, and a rejection undoes the transaction.
        run(
            &mut client,
            &format!("begin; insert into t values ('{good}', true); commit"),
        );
        assert_eq!(who(&mut client), ANONYMOUS);
        let commit = format!("begin; insert into t values ('{good}', false), ('{bad}', false); commit");
        assert_eq!(rejection(&mut client, &commit).sqlstate, "28000");
        assert_eq!(who(&mut client), ANONYMOUS);
        run(
            &mut client,
            &format!("begin; insert into t values ('{good}', false); commit"),
        );
        assert_eq!(who(&mut client), MALLORY);
        let no_trigger = "create trigger x before insert on t for each row execute function auth.user_id()";
        fails(&mut client, no_trigger, "42P17");
        run(&mut client, "drop table t; reset pg_session_jwt.jwt");
    });
}

/// attack: 93
#[test]
fn procedure_keeps_a_local_identity_for_one_transaction() {
    in_every_way(|deployment| {
        let mut client = deployment.anyone();
        let good = token("mallory");
        run(
            &mut client,
            "create temp table seen (n int generated always as identity, who text);
             create procedure pg_temp.takes(token text, is_local boolean) language plpgsql as $$
             begin
                 perform auth.jwt_session_init(token, is_local);
                 insert into seen (who) values (auth.user_id());
                 commit;
                 insert into seen (who) values (coalesce(auth.user_id(), '(none)'));
                 commit;
                 perform auth.jwt_session_init(token, is_local);
                 rollback;
                 insert into seen (who) values (coalesce(auth.user_id(), '(none)'));
             end $$",
        );
        let seen = "select string_agg(who, ' ' order by n) from seen";
        run(&mut client, &format!("call pg_temp.takes('{good}', true)"));
        assert_eq!(value(&mut client, seen).as_deref(), Some("mallory (none) (none)"));
        assert_eq!(who(&mut client), ANONYMOUS);
        run(&mut client, "truncate seen");
        run(&mut client, &format!("call pg_temp.takes('{good}', false)"));
        assert_eq!(value(&mut client, seen).as_deref(), Some("mallory mallory mallory"));
        assert_eq!(who(&mut client), MALLORY);
        run(&mut client, "drop table seen; reset pg_session_jwt.jwt");
    });
}

/// attack: 80
#[test]
fn no_token_is_accepted_in_a_parallel_worker() {
    in_every_way(|deployment| {
        run(
            &mut deployment.admin(),
            "create table many as select i from generate_series(1, 4000) i;
             alter table many set (parallel_workers = 2);
             grant select on many to authenticated;
             analyze many",
        );
        let mut client = deployment.mallory();
        // A false label, which PostgreSQL trusts.
        run(
            &mut client,
            "create function pg_temp.takes(token text) returns text language plpgsql parallel safe as
                 'begin perform auth.jwt_session_init(token); return auth.user_id(); end';
             create function pg_temp.sets(token text) returns text language plpgsql parallel safe as
                 'begin perform set_config(''pg_session_jwt.jwt'', token, false); return auth.user_id(); end';
             create function pg_temp.leaves() returns text language plpgsql parallel safe as
                 'begin reset pg_session_jwt.jwt; return auth.user_id(); end';
             create function pg_temp.state() returns text language plpgsql parallel safe as
                 'begin return (select mode || user_id from auth.status()); end';
             set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0; set parallel_tuple_cost = 0;
             set min_parallel_table_scan_size = 0; set parallel_leader_participation = off",
        );
        for token in [token("mallory"), Proxy::new().token_of("alice")] {
            for (call, sqlstate) in [
                (format!("takes('{token}')"), "55000"),
                (format!("sets('{token}')"), "25000"),
                ("leaves()".to_owned(), "25000"),
            ] {
                let sql = format!("select count(*) from public.many where pg_temp.{call} is null");
                let plan = format!("{:?}", rows(&mut client, &format!("explain {sql}")));
                assert!(plan.contains("Workers Planned"), "{plan}");
                fails(&mut client, &sql, sqlstate);
            }
        }
        let state = "select distinct pg_temp.state() from public.many";
        assert_eq!(rows(&mut client, state), [[Some("providermallory".to_owned())]]);
        assert_eq!(who(&mut client), MALLORY);
        run(&mut client, "discard all");
    });
}

/// attack: 61, 98
#[test]
fn token_rejected_at_library_load_is_not_shown() {
    // Set before the load, it is plain text to PostgreSQL, which quotes what a library rejects in a warning.
    for way in super::ways::WAYS {
        let deployment = Deployment::late(way);
        let mut client = deployment.anyone();
        let bad = Proxy::new().token_of("alice");
        run(&mut client, &format!("set pg_session_jwt.jwt = '{bad}'"));
        assert_eq!(who(&mut client), ANONYMOUS);
        let log = deployment.server.log();
        for part in bad.split('.').skip(1) {
            assert!(!log.contains(part), "{way:?}");
        }
        run(&mut client, &session_init("mallory"));
        assert_eq!(who(&mut client), MALLORY);
        let masked = value(&mut client, "show pg_session_jwt.jwt");
        assert_eq!(masked.as_deref(), Some("***"));
        if way == Way::Pooled {
            run(&mut client, "reset pg_session_jwt.jwt");
        }
    }
}
