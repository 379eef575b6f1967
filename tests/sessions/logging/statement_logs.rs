//! Logs and statistics of statements never contain a token that was presented as documented.

use testkit::messages;
use testkit::server::{Server, pg_config};
use testkit::session::{Proxy, init, now, rows, run, ways_to_present};

use crate::support::audit_log::{AUDITED, Audited};

#[track_caller]
fn hides(log: &str, token: &str) {
    for part in token.split('.').skip(1).filter(|part| part.len() > 20) {
        let line = log.lines().find(|line| line.contains(part)).unwrap_or_default();
        assert!(
            line.is_empty(),
            "the log has a part of the token: {}…",
            &line[..line.floor_char_boundary(120)]
        );
    }
}

#[test]
fn the_audit_log_never_has_the_token() {
    // The token never becomes part of an SQL text that is logged.
    let mut proxy = Proxy::new();
    let mut session = Audited::new(&proxy.options());
    let token = proxy.token_of("irene");
    session
        .client
        .execute("select auth.jwt_session_init($1)", &[&token])
        .unwrap();
    hides(&AUDITED.log(), &token);
    let bad = Proxy::new().token_of("irene");
    session
        .client
        .execute("select auth.jwt_session_init($1)", &[&bad])
        .unwrap_err();
    let late = proxy.token(&format!(r#""sub":"irene","exp":{}"#, now() - 100));
    session
        .client
        .execute("select auth.jwt_session_init($1, true)", &[&late])
        .unwrap_err();
    assert_eq!(session.audit().len(), 3);
    for token in [&bad, &late] {
        hides(&AUDITED.log(), token);
    }
}

#[test]
fn accepted_token_is_not_logged_with_its_statement() {
    // Proxies send it this way, and the audit line must not include the statement.
    let mut proxy = Proxy::new();
    let mut session = Audited::new(&proxy.options());
    for way in 0..4 {
        let token = proxy.token_of("judy");
        run(&mut session.client, &ways_to_present(&token)[way]);
        assert_eq!(session.audit().len(), way + 1);
        hides(&AUDITED.log(), &token);
    }
}

/// attack: 97
#[test]
fn rejected_token_is_not_logged_with_its_statement() {
    // A rejected token may still be valid elsewhere.
    let mut proxy = Proxy::new();
    let mut session = Audited::new(&proxy.options());
    run(&mut session.client, "select auth.init()");
    let foreign = Proxy::new().token_of("kate");
    let late = proxy.token(&format!(r#""sub":"liam","exp":{}"#, now() - 100));
    for token in [&foreign, &late, &format!("{foreign}.x")] {
        let body = format!("do $$ begin perform auth.jwt_session_init('{token}'); end $$");
        let quietly = format!("do $$ begin set pg_session_jwt.jwt = '{token}'; exception when others then end $$");
        for sql in ways_to_present(token).iter().chain([&body]) {
            session.client.batch_execute(sql).expect_err("a rejection");
            hides(&AUDITED.log(), token);
        }
        run(&mut session.client, &quietly);
        hides(&AUDITED.log(), token);
    }
    // The test sees what PostgreSQL logs: the next error includes its statement.
    session
        .client
        .batch_execute("select 1 / 0 as logged_with_its_statement")
        .expect_err("an error");
    assert!(
        session
            .lines()
            .iter()
            .any(|line| line.ends_with("logged_with_its_statement"))
    );
}

/// attack: 143
#[test]
fn imitated_rejection_does_not_hide_its_statement() {
    let proxy = Proxy::new();
    let mut session = Audited::new(&proxy.options());
    let foreign = Proxy::new().token_of("kate");
    for sql in ways_to_present(&foreign) {
        session.client.batch_execute(&sql).expect_err("a rejection");
    }
    session
        .client
        .batch_execute(&format!(
            "do $$ begin raise '{}' using errcode = '28000', hint = 'as_it_is'; end $$",
            messages::INVALID_SIGNATURE
        ))
        .expect_err("an error");
    let statements = |of: &Audited| {
        let lines = of.lines();
        lines
            .iter()
            .filter(|line| line.starts_with("STATEMENT: "))
            .cloned()
            .collect::<Vec<_>>()
    };
    let logged = statements(&session);
    assert_eq!(logged.len(), 1, "{logged:?}");
    assert!(logged[0].contains("as_it_is"), "{logged:?}");
    hides(&AUDITED.log(), &foreign);
}

#[test]
fn reraised_rejection_hides_its_statement() {
    let proxy = Proxy::new();
    let mut session = Audited::new(&proxy.options());
    let foreign = Proxy::new().token_of("kate");
    for sql in ways_to_present(&foreign) {
        let again = format!(
            "do $$ begin begin execute $sql${sql}$sql$; exception when others then
                 perform repeat('x', 10000); raise; end; end $$"
        );
        let error = session.client.batch_execute(&again).expect_err("a rejection");
        let error = error.as_db_error().unwrap();
        assert_eq!(error.message(), messages::INVALID_SIGNATURE);
        assert_eq!(error.detail(), None);
        let place = [Some("pg_session_jwt"), Some("call_string_check_hook")];
        assert!(place.contains(&error.routine()), "{error:?}");
    }
    hides(&AUDITED.log(), &foreign);
}

/// attack: 141
#[test]
fn rejection_in_a_worker_hides_the_leaders_statement() {
    let mut proxy = Proxy::new();
    let mut session = Audited::new(&proxy.options());
    let client = &mut session.client;
    let table = format!("big{}", testkit::session::one::<i32>(client, "select pg_backend_pid()"));
    run(
        client,
        &format!(
            "create table {table} as select repeat('x', 20) || i as u from generate_series(1, 20000) i;
             alter table {table} set (parallel_workers = 2);
             create function {table}_late() returns text language plpgsql parallel safe
                 set pg_session_jwt.jwt = 'a.b.c' as 'begin return auth.user_id(); end';
             create function {table}_strict() returns text language plpgsql parallel safe
                 set pg_session_jwt.leeway = 0 as 'begin return auth.user_id(); end'"
        ),
    );
    // Often: the leader terminates the other worker, which logs that too unless it has already rejected the token.
    for function in ["strict", "late"].repeat(20) {
        // Valid for half a minute more, by the leeway that the function does not grant.
        let token = proxy.token(&format!(r#""sub":"alice","exp":{}"#, now() - 30));
        let sql = format!(
            "select auth.jwt_session_init('{token}'); set parallel_leader_participation = off;
             select count(u || {table}_{function}()) from {table}"
        );
        let error = client.batch_execute(&sql).expect_err("a rejection");
        let error = error.as_db_error().unwrap();
        assert!(error.where_().unwrap().contains("parallel worker"), "{error:?}");
        assert_eq!(error.code().code(), "28000", "{error:?}");
        hides(&AUDITED.log(), &token);
    }
    run(client, &format!("drop table {table} cascade"));
}

/// attack: 96
#[test]
fn pg_stat_statements_never_has_the_token() {
    // The extension runs no SQL that contains the token.
    if !pg_config("--sharedir")
        .join("extension/pg_stat_statements.control")
        .exists()
    {
        eprintln!("this PostgreSQL came without pg_stat_statements");
        return;
    }
    let server = Server::start(
        "shared_preload_libraries = 'pg_stat_statements'\npg_stat_statements.track = all\n\
         pg_stat_statements.track_utility = on",
    );
    let mut proxy = Proxy::new();
    let mut client = proxy.session_on(&server, &server.database());
    run(&mut client, "create extension pg_stat_statements");
    let mut tokens = Vec::new();
    for sql in [
        "select auth.jwt_session_init($1)",
        "select auth.jwt_session_init($1, true)",
        "select set_config('pg_session_jwt.jwt', $1, false)",
        "select set_config('pg_session_jwt.jwt', $1, true)",
    ] {
        tokens.push(proxy.token_of("alice"));
        client.execute(sql, &[&tokens.last()]).unwrap();
    }
    // PostgreSQL removes the constants of a SELECT. A nested SET would contain the token.
    tokens.push(proxy.token_of("bob"));
    init(&mut client, tokens.last().unwrap());
    let texts = rows(&mut client, "select query from pg_stat_statements")
        .concat()
        .into_iter()
        .flatten();
    let texts = texts.collect::<Vec<_>>().join("\n");
    assert!(
        texts.contains("auth.jwt_session_init($1, $2)") && texts.contains("set_config"),
        "{texts}"
    );
    for token in &tokens {
        hides(&texts, token);
    }
}
