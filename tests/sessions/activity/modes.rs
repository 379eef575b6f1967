//! The modes, and identities that are verified at their first use.

use testkit::session::{Proxy, one, run, user_id};

use super::support::{SERVER, Site, pid};

#[test]
fn proxy_mode() {
    let mut site = Site::new();
    let mut proxy = Proxy::new();
    let mut client = proxy.session_on(&SERVER, &SERVER.database());
    let pid = pid(&mut client);
    assert_eq!(site.shown(&pid, "mode"), "");
    run(
        &mut client,
        &format!("select auth.jwt_session_init('{}')", proxy.token_of("alice")),
    );
    // This token has neither `iss` nor `kid` nor `exp`.
    let row = "mode, coalesce(issuer, '-'), user_id, coalesce(kid, '-'), coalesce(expires_at::text, '-'), scope";
    assert_eq!(site.shown(&pid, row), "proxy|-|alice|-|-|session");
    run(
        &mut client,
        &format!("begin; select auth.jwt_session_init('{}', true)", proxy.token_of("bob")),
    );
    assert_eq!(site.shown(&pid, row), "proxy|-|bob|-|-|transaction");
    run(&mut client, "rollback");
    assert_eq!(site.shown(&pid, row), "proxy|-|alice|-|-|session");
}

