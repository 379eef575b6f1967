//! Each way to set an identity.

use testkit::loading::with_each_loading;
use testkit::messages;
use testkit::session::{Proxy, rejects, rows, run, user_id};

use super::{PROVIDER, database, outlasts, status, token};

/// The ways that last for the session.
fn lasting(token: &str) -> [String; 6] {
    [
        format!("select auth.jwt_session_init('{token}')"),
        format!("select auth.jwt_session_init('{token}', false)"),
        format!("set pg_session_jwt.jwt = '{token}'"),
        format!("set session \"PG_Session_JWT.jwt\" to '{token}'"),
        format!("select set_config('pg_session_jwt.jwt', '{token}', false)"),
        format!("do $$ begin set pg_session_jwt.jwt = '{token}'; end $$"),
    ]
}

/// The ways that last for the transaction.
fn local(token: &str) -> [String; 4] {
    [
        format!("select auth.jwt_session_init('{token}', true)"),
        format!("set local pg_session_jwt.jwt = '{token}'"),
        format!("select set_config('pg_session_jwt.jwt', '{token}', true)"),
        format!("do $$ begin set local pg_session_jwt.jwt = '{token}'; end $$"),
    ]
}

const NO_TOKEN: &str = "provider no token was presented: call auth.jwt_session_init(token)";

#[test]
fn lasting_identities_are_rejected() {
    with_each_loading(|server, _, moment| {
        let database = database(server, "transaction");
        let mut client = server.connect(&database, &database, "");
        // With the library loaded. `unseen` has what happens before.
        assert_eq!(status(&mut client), NO_TOKEN, "{moment}");
        for sql in lasting(&token("alice")) {
            outlasts(&mut client, &sql);
            assert_eq!(status(&mut client), NO_TOKEN, "{moment}, {sql}");
            run(&mut client, "begin");
            outlasts(&mut client, &sql);
            run(&mut client, "rollback");
            // In a savepoint, after an identity that is allowed.
            let bob = token("bob");
            run(
                &mut client,
                &format!("begin; select auth.jwt_session_init('{bob}', true); savepoint s"),
            );
            outlasts(&mut client, &sql);
            run(&mut client, "rollback to s");
            assert_eq!(user_id(&mut client).as_deref(), Some("bob"), "{moment}, {sql}");
            run(&mut client, "commit");
            assert_eq!(status(&mut client), NO_TOKEN, "{moment}, {sql}");
        }
    });
}

