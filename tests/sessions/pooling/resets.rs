//! The resets of a pooler or driver between two users: the token is removed and the key stays.

use testkit::loading::ordinary_user;
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::SHARED;
use testkit::session::{Proxy, claims, init, one, rejects, rows, run, user_id};

/// Asserts that the state equals that of a session that never had a token.
fn is_anonymous(client: &mut postgres::Client, after: &str) {
    assert_eq!(user_id(client), None, "after {after}");
    assert_eq!(claims(client), "null", "after {after}");
    assert!(!one::<bool>(client, "select auth.session() is null"), "after {after}");
    let nothing = "select auth.uid() is null and auth.organization() is null and auth.organization_id() is null \
                   and auth.role() is null and auth.email() is null";
    assert!(one::<bool>(client, nothing), "after {after}");
    assert_eq!(one::<String>(client, "show pg_session_jwt.jwt"), "", "after {after}");
    run(client, "select auth.init()");
}

/// attack: 64
#[test]
fn every_logout_ends_the_identity_and_keeps_the_key() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    for logout in [
        "reset all",
        "discard all",
        "reset pg_session_jwt.jwt",
        "set pg_session_jwt.jwt to default",
        "set pg_session_jwt.jwt = ''",
        "select set_config('pg_session_jwt.jwt', '', false)",
        "select set_config('pg_session_jwt.jwt', null, false)",
    ] {
        let user = format!("before {logout}").replace('\'', "");
        init(&mut client, &proxy.token_of(&user));
        assert_eq!(user_id(&mut client), Some(user));
        run(&mut client, logout);
        is_anonymous(&mut client, logout);
    }
}

#[test]
fn pool_reset_of_a_proxy_is_a_logout() {
    // The pool reset of a proxy, as one message.
    let back_to_the_pool = "rollback; close all; set session authorization default; reset all; deallocate all; \
                            unlisten *; select pg_advisory_unlock_all(); discard temp; discard sequences";
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    for user in ["alice", "bob"] {
        run(&mut client, "begin");
        init(&mut client, &proxy.token_of(user));
        assert_eq!(user_id(&mut client).as_deref(), Some(user));
        run(&mut client, "commit; set role authenticated");
        run(&mut client, back_to_the_pool);
        is_anonymous(&mut client, "going back to the pool");
    }
}

#[test]
fn rolled_back_logout_has_no_effect() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    for logout in ["reset all", "reset pg_session_jwt.jwt", "set pg_session_jwt.jwt = ''"] {
        run(&mut client, "begin");
        run(&mut client, logout);
        is_anonymous(&mut client, logout);
        run(&mut client, "rollback");
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{logout}");
    }
}

#[test]
fn a_local_logout_ends_with_the_transaction() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    for logout in [
        "set local pg_session_jwt.jwt = ''",
        "set local pg_session_jwt.jwt to default",
        "select set_config('pg_session_jwt.jwt', '', true)",
    ] {
        run(&mut client, "begin");
        run(&mut client, logout);
        is_anonymous(&mut client, logout);
        run(&mut client, "commit");
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{logout}");
    }
}

#[test]
fn empty_token_is_an_error_and_no_logout() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    for call in [
        "auth.jwt_session_init('')",
        "auth.jwt_session_init('', true)",
        "auth.jwt_session_init('', false)",
    ] {
        rejects(
            &mut client,
            &format!("select {call}"),
            "28000",
            messages::INVALID_ENCODING,
        );
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{call}");
    }
}

#[test]
fn a_logout_ends_the_identity_of_an_open_cursor() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(
        &mut client,
        "begin; declare c cursor for select auth.user_id() from generate_series(1, 3)",
    );
    let fetch = |client: &mut postgres::Client| rows(client, "fetch c").remove(0).remove(0);
    assert_eq!(fetch(&mut client).as_deref(), Some("alice"));
    run(&mut client, "reset pg_session_jwt.jwt");
    assert_eq!(fetch(&mut client), None);
    init(&mut client, &proxy.token_of("bob"));
    assert_eq!(fetch(&mut client).as_deref(), Some("bob"));
}

