//! The token is presented, and never shown again.

use postgres::Client;
use postgres::error::ErrorPosition;

use testkit::loading::with_each_loading;
use testkit::messages;
use testkit::server::{SHARED, major};
use testkit::session::{Proxy, init, one, rejection, rejects, rows, run, user_id, ways_to_present};

/// Every view of settings in SQL, as one text.
fn everything_shown(client: &mut Client) -> String {
    let mut shown = String::new();
    for sql in [
        "show pg_session_jwt.jwt",
        "show all",
        "select current_setting('pg_session_jwt.jwt'), current_setting('PG_SESSION_JWT.JWT', true)",
        "select * from pg_settings",
        "select * from pg_catalog.pg_show_all_settings()",
        "select * from pg_file_settings",
        "select setconfig from pg_db_role_setting",
        "explain (analyze, settings, verbose) select auth.user_id()",
        "select * from auth.status()",
        "select proconfig from pg_proc where proconfig is not null",
    ] {
        for row in rows(client, sql) {
            shown.extend(row.into_iter().flatten().map(|text| text + "\n"));
        }
    }
    assert!(shown.contains("pg_session_jwt.leeway"), "the settings are shown");
    shown
}

/// Asserts that a text contains neither the token nor a part of it with the payload or the signature.
#[track_caller]
fn hides(shown: &str, token: &str) {
    for part in token.split('.').skip(1) {
        assert!(!shown.contains(part), "{shown}");
    }
}

/// attack: 99
#[test]
fn no_view_of_settings_shows_the_token() {
    // A bearer token must not be readable: SHOW gives a mask.
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    let mask = |client: &mut Client| one::<String>(client, "show pg_session_jwt.jwt");
    run(&mut client, "select auth.init()");
    assert_eq!(mask(&mut client), "");
    let token = proxy.token_of("alice");
    init(&mut client, &token);
    assert_eq!(mask(&mut client), "***");
    assert_eq!(
        one::<String>(&mut client, "select current_setting('pg_session_jwt.jwt')"),
        "***"
    );
    hides(&everything_shown(&mut client), &token);
    run(&mut client, "begin");
    let local = proxy.token_of("bob");
    run(&mut client, &format!("set local pg_session_jwt.jwt = '{local}'"));
    let shown = everything_shown(&mut client);
    hides(&shown, &token);
    hides(&shown, &local);
    run(&mut client, "rollback; reset all");
    assert_eq!(mask(&mut client), "");
}

#[test]
fn token_of_the_startup_packet_is_not_shown() {
    // A bearer token must not be readable: SHOW gives a mask.
    with_each_loading(|server, database, _| {
        let mut proxy = Proxy::new();
        let (token, bad) = (proxy.token_of("alice"), Proxy::new().token_of("bob"));
        for token in [token, bad] {
            let options = format!("{} -c pg_session_jwt.jwt={token}", proxy.options());
            let mut client = server.connect(database, "postgres", &options);
            run(&mut client, "select auth.init()");
            assert_eq!(one::<String>(&mut client, "show pg_session_jwt.jwt"), "***");
            for sql in [
                "show all",
                "select * from pg_settings",
                "select current_setting('pg_session_jwt.jwt')",
            ] {
                let shown = format!("{:?}", rows(&mut client, sql));
                hides(&shown, &token);
            }
        }
    });
}

#[test]
fn set_config_answers_with_the_mask() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    run(&mut client, "select auth.init()");
    let sql = format!(
        "select set_config('pg_session_jwt.jwt', '{}', false)",
        proxy.token_of("alice")
    );
    assert_eq!(one::<String>(&mut client, &sql), "***");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn mask_is_not_accepted_as_a_token() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let save = "select set_config('pg_session_jwt.jwt', current_setting('pg_session_jwt.jwt'), false)";
    rejects(&mut client, save, "28000", messages::INVALID_ENCODING);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