/// A `jti` must grow with each token that a proxy's session adopts.
#[test]
fn rejected_token_of_a_proxy_may_follow_with_a_local_one() {
    with_each_loading(|server, _, moment| {
        let database = server.database();
        let mut proxy = Proxy::new();
        let mut client = server.connect(&database, "postgres", &proxy.options());
        run(
            &mut client,
            "load 'pg_session_jwt'; set pg_session_jwt.identity_scope = 'transaction'",
        );
        for way in 0..lasting("").len() {
            let token = proxy.token(r#""sub":"alice""#);
            outlasts(&mut client, &lasting(&token)[way]);
            run(&mut client, "begin");
            run(&mut client, &format!("set local pg_session_jwt.jwt = '{token}'"));
            assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{moment}");
            run(&mut client, "commit");
            rejects(&mut client, &local(&token)[0], "28000", messages::TOKEN_ID_REPLAYED);
        }
    });
}

#[test]
fn caught_rejection_leaves_the_identity_before() {
    with_each_loading(|server, _, moment| {
        let database = database(server, "transaction");
        let mut client = server.connect(&database, &database, "");
        let alice = token("alice");
        for (before, expected) in [
            ("".to_owned(), None),
            (
                format!("select auth.jwt_session_init('{}', true)", token("bob")),
                Some("bob"),
            ),
        ] {
            for sql in [
                format!("perform auth.jwt_session_init('{alice}')"),
                format!("set pg_session_jwt.jwt = '{alice}'"),
                format!("perform set_config('pg_session_jwt.jwt', '{alice}', false)"),
            ] {
                run(
                    &mut client,
                    &format!("begin; {before}; do $$ begin {sql}; exception when sqlstate '55000' then null; end $$"),
                );
                assert_eq!(user_id(&mut client).as_deref(), expected, "{moment}, {sql}");
                run(&mut client, "show pg_session_jwt.jwt; commit");
                assert_eq!(status(&mut client), NO_TOKEN, "{moment}, {sql}");
            }
        }
    });
}

#[test]
fn local_identities_end_with_their_transaction() {
    with_each_loading(|server, _, moment| {
        let database = database(server, "transaction");
        let mut client = server.connect(&database, &database, "");
        for sql in local(&token("alice")) {
            for end in ["commit", "rollback"] {
                run(&mut client, &format!("begin; {sql}"));
                assert_eq!(status(&mut client), "provider alice", "{moment}, {sql}");
                run(&mut client, end);
                assert_eq!(status(&mut client), NO_TOKEN, "{moment}, {sql}");
            }
            // Outside of a block the statement, or the message, is the transaction.
            let seen = rows(&mut client, &format!("{sql}; select auth.user_id()"));
            assert_eq!(seen, [[Some("alice".to_owned())]], "{moment}, {sql}");
            run(&mut client, &sql);
            assert_eq!(status(&mut client), NO_TOKEN, "{moment}, {sql}");
        }
    });
}

#[test]
fn any_is_the_default_and_allows_both() {
    with_each_loading(|server, _, moment| {
        let database = database(server, "any");
        let mut client = server.connect(&database, &database, "");
        for sql in lasting(&token("alice")) {
            run(&mut client, &sql);
            assert_eq!(status(&mut client), "provider alice", "{moment}, {sql}");
            run(&mut client, "discard all");
        }
        run(&mut client, "select auth.user_id()");
        assert_eq!(
            rows(
                &mut client,
                "select boot_val, context from pg_settings where name = 'pg_session_jwt.identity_scope'"
            ),
            [[Some("any".to_owned()), Some("superuser".to_owned())]]
        );
    });
}

#[test]
fn savepoints_restore_local_identities() {
    with_each_loading(|server, _, _| {
        let database = database(server, "transaction");
        let mut client = server.connect(&database, &database, "");
        let [alice, bob] =
            ["alice", "bob"].map(|user| format!("select auth.jwt_session_init('{}', true)", token(user)));
        run(&mut client, &format!("begin; {alice}; savepoint s; {bob}"));
        assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
        run(&mut client, "rollback to s");
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
        run(&mut client, &format!("{bob}; release s"));
        assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
        // A logout lasts for the session, and takes the identity away at once.
        run(&mut client, "savepoint s; reset pg_session_jwt.jwt");
        assert_eq!(user_id(&mut client), None);
        run(&mut client, &alice);
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
        run(&mut client, "rollback to s");
        assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
        run(&mut client, "set pg_session_jwt.jwt = ''");
        assert_eq!(user_id(&mut client), None);
        run(&mut client, &format!("{alice}; commit"));
        assert_eq!(status(&mut client), NO_TOKEN);
    });
}

#[test]
fn commit_in_a_procedure_ends_the_identity() {
    with_each_loading(|server, _, _| {
        let database = database(server, "transaction");
        run(
            &mut server.connect(&database, "postgres", ""),
            "create table seen (number int, who text); grant all on seen to public;
             create procedure work(token text) language plpgsql as $$ begin
                 perform auth.jwt_session_init(token, true);
                 insert into seen values (1, auth.user_id());
                 commit;
                 insert into seen values (2, auth.user_id());
                 perform auth.jwt_session_init(token, true);
                 insert into seen values (3, auth.user_id());
                 commit;
                 insert into seen values (4, auth.user_id());
             end $$",
        );
        let mut client = server.connect(&database, &database, "");
        run(&mut client, &format!("call work('{}')", token("alice")));
        let seen = rows(&mut client, "select concat(number, who) from seen order by 1");
        assert_eq!(
            seen.concat(),
            ["1alice", "2", "3alice", "4"].map(|text| Some(text.to_owned()))
        );
    });
}

/// PostgreSQL checks the clause only while the library is loaded.
#[test]
fn a_functions_clause_ends_with_the_function() {
    let server = &testkit::server::SHARED;
    let database = database(server, "transaction");
    let alice = token("alice");
    run(
        &mut server.connect(&database, "postgres", ""),
        &format!(
            "create function mine() returns text language sql set pg_session_jwt.jwt = '{alice}' as 'select auth.user_id()';
             create function lasting(token text) returns text language plpgsql set pg_session_jwt.jwt = '{alice}' as
                 $$ begin perform set_config('pg_session_jwt.jwt', token, false); return auth.user_id(); end $$"
        ),
    );
    let mut client = server.connect(&database, &database, "");
    assert_eq!(status(&mut client), NO_TOKEN);
    assert_eq!(rows(&mut client, "select mine()"), [[Some("alice".to_owned())]]);
    assert_eq!(status(&mut client), NO_TOKEN);
    outlasts(&mut client, &format!("select lasting('{}')", token("bob")));
    assert_eq!(status(&mut client), NO_TOKEN);
}

#[test]
fn a_cursor_with_hold_has_the_rows_of_its_transaction() {
    with_each_loading(|server, _, _| {
        let database = database(server, "transaction");
        let mut client = server.connect(&database, &database, "");
        run(
            &mut client,
            &format!(
                "begin; select auth.jwt_session_init('{}', true);
                 declare held cursor with hold for select auth.user_id(); commit",
                token("alice")
            ),
        );
        assert_eq!(rows(&mut client, "fetch held"), [[Some("alice".to_owned())]]);
        assert_eq!(status(&mut client), NO_TOKEN);
    });
}

#[test]
fn a_bad_token_is_rejected_for_its_own_reason() {
    with_each_loading(|server, _, _| {
        let database = database(server, "transaction");
        let mut client = server.connect(&database, &database, "");
        assert_eq!(status(&mut client), NO_TOKEN);
        let bad = format!("{}x", PROVIDER.token("alice"));
        let sql = format!("begin; select auth.jwt_session_init('{bad}', true)");
        rejects(&mut client, &sql, "28000", messages::SIGNATURE_NOT_BASE64URL);
        run(&mut client, "rollback");
        outlasts(&mut client, &format!("select auth.jwt_session_init('{bad}')"));
    });
}