#[test]
fn identity_without_a_user_id_has_a_row() {
    let mut site = Site::new();
    let mut client = site.session();
    let token = site.provider.token_with(r#""sub":7"#);
    run(&mut client, &format!("select auth.jwt_session_init('{token}')"));
    let pid = pid(&mut client);
    assert_eq!(site.shown(&pid, "mode, coalesce(user_id, '-'), kid"), "provider|-|k1");
}

#[test]
fn claims_are_shown_once_a_policy_has_trusted_them() {
    let mut site = Site::new();
    let mut client = SERVER.connect(&SERVER.database(), "postgres", "");
    let pid = pid(&mut client);
    run(
        &mut client,
        r#"set request.jwt.claims = '{"sub":"alice","iss":"https://gateway.example/"}'"#,
    );
    assert_eq!(site.shown(&pid, "user_id"), "");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    let row = "mode, issuer, user_id, scope";
    assert_eq!(site.shown(&pid, row), "claims|https://gateway.example/|alice|session");
    // From now on each change is shown at once.
    for (sql, expected) in [
        (r#"set request.jwt.claims = '{"sub":"bob"}'"#, "claims|bob|session"),
        (
            r#"begin; set local request.jwt.claims = '{"sub":"carol"}'"#,
            "claims|carol|transaction",
        ),
        ("rollback", "claims|bob|session"),
        ("set request.jwt.claims = 'x'", ""),
        (
            r#"begin; set local request.jwt.claims = '{"sub":"bob"}'"#,
            "claims|bob|transaction",
        ),
        ("commit", ""),
        // Other settings of the session that change nothing here.
        (
            r#"set request.jwt.claims = '{"sub":"bob"}'; set pg_session_jwt.jwt = ''"#,
            "claims|bob|session",
        ),
        ("reset pg_session_jwt.jwt; reset role", "claims|bob|session"),
        ("discard all", ""),
    ] {
        run(&mut client, sql);
        assert_eq!(site.shown(&pid, row), expected, "after {sql}");
    }
}

#[test]
fn claims_that_do_not_count_are_not_shown() {
    let mut site = Site::new();
    let mut client = SERVER.connect(&SERVER.database(), "postgres", "");
    let pid = pid(&mut client);
    let bob = r#"set request.jwt.claims = '{"sub":"bob"}'"#;
    run(&mut client, bob);
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    for setting in ["claims_fallback = off", "identity_scope = transaction"] {
        assert_eq!(site.shown(&pid, "user_id"), "bob");
        run(&mut client, &format!("set pg_session_jwt.{setting}"));
        assert_eq!(site.shown(&pid, "user_id"), "", "{setting}");
        assert_eq!(user_id(&mut client), None);
        run(&mut client, bob);
        assert_eq!(site.shown(&pid, "user_id"), "", "{setting}");
        let name = setting.split(' ').next().unwrap();
        run(&mut client, &format!("reset pg_session_jwt.{name}"));
        assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    }
    // Nor with providers.
    run(
        &mut client,
        &format!("set pg_session_jwt.providers = '[{}]'", site.provider.entry("")),
    );
    assert_eq!(site.shown(&pid, "user_id"), "");
    assert_eq!(user_id(&mut client), None);
    run(&mut client, bob);
    assert_eq!(site.shown(&pid, "user_id"), "");
    run(
        &mut client,
        &format!("set pg_session_jwt.jwt = '{}'", site.token("alice")),
    );
    assert_eq!(site.shown(&pid, "mode, user_id"), "provider|alice");
    run(&mut client, r#"set request.jwt.claims = '{"sub":"carol"}'"#);
    assert_eq!(site.shown(&pid, "mode, user_id"), "provider|alice");
}

#[test]
fn token_of_the_startup_packet_is_shown_from_its_first_use_on() {
    let mut site = Site::new();
    let [alice, bob] = ["alice", "bob"].map(|user| site.token(user));
    let options = format!("-c pg_session_jwt.jwt={alice}");
    let mut client = SERVER.connect(&site.database, "postgres", &options);
    let pid = pid(&mut client);
    assert_eq!(site.shown(&pid, "user_id"), "");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(site.shown(&pid, "user_id, scope"), "alice|session");
    let since = site.shown(&pid, "since");
    let began = format!(
        "select '{since}'::timestamptz - backend_start < interval '5 seconds' from pg_stat_activity where pid = {pid}"
    );
    assert!(one::<bool>(&mut site.monitor, &began));
    // Whatever returns to it shows it without another use.
    for (sql, expected) in [
        (
            format!("begin; set local pg_session_jwt.jwt = '{bob}'"),
            "bob|transaction",
        ),
        ("rollback".to_owned(), "alice|session"),
        (format!("set pg_session_jwt.jwt = '{bob}'"), "bob|session"),
        ("reset pg_session_jwt.jwt".to_owned(), "alice|session"),
        ("set pg_session_jwt.jwt = ''".to_owned(), ""),
        ("discard all".to_owned(), "alice|session"),
    ] {
        run(&mut client, &sql);
        assert_eq!(site.shown(&pid, "user_id, scope"), expected);
    }
    assert_eq!(site.shown(&pid, "since"), since);
    // A token that is rejected is never shown.
    let other = testkit::provider::Provider::new(super::support::ISSUER).token("mallory");
    let mut client = SERVER.connect(&site.database, "postgres", &format!("-c pg_session_jwt.jwt={other}"));
    client.batch_execute("select auth.user_id()").unwrap_err();
    assert_eq!(site.user_and_scope(&mut client), "");
}

#[test]
fn changed_keys_hide_an_identity_until_it_is_verified_again() {
    let mut site = Site::new();
    let mut client = site.session();
    let pid = pid(&mut client);
    run(
        &mut client,
        &format!("set pg_session_jwt.jwt = '{}'", site.token("alice")),
    );
    let since = site.shown(&pid, "since");
    // With the key, and an audience for nothing.
    let entry = site.provider.entry("");
    run(&mut client, &format!("set pg_session_jwt.providers = '[ {entry}]'"));
    assert_eq!(site.shown(&pid, "user_id"), "");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(site.shown(&pid, "user_id, since"), format!("alice|{since}"));
    // Without the key.
    let other = testkit::provider::Provider::new(super::support::ISSUER).entry("");
    run(
        &mut client,
        &format!("begin; set local pg_session_jwt.providers = '[{other}]'"),
    );
    assert_eq!(site.shown(&pid, "user_id"), "");
    client.batch_execute("select auth.user_id()").unwrap_err();
    assert_eq!(site.shown(&pid, "user_id"), "");
    run(&mut client, "rollback");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(site.shown(&pid, "user_id, since"), format!("alice|{since}"));
}

#[test]
fn identity_that_outlasts_its_transaction_is_not_shown_where_it_must_not() {
    let mut site = Site::new();
    let mut client = site.session();
    let pid = pid(&mut client);
    let [alice, bob] = ["alice", "bob"].map(|user| site.token(user));
    run(&mut client, &format!("set pg_session_jwt.jwt = '{alice}'"));
    run(&mut client, "set pg_session_jwt.identity_scope = transaction");
    assert_eq!(site.shown(&pid, "user_id"), "");
    assert_eq!(user_id(&mut client), None);
    assert_eq!(site.shown(&pid, "user_id"), "");
    run(&mut client, &format!("begin; set local pg_session_jwt.jwt = '{bob}'"));
    assert_eq!(site.shown(&pid, "user_id, scope"), "bob|transaction");
    run(&mut client, "commit");
    assert_eq!(site.shown(&pid, "user_id"), "");
    client
        .batch_execute(&format!("set pg_session_jwt.jwt = '{bob}'"))
        .unwrap_err();
    assert_eq!(site.shown(&pid, "user_id"), "");
}