/// attack: 98
#[test]
fn no_rejection_shows_the_token_or_its_claims() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(
        &mut client,
        "create function pg_temp.deep(token text) returns void language plpgsql as
        'begin perform auth.jwt_session_init(token); end'",
    );
    let other = Proxy::new();
    for token in [
        other.raw(r#"{"jti":9,"sub":"hidden"}"#),
        proxy.raw(r#"{"jti":9,"sub":"hidden","exp":1}"#),
        proxy.raw(r#"{"jti":0,"sub":"hidden"}"#),
        proxy.raw(r#"{"jti":"hidden"}"#),
        proxy.raw(r#"{"jti":9,"sub":"hidden","#),
        proxy.raw(r#"{"jti":9,"sub":"hidden","exp":"hidden"}"#),
        proxy.raw(r#"{"jti":9,"sub":"hidden\u0000"}"#),
        proxy.raw(r#"{"jti":9,"hidden":1,"hidden":2}"#),
        format!("{}!", proxy.raw(r#"{"jti":9,"sub":"hidden"}"#)),
    ] {
        let called = format!("select pg_temp.deep('{token}')");
        for sql in ways_to_present(&token).iter().chain([&called]) {
            let error = client.batch_execute(sql).expect_err(sql);
            let error = error.as_db_error().unwrap();
            let quoted = match error.position() {
                Some(ErrorPosition::Internal { query, .. }) => Some(query.as_str()),
                _ => None,
            };
            let texts = [
                Some(error.message()),
                error.detail(),
                error.hint(),
                error.where_(),
                quoted,
            ];
            let texts = texts.into_iter().flatten().collect::<Vec<_>>().join("\n");
            hides(&texts, &token);
            assert!(!texts.contains("hidden"), "{texts}");
            // A generic rejection by PostgreSQL would quote the value.
            assert!(!texts.contains("invalid value for parameter"), "{texts}");
        }
    }
    let leaked = rejection(&mut client, "set pg_session_jwt.leeway = 'hidden'");
    assert!(
        leaked.message.contains("hidden"),
        "this test sees what PostgreSQL quotes: {leaked:?}"
    );
}

#[test]
fn another_session_cannot_see_the_token_of_a_bound_parameter() {
    let mut proxy = Proxy::new();
    let database = SHARED.database();
    let mut client = proxy.session_on(&SHARED, &database);
    let mut watcher = SHARED.connect(&database, "postgres", "");
    let token = proxy.token_of("alice");
    client.execute("select auth.jwt_session_init($1)", &[&token]).unwrap();
    let shown = format!("{:?}", rows(&mut watcher, "select * from pg_stat_activity"));
    assert!(shown.contains("auth.jwt_session_init($1)"), "{shown}");
    hides(&shown, &token);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn key_is_public_and_settings_match_the_readme() {
    let proxy = Proxy::new();
    let mut client = proxy.session();
    run(&mut client, "select auth.init(); set role authenticated");
    assert_eq!(one::<String>(&mut client, "show pg_session_jwt.jwk"), proxy.jwk());
    let settings = "select name, setting, boot_val, reset_val, vartype, context, min_val, max_val, unit
                      from pg_settings where name ~ '^(pg_session_jwt|request)[.]' order by name collate \"C\"";
    let jwk = proxy.jwk();
    let text = |text: &str| Some(text.to_owned()).filter(|text| text != "-");
    let expected = [
        [
            "pg_session_jwt.audit_log",
            "off",
            "off",
            "off",
            "bool",
            "superuser",
            "-",
            "-",
            "-",
        ],
        [
            "pg_session_jwt.bind_login_identity",
            "on",
            "on",
            "on",
            "bool",
            "superuser",
            "-",
            "-",
            "-",
        ],
        [
            "pg_session_jwt.claims_fallback",
            "on",
            "on",
            "on",
            "bool",
            "superuser",
            "-",
            "-",
            "-",
        ],
        [
            "pg_session_jwt.client_keys",
            "on",
            "on",
            "on",
            "bool",
            "sighup",
            "-",
            "-",
            "-",
        ],
        [
            "pg_session_jwt.identity_scope",
            "any",
            "any",
            "any",
            "enum",
            "superuser",
            "-",
            "-",
            "-",
        ],
        ["pg_session_jwt.jwk", &jwk, "", &jwk, "string", "backend", "-", "-", "-"],
        [
            "pg_session_jwt.leeway",
            "60",
            "60",
            "60",
            "integer",
            "superuser",
            "0",
            "300",
            "s",
        ],
        [
            "pg_session_jwt.log_user_id",
            "off",
            "off",
            "off",
            "bool",
            "superuser",
            "-",
            "-",
            "-",
        ],
        [
            "pg_session_jwt.optimize_policies",
            "on",
            "on",
            "on",
            "bool",
            "user",
            "-",
            "-",
            "-",
        ],
        [
            "pg_session_jwt.shared_cache",
            "8192",
            "8192",
            "8192",
            "integer",
            "sighup",
            "0",
            "1048576",
            "kB",
        ],
    ];
    assert_eq!(
        rows(&mut client, settings),
        expected.map(|row| row.map(text).to_vec()),
        "PostgreSQL {}",
        major()
    );
}
