//! Becoming another user: by claims, by roles, after a failure or a rollback.

use testkit::server::major;
use testkit::session::{Proxy, run};

use super::deployment::{session_init, token, token_with};
use super::ways::{ANONYMOUS, MALLORY, Way, fails, in_every_way, value, who};

/// attack: 65
#[test]
fn claims_set_by_a_client_are_not_trusted() {
    in_every_way(|deployment| {
        let mut client = deployment.anyone();
        for sql in [
            r#"set request.jwt.claims = '{"sub":"alice"}'"#,
            r#"select set_config('request.jwt.claims', '{"sub":"alice"}', false)"#,
            r#"set request.jwt.claim.sub = 'alice'"#,
            "reset pg_session_jwt.jwt",
            "discard all",
        ] {
            run(&mut client, sql);
            run(&mut client, "set role authenticated");
            assert_eq!(who(&mut client), ANONYMOUS, "{sql}");
        }
        run(&mut client, &session_init("mallory"));
        run(&mut client, r#"set request.jwt.claims = '{"sub":"alice"}'"#);
        assert_eq!(who(&mut client), MALLORY);
    });
}

/// attack: 66, 74
#[test]
fn swallowed_rejection_leaves_the_identity_unchanged() {
    let bad = Proxy::new().token_of("alice");
    let expired = token_with(r#""sub":"alice","nbf":4000000000"#);
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        for token in [&bad, &expired] {
            for statement in [
                format!("perform auth.jwt_session_init('{token}')"),
                format!("perform auth.jwt_session_init('{token}', true)"),
                format!("perform set_config('pg_session_jwt.jwt', '{token}', true)"),
                format!("execute 'set pg_session_jwt.jwt = ''{token}'''"),
                format!("begin {}; exception when division_by_zero then null; end", {
                    format!("perform auth.jwt_session_init('{token}')")
                }),
            ] {
                let swallowed = format!("do $$ begin {statement}; exception when others then null; end $$");
                for sql in [swallowed.clone(), format!("begin; {swallowed}; commit")] {
                    run(&mut client, &sql);
                    assert_eq!(who(&mut client), MALLORY, "{statement}");
                }
            }
        }
        // Without an identity before, there is none after.
        run(&mut client, "reset pg_session_jwt.jwt");
        let swallowed =
            format!("do $$ begin perform auth.jwt_session_init('{bad}'); exception when others then null; end $$");
        run(&mut client, &swallowed);
        assert_eq!(who(&mut client), ANONYMOUS);
    });
}

/// attack: 67, 73
#[test]
fn rollback_never_gives_more_than_before() {
    let (mallory, other) = (session_init("mallory"), session_init("mallory2"));
    in_every_way(|deployment| {
        for (sql, left) in [
            (format!("begin; {mallory}; rollback"), ANONYMOUS),
            (
                format!("begin; savepoint s; {mallory}; rollback to s; commit"),
                ANONYMOUS,
            ),
            (
                format!("begin; {mallory}; savepoint s; {other}; rollback to s; release s; commit"),
                MALLORY,
            ),
            (
                format!("begin; savepoint s; {other}; release s; {mallory}; rollback"),
                ANONYMOUS,
            ),
            (
                format!("do $$ begin {}; raise 'x'; exception when others then null; end $$", {
                    mallory.replace("select", "perform")
                }),
                ANONYMOUS,
            ),
        ] {
            let mut client = deployment.anyone();
            run(&mut client, "reset pg_session_jwt.jwt");
            run(&mut client, &sql);
            assert_eq!(who(&mut client), left, "{sql}");
        }
        let mut client = deployment.mallory();
        run(&mut client, "begin; reset all; rollback");
        assert_eq!(who(&mut client), MALLORY);
    });
}

