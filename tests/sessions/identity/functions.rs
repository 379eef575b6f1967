//! Tokens and identities inside functions: EXCEPTION blocks, SET clauses, SECURITY DEFINER, cached plans.

use postgres::Client;

use testkit::messages;
use testkit::session::{Proxy, init, one, rejects, run, user_id};

/// A function that presents a token and returns the SQLSTATE of its rejection, or 'taken'.
const TRY: &str = "create function try_token(token text) returns text language plpgsql as $$
begin
    perform auth.jwt_session_init(token);
    return 'taken';
exception when others then
    return sqlstate || ' ' || sqlerrm || ' ' || coalesce(auth.user_id(), '(none)');
end $$";

/// attack: 74
#[test]
fn rejected_token_in_an_exception_block_changes_nothing() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(&mut client, TRY);
    let bad = Proxy::new().token_of("bob");
    let answer: String = one(&mut client, &format!("select try_token('{bad}')"));
    assert_eq!(answer, format!("28000 {} alice", messages::INVALID_SIGNATURE));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    let answer: String = one(&mut client, &format!("select try_token('{}')", proxy.token_of("bob")));
    assert_eq!(answer, "taken");
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[test]
fn exception_after_a_token_restores_the_identity() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let token = proxy.token_of("bob");
    run(&mut client, "create table seen (place text, who text)");
    let body = format!(
        "do $$ begin
            begin
                perform auth.jwt_session_init('{token}');
                insert into seen values ('inside', auth.user_id());
                perform 1/0;
            exception when division_by_zero then
                insert into seen values ('handler', auth.user_id());
            end;
            insert into seen values ('after', auth.user_id());
        end $$"
    );
    run(&mut client, &body);
    let seen: String = one(
        &mut client,
        "select string_agg(place || '=' || who, ' ' order by ctid) from seen",
    );
    assert_eq!(seen, "handler=alice after=alice");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn set_clause_with_an_empty_token_gives_no_identity() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(
        &mut client,
        "create function anonymous() returns text language sql stable set pg_session_jwt.jwt = ''
             as 'select coalesce(auth.user_id(), ''(none)'')';
         create function fails() returns text language plpgsql set pg_session_jwt.jwt = ''
             as 'begin return 1/0; end'",
    );
    let seen: String = one(
        &mut client,
        "select concat_ws(' ', auth.user_id(), anonymous(), auth.user_id())",
    );
    assert_eq!(seen, "alice (none) alice");
    rejects(&mut client, "select fails()", "22012", "division by zero");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

/// attack: 69
#[test]
fn a_token_cannot_be_stored_in_the_catalog() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let token = proxy.token_of("bob");
    run(
        &mut client,
        "create function f() returns int language sql as 'select 1'; create role stored_token",
    );
    for sql in [
        format!("create function g() returns int language sql set pg_session_jwt.jwt = '{token}' as 'select 1'"),
        format!("alter function f() set pg_session_jwt.jwt = '{token}'"),
        "alter function f() set pg_session_jwt.jwt from current".to_owned(),
        format!("alter role stored_token set pg_session_jwt.jwt = '{token}'"),
        format!("alter role stored_token in database postgres set pg_session_jwt.jwt = '{token}'"),
        format!("alter role all set pg_session_jwt.jwt = '{token}'"),
        format!("alter database postgres set pg_session_jwt.jwt = '{token}'"),
    ] {
        rejects(&mut client, &sql, "42501", messages::TOKEN_AS_DEFAULT);
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{sql}");
    }
    let stored = "select count(*) from pg_db_role_setting where setconfig::text like '%jwt.jwt%'";
    assert_eq!(one::<i64>(&mut client, stored), 0);
    let system = format!("alter system set pg_session_jwt.jwt = '{token}'");
    rejects(
        &mut client,
        &system,
        "55P02",
        "parameter \"pg_session_jwt.jwt\" cannot be changed",
    );
    // None of these set the identity.
    init(&mut client, &token);
    run(&mut client, "drop role stored_token");
}

