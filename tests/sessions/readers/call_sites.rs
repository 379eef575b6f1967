//! A function's value is cached for the rows of a query, only as long as it is current.

use testkit::session::{Proxy, init, one, rejects, rows, run, user_id};

fn texts(list: &[&str]) -> Vec<Vec<Option<String>>> {
    list.iter().map(|text| vec![Some((*text).to_owned())]).collect()
}

/// attack: 77
#[test]
fn identity_set_between_rows_applies_to_the_next_row() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    run(
        &mut client,
        "create function become(token text) returns text language plpgsql volatile as $$
         begin perform auth.jwt_session_init(token); return auth.user_id(); end $$",
    );
    let tokens = ["alice", "bob", "alice", "carol"].map(|user| format!("('{}')", proxy.token_of(user)));
    let sql = format!(
        "select become(t) || ' ' || auth.user_id() || ' ' || (auth.session() ->> 'sub') from (values {}) v(t)",
        tokens.join(",")
    );
    let expected = texts(&[
        "alice alice alice",
        "bob bob bob",
        "alice alice alice",
        "carol carol carol",
    ]);
    assert_eq!(rows(&mut client, &sql), expected);
}

#[test]
fn a_cursor_follows_the_identity() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(
        &mut client,
        "begin; declare c cursor for select auth.user_id() from generate_series(1, 9)",
    );
    assert_eq!(rows(&mut client, "fetch 2 from c"), texts(&["alice", "alice"]));
    init(&mut client, &proxy.token_of("bob"));
    assert_eq!(rows(&mut client, "fetch 2 from c"), texts(&["bob", "bob"]));
    run(&mut client, "savepoint s");
    init(&mut client, &proxy.token_of("carol"));
    assert_eq!(rows(&mut client, "fetch 1 from c"), texts(&["carol"]));
    run(&mut client, "rollback to s");
    assert_eq!(rows(&mut client, "fetch 1 from c"), texts(&["bob"]));
    run(&mut client, "reset pg_session_jwt.jwt");
    assert_eq!(rows(&mut client, "fetch 1 from c"), vec![vec![None]]);
}

/// The reason why the planner hook does not hoist a bare call, as a sub-select is hoisted: docs/performance.md.
#[test]
fn a_cursor_over_a_policy_follows_the_identity_unless_it_is_a_sub_select() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(
        &mut client,
        "create table owned as select i as n, (array['alice', 'bob'])[i % 2 + 1] as owner from generate_series(1, 6) i;
         grant select on owned to authenticated;
         alter table owned enable row level security; begin",
    );
    for (policy, next) in [("auth.user_id()", "3"), ("(select auth.user_id())", "4")] {
        run(
            &mut client,
            &format!(
                "savepoint s; create policy own on owned using ({policy} = owner);
                 set local role authenticated; declare c no scroll cursor for select n from owned"
            ),
        );
        assert_eq!(rows(&mut client, "fetch 1 from c"), texts(&["2"]));
        run(
            &mut client,
            &format!("select auth.jwt_session_init('{}', true)", proxy.token_of("bob")),
        );
        assert_eq!(rows(&mut client, "fetch 1 from c"), texts(&[next]), "{policy}");
        run(&mut client, "rollback to s");
    }
}

#[test]
fn claims_set_between_rows_apply_to_the_next_row() {
    let mut client = testkit::server::SHARED.connect(&testkit::server::SHARED.database(), "postgres", "");
    let sql = "select set_config('request.jwt.claims', json_build_object('sub', i)::text, false) is null
                      or auth.user_id() is null, auth.session() ->> 'sub' from generate_series(1, 3) i";
    // A number is not a user id, but is still the claim.
    let expected: Vec<_> = ["1", "2", "3"]
        .map(|n| vec![Some("t".to_owned()), Some(n.to_owned())])
        .into();
    assert_eq!(rows(&mut client, sql), expected);
}

#[test]
fn a_prepared_statement_has_the_identity_of_each_execution() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(
        &mut client,
        "set plan_cache_mode = force_generic_plan; prepare who as select auth.user_id()",
    );
    assert_eq!(rows(&mut client, "execute who"), texts(&["alice"]));
    init(&mut client, &proxy.token_of("bob"));
    assert_eq!(rows(&mut client, "execute who"), texts(&["bob"]));
}

#[test]
fn only_the_last_identities_of_a_query_stay_in_memory() {
    let mut client = testkit::server::SHARED.connect(&testkit::server::SHARED.database(), "postgres", "");
    let kibibytes = "select sum(total_bytes)::bigint / 1024 from pg_backend_memory_contexts";
    let sql = "select count(set_config('request.jwt.claims', json_build_object('sub', i::text, 'x', repeat('x', 20000))::text, false)),
                      count(auth.session()), max((KIBIBYTES) + i * 0) from generate_series(1, 2000) i";
    let before = one::<i64>(&mut client, kibibytes);
    let row = client.query_one(&sql.replace("KIBIBYTES", kibibytes), &[]).unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (2000, 2000));
    let grown = row.get::<_, i64>(2) - before;
    // 2000 values of 20 kB would be 40 MB.
    assert!(grown < 4096, "{grown} KiB");
}

#[test]
fn function_declared_with_another_type_is_rejected() {
    // Some old installation scripts declare that auth.uid() returns text.
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("123e4567-e89b-12d3-a456-426614174000");
    run(
        &mut client,
        "create function uid_text() returns text language c stable as '$libdir/pg_session_jwt', 'uid_wrapper';
         create function user_id_bigint() returns bigint language c stable as '$libdir/pg_session_jwt', 'user_id_wrapper';
         create function session_uuid() returns uuid language c stable as '$libdir/pg_session_jwt', 'session_wrapper'",
    );
    for call in ["uid_text()", "user_id_bigint()", "session_uuid()"] {
        let message = "a function of pg_session_jwt is declared with a wrong return type";
        rejects(&mut client, &format!("select {call}"), "42P13", message);
    }
    assert_eq!(
        user_id(&mut client).as_deref(),
        Some("123e4567-e89b-12d3-a456-426614174000")
    );
}