/// attack: 75
#[test]
fn prepared_transaction_carries_no_identity() {
    in_every_way(|deployment| {
        let name = format!("{}_{:?}", deployment.database, deployment.way);
        let insert = "insert into public.todos (task) values ('prepared')";
        let local = format!("select auth.jwt_session_init('{}', true)", token("mallory"));
        let mut client = deployment.anyone();
        run(
            &mut client,
            &format!("begin; {local}; {insert}; prepare transaction '{name}'"),
        );
        assert_eq!(who(&mut client), ANONYMOUS);
        let mut other = deployment.anyone();
        run(&mut other, &format!("commit prepared '{name}'"));
        assert_eq!(who(&mut other), ANONYMOUS);
        // The user is decided when the row is written, not when it is committed.
        let owner = value(
            &mut deployment.admin(),
            "select string_agg(user_id, ' ') from todos where task = 'prepared'",
        );
        assert_eq!(owner.as_deref(), Some("mallory"));
    });
}

/// attack: 58
#[test]
fn role_claim_is_text_and_sets_no_role() {
    in_every_way(|deployment| {
        for role in ["postgres", "pg_read_all_data", "app", "none"] {
            let mut client = deployment.anyone();
            let token = token_with(&format!(r#""sub":"mallory","role":"{role}""#));
            run(&mut client, &format!("select auth.jwt_session_init('{token}')"));
            assert_eq!(
                value(&mut client, "select current_user::text").as_deref(),
                Some("authenticated")
            );
            assert_eq!(value(&mut client, "select auth.role()").as_deref(), Some(role));
            assert_eq!(who(&mut client), MALLORY);
        }
    });
}

/// attack: 70
#[test]
fn no_other_role_can_be_set() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        for role in ["postgres", "pg_read_all_data", "anonymous"] {
            fails(&mut client, &format!("set role {role}"), "42501");
            fails(&mut client, &format!("set session authorization {role}"), "42501");
            let config = format!("select set_config('role', '{role}', false)");
            fails(&mut client, &config, "42501");
        }
        // Back to the application's role, which may only become `authenticated`.
        run(&mut client, "reset role");
        if deployment.way == Way::Login {
            assert_eq!(who(&mut client), MALLORY);
        } else {
            let rejected = testkit::session::rejection(&mut client, "select * from public.todos");
            assert_eq!(rejected.message, "permission denied for table todos");
            run(&mut client, "set role authenticated");
            assert_eq!(who(&mut client), MALLORY);
        }
    });
}

/// attack: 71
#[test]
fn attackers_definer_function_sees_only_her_rows() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        run(
            &mut client,
            "create function pg_temp.spy() returns text language sql security definer
                 as $$ select string_agg(task, ' ') from public.todos $$;
             create function pg_temp.become(token text) returns text language plpgsql security definer set search_path = pg_catalog
                 as $$ begin perform auth.jwt_session_init(token); return auth.user_id(); end $$",
        );
        assert_eq!(value(&mut client, "select pg_temp.spy()").as_deref(), Some("own"));
        let bad = Proxy::new().token_of("alice");
        fails(&mut client, &format!("select pg_temp.become('{bad}')"), "28000");
        // The owner's functions run with the owner's privileges, while the identity is still mallory.
        run(
            &mut deployment.admin(),
            "create function asked_by() returns text language sql security definer
                 as $$ select current_user || ' for ' || coalesce(auth.user_id(), '(none)') $$",
        );
        assert_eq!(
            value(&mut client, "select public.asked_by()").as_deref(),
            Some("postgres for mallory")
        );
    });
}

/// attack: 114
#[test]
fn login_user_differs_from_token_user() {
    if major() < 16 {
        return; // SYSTEM_USER came with 16.
    }
    in_every_way(|deployment| {
        let mut client = deployment.anyone();
        let user = "select coalesce(system_user, '(none)')";
        assert_eq!(value(&mut client, user).as_deref(), Some("(none)"));
        run(&mut client, &session_init("mallory"));
        assert_eq!(value(&mut client, user).as_deref(), Some("(none)"));
        assert_eq!(who(&mut client), MALLORY);
    });
}