#[test]
fn identity_set_in_a_function_outlasts_it_unless_local() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    run(
        &mut client,
        "create function login(token text) returns text language plpgsql set search_path = pg_catalog
             as 'begin perform auth.jwt_session_init(token); return auth.user_id(); end';
         create function login_local(token text) returns text language plpgsql
             as 'begin perform auth.jwt_session_init(token, true); return auth.user_id(); end';
         create function login_over_clause(token text) returns text language plpgsql set pg_session_jwt.jwt = ''
             as 'begin perform auth.jwt_session_init(token); return auth.user_id(); end';
         create function login_local_under_clause(token text) returns text language plpgsql set pg_session_jwt.jwt = ''
             as 'begin perform auth.jwt_session_init(token, true); return auth.user_id(); end'",
    );
    let call = |client: &mut Client, function: &str, token: &str| -> Option<String> {
        one(client, &format!("select {function}('{token}')"))
    };
    assert_eq!(
        call(&mut client, "login", &proxy.token_of("alice")).as_deref(),
        Some("alice")
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    run(&mut client, "begin");
    assert_eq!(
        call(&mut client, "login_local", &proxy.token_of("bob")).as_deref(),
        Some("bob")
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    run(&mut client, "commit");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    // PostgreSQL's rule: a SET inside overrides the function's clause, and a SET LOCAL ends with the function.
    assert_eq!(
        call(&mut client, "login_over_clause", &proxy.token_of("carol")).as_deref(),
        Some("carol")
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
    assert_eq!(
        call(&mut client, "login_local_under_clause", &proxy.token_of("dave")).as_deref(),
        Some("dave")
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
}

/// attack: 71
#[test]
fn security_definer_function_shares_the_identity() {
    // Functions for login are often SECURITY DEFINER.
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(
        &mut client,
        "create function definer_login(token text) returns text language plpgsql security definer
             as 'begin perform auth.jwt_session_init(token); return current_user || '' '' || auth.user_id(); end';
         create function definer_set(token text) returns void language plpgsql security definer
             as 'begin execute format(''set pg_session_jwt.jwt = %L'', token); end';
         create function definer_sees() returns text language sql security definer
             as 'select current_user || '' '' || auth.user_id()';
         set role authenticated",
    );
    assert_eq!(one::<String>(&mut client, "select definer_sees()"), "postgres alice");
    let seen: String = one(
        &mut client,
        &format!("select definer_login('{}')", proxy.token_of("bob")),
    );
    assert_eq!(seen, "postgres bob");
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    assert_eq!(one::<String>(&mut client, "select current_user::text"), "authenticated");
    run(
        &mut client,
        &format!("select definer_set('{}')", proxy.token_of("carol")),
    );
    assert_eq!(one::<String>(&mut client, "select definer_sees()"), "postgres carol");
    let bad = Proxy::new().token_of("mallory");
    rejects(
        &mut client,
        &format!("select definer_login('{bad}')"),
        "28000",
        messages::INVALID_SIGNATURE,
    );
    assert_eq!(one::<String>(&mut client, "select definer_sees()"), "postgres carol");
}

/// attack: 70
#[test]
fn another_role_is_still_the_same_user() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    for role in ["authenticated", "anonymous", "none"] {
        run(&mut client, &format!("set role {role}"));
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "as {role}");
    }
    run(&mut client, "set role authenticated");
    init(&mut client, &proxy.token_of("bob"));
    run(&mut client, "reset role");
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    run(
        &mut client,
        "set session authorization authenticated; set session authorization default",
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

/// attack: 76
#[test]
fn cached_plans_follow_the_identity() {
    for mode in ["force_generic_plan", "force_custom_plan", "auto"] {
        let mut proxy = Proxy::new();
        let mut client = proxy.session();
        run(
            &mut client,
            &format!(
                "set plan_cache_mode = {mode};
                 create table owned (user_id text primary key);
                 insert into owned values ('alice'), ('bob'), ('carol');
                 create function mine() returns bigint language plpgsql stable
                     as 'begin return (select count(*) from owned where user_id = auth.user_id()); end';
                 create function inlined() returns text language sql stable as 'select auth.user_id()'"
            ),
        );
        let query = "select auth.user_id(), inlined(), mine(), (select user_id from owned where user_id = auth.user_id()), \
                     (select user_id from owned where (select auth.user_id() = owned.user_id))";
        let prepared = client.prepare(query).unwrap();
        for round in 0..3 {
            for user in ["alice", "bob", "carol"] {
                init(&mut client, &proxy.token_of(user));
                let row = client.query_one(&prepared, &[]).unwrap();
                let texts: Vec<Option<&str>> = [0, 1, 3, 4].map(|column| row.get(column)).to_vec();
                assert_eq!(texts, [Some(user); 4], "{mode}, round {round}");
                assert_eq!(row.get::<_, i64>(2), 1, "{mode}, round {round}");
            }
            run(&mut client, "reset pg_session_jwt.jwt");
            let row = client.query_one(&prepared, &[]).unwrap();
            let texts: Vec<Option<&str>> = [0, 1, 3, 4].map(|column| row.get(column)).to_vec();
            assert_eq!((texts, row.get(2)), (vec![None; 4], 0_i64), "{mode}, round {round}");
        }
    }
}