/// attack: 66
#[test]
fn the_key_cannot_be_changed_or_taken_away_in_a_session() {
    let mut proxy = Proxy::new();
    let key = Proxy::new().jwk();
    let mut client = proxy.session_as("alice");
    let fixed = "parameter \"pg_session_jwt.jwk\" cannot be set after connection start";
    for sql in [
        format!("set pg_session_jwt.jwk = '{key}'"),
        format!("set local pg_session_jwt.jwk = '{key}'"),
        format!("select set_config('pg_session_jwt.jwk', '{key}', false)"),
        "set pg_session_jwt.jwk = ''".to_owned(),
        "set pg_session_jwt.jwk to default".to_owned(),
        "reset pg_session_jwt.jwk".to_owned(),
        format!("update pg_settings set setting = '{key}' where name = 'pg_session_jwt.jwk'"),
        format!("create function f() returns int language sql set pg_session_jwt.jwk = '{key}' as 'select 1'"),
        format!("alter database template1 set pg_session_jwt.jwk = '{key}'"),
        format!("alter role postgres set pg_session_jwt.jwk = '{key}'"),
    ] {
        rejects(&mut client, &sql, "55P02", fixed);
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{sql}");
    }
    init(&mut client, &proxy.token_of("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[test]
fn settings_with_the_prefix_cannot_be_created() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let message = "invalid configuration parameter name \"pg_session_jwt.jwks\"";
    rejects(&mut client, "set pg_session_jwt.jwks = 'x'", "42602", message);
    let set_config = "select set_config('pg_session_jwt.jwks', 'x', false)";
    rejects(&mut client, set_config, "42602", message);
}

/// The settings that a superuser's function has set for the session, and those that any user may set.
/// attack: 150
#[test]
fn reset_all_does_not_undo_a_superusers_settings() {
    let database = SHARED.database();
    let user = ordinary_user(&SHARED, &database);
    let mut admin = SHARED.connect(&database, "postgres", "");
    run(
        &mut admin,
        "select auth.user_id();
         create function put(name text, value text) returns text language sql security definer
             as 'select set_config(name, value, false)';
         create function got(name text) returns text language sql security definer as 'select current_setting(name)'",
    );
    let ours = "select name, vartype, context from pg_settings where name ~ '^pg_session_jwt\\.'
                order by name collate \"C\"";
    let mut kept = Vec::new();
    let mut taken_back = Vec::new();
    for setting in rows(&mut admin, ours) {
        let [name, kind, context] = setting.try_into().unwrap();
        let (name, kind, context) = (name.unwrap(), kind.unwrap(), context.unwrap());
        if !["superuser", "user"].contains(&context.as_str()) {
            continue;
        }
        for reset in ["reset all", "discard all"] {
            let mut client = SHARED.connect(&database, &user, "");
            run(&mut client, "select auth.user_id()");
            let before: String = one(&mut client, &format!("select got('{name}')"));
            let other = match (kind.as_str(), before.as_str()) {
                ("bool", "on") => "off",
                ("bool", _) => "on",
                ("integer", _) => "7",
                ("enum", _) => "transaction",
                _ if name.ends_with("providers") => r#"[{"issuer":"a","jwks_file":"/nowhere"}]"#,
                _ => "{}",
            };
            let put: String = one(&mut client, &format!("select put('{name}', '{other}')"));
            assert_ne!(put, before, "{name}");
            run(&mut client, reset);
            let after: String = one(&mut client, &format!("select got('{name}')"));
            assert!([&before, &put].contains(&&after), "{name}: {after}");
            let list = if after == put { &mut kept } else { &mut taken_back };
            list.push(format!("{name}, {reset}"));
        }
    }
    let both = |names: &[&str]| -> Vec<String> {
        let each = |name: &&str| ["reset all", "discard all"].map(|reset| format!("{name}, {reset}"));
        names.iter().flat_map(each).collect()
    };
    assert_eq!(
        kept,
        both(&[
            "pg_session_jwt.audit_log",
            "pg_session_jwt.bind_login_identity",
            "pg_session_jwt.claims_fallback",
            "pg_session_jwt.identity_scope",
            "pg_session_jwt.leeway",
            "pg_session_jwt.log_user_id",
            "pg_session_jwt.providers",
        ])
    );
    assert_eq!(taken_back, both(&["pg_session_jwt.optimize_policies"]));
}

#[test]
fn provider_set_by_a_superuser_survives_the_logout() {
    let provider = Provider::new("a");
    let database = SHARED.database();
    let user = ordinary_user(&SHARED, &database);
    run(
        &mut SHARED.connect(&database, "postgres", ""),
        &format!(
            "create function open() returns void language sql security definer
                 as $$ select set_config('pg_session_jwt.providers', '[{}]', false),
                              set_config('pg_session_jwt.claims_fallback', 'off', false) $$",
            provider.entry("")
        ),
    );
    let mut client = SHARED.connect(&database, &user, r#"-c request.jwt.claims={"sub":"mallory"}"#);
    run(&mut client, "select auth.user_id(); select open()");
    for reset in ["reset all", "discard all"] {
        init(&mut client, &provider.token("alice"));
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
        run(&mut client, reset);
        assert_eq!(user_id(&mut client), None, "{reset}");
        assert_eq!(one::<String>(&mut client, "select mode from auth.status()"), "provider");
    }
}
