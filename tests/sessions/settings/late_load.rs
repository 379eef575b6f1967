//! What a session can do to the settings while the library is not loaded and they are mere placeholders.
//!
//! A key that was set and did not survive is different from no key: otherwise any client's claims would be trusted.

use std::sync::LazyLock;

use postgres::Client;
use testkit::loading::{is_loaded, ordinary_user};
use testkit::messages;
use testkit::server::{SHARED, Server};
use testkit::session::{Proxy, claims, init, one, rejects, rejects_token, run, user_id};

use crate::support::strict::{STRICT, stays_strict};

static OWNER: LazyLock<Proxy> = LazyLock::new(Proxy::new);

/// A server with a key in its file and nothing preloaded.
static FILE_KEY: LazyLock<Server> = LazyLock::new(|| Server::start(&format!("pg_session_jwt.jwk = '{}'", OWNER.jwk())));

/// Statements of an ordinary user before the library is loaded. Each would enable claims mode or set a key.
fn hostile_statements() -> Vec<String> {
    let key = Proxy::new().jwk();
    vec![
        "set pg_session_jwt.jwk = ''".to_owned(),
        "reset pg_session_jwt.jwk".to_owned(),
        "reset all".to_owned(),
        "discard all".to_owned(),
        "select set_config('pg_session_jwt.jwk', '', false)".to_owned(),
        format!("set pg_session_jwt.jwk = '{key}'"),
        format!("set \"PG_Session_JWT.jwk\" = '{key}'"),
        format!("set pg_session_jwt.jwk = '{key}'; reset pg_session_jwt.jwk"),
        format!("set pg_session_jwt.jwk = '{key}'; set pg_session_jwt.jwk = ''"),
        format!("begin; set local pg_session_jwt.jwk = '{key}'"),
        "begin; set local pg_session_jwt.jwk = ''".to_owned(),
        "begin; savepoint s; set pg_session_jwt.jwk = ''; release s; set local pg_session_jwt.jwk = ''".to_owned(),
    ]
}

/// Asserts that claims and tokens of any client give no identity.
#[track_caller]
fn only_the_owner_is_trusted(client: &mut Client, after: &str) {
    run(client, r#"set request.jwt.claims = '{"sub":"mallory"}'"#);
    assert_eq!(
        (user_id(client), claims(client)),
        (None, "null".to_owned()),
        "after {after}"
    );
    assert!(is_loaded(client));
    assert_eq!(
        one::<String>(client, "select mode from auth.status()"),
        "proxy",
        "after {after}"
    );
    run(client, "rollback");
    assert_eq!(
        (user_id(client), claims(client)),
        (None, "null".to_owned()),
        "after {after} and rollback"
    );
    rejects_token(
        client,
        &Proxy::new().token_of("mallory"),
        "28000",
        messages::INVALID_SIGNATURE,
    );
    init(client, &OWNER.token_with_jti(1, r#""sub":"alice""#));
    assert_eq!(user_id(client).as_deref(), Some("alice"), "after {after}");
}

/// attack: 61
#[test]
fn key_of_the_file_survives_earlier_session_settings() {
    let database = FILE_KEY.database();
    let user = ordinary_user(&FILE_KEY, &database);
    for sql in hostile_statements() {
        let mut client = FILE_KEY.connect(&database, &user, "");
        run(&mut client, &sql);
        assert!(!is_loaded(&mut client));
        only_the_owner_is_trusted(&mut client, &sql);
    }
}

#[test]
fn key_of_the_packet_survives_earlier_session_settings() {
    let database = SHARED.database();
    let user = ordinary_user(&SHARED, &database);
    for sql in hostile_statements() {
        let mut client = SHARED.connect(&database, &user, &OWNER.options());
        run(&mut client, &sql);
        assert!(!is_loaded(&mut client));
        only_the_owner_is_trusted(&mut client, &sql);
    }
}

#[test]
fn a_key_that_only_the_session_set_makes_every_function_fail() {
    let database = SHARED.database();
    let user = ordinary_user(&SHARED, &database);
    let key = Proxy::new();
    let mut client = SHARED.connect(&database, &user, "");
    run(&mut client, &format!("set pg_session_jwt.jwk = '{}'", key.jwk()));
    run(&mut client, r#"set request.jwt.claims = '{"sub":"mallory"}'"#);
    for sql in [
        "select 1",
        "reset all",
        "discard all",
        r#"set request.jwt.claims = '{"sub":"mallory"}'"#,
    ] {
        run(&mut client, sql);
        rejects(&mut client, "select auth.user_id()", "55000", messages::JWK_NOT_APPLIED);
        rejects(&mut client, "select auth.session()", "55000", messages::JWK_NOT_APPLIED);
        rejects(&mut client, "select auth.init()", "55000", messages::JWK_NOT_APPLIED);
    }
    let token = key.token_with_jti(1, r#""sub":"mallory""#);
    rejects(
        &mut client,
        &format!("select auth.jwt_session_init('{token}')"),
        "55000",
        messages::JWK_NOT_APPLIED,
    );
}

#[test]
fn load_inside_a_security_definer_function_keeps_the_key() {
    // The key must not be dropped, which would enable claims mode.
    let database = SHARED.database();
    let user = ordinary_user(&SHARED, &database);
    run(
        &mut SHARED.connect(&database, "postgres", ""),
        "create function definer_sees() returns text language sql security definer
             as 'select coalesce(auth.user_id(), ''(none)'')'",
    );
    for before in ["", "set pg_session_jwt.jwk = ''"] {
        let mut client = SHARED.connect(&database, &user, &OWNER.options());
        run(&mut client, r#"set request.jwt.claims = '{"sub":"mallory"}'"#);
        run(&mut client, before);
        assert_eq!(one::<String>(&mut client, "select definer_sees()"), "(none)");
        only_the_owner_is_trusted(&mut client, "a definer function");
        assert_eq!(one::<String>(&mut client, "select definer_sees()"), "alice");
    }
}

#[test]
fn a_load_that_is_rolled_back_keeps_the_key() {
    let database = SHARED.database();
    for (begin, end) in [
        ("begin", "rollback"),
        ("begin; savepoint s", "rollback to s; commit"),
        ("begin", "commit"),
    ] {
        let mut client = SHARED.connect(&database, "postgres", &OWNER.options());
        run(&mut client, begin);
        run(&mut client, "select auth.user_id()");
        run(&mut client, end);
        assert!(is_loaded(&mut client));
        only_the_owner_is_trusted(&mut client, end);
    }
}

#[test]
fn token_set_before_library_load_is_verified_at_load() {
    let mut proxy = Proxy::new();
    let database = SHARED.database();
    let mut client = proxy.session_on(&SHARED, &database);
    let token = proxy.token_of("alice");
    run(&mut client, &format!("set pg_session_jwt.jwt = '{token}'"));
    assert!(!is_loaded(&mut client));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    run(&mut client, "reset all");
    assert_eq!(user_id(&mut client), None);
    rejects_token(&mut client, &token, "28000", messages::TOKEN_ID_REPLAYED);

    let mut client = proxy.session_on(&SHARED, &database);
    run(
        &mut client,
        &format!("set pg_session_jwt.jwt = '{}'", Proxy::new().token_of("mallory")),
    );
    assert_eq!((user_id(&mut client), claims(&mut client)), (None, "null".to_owned()));
    init(&mut client, &proxy.token_of("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[test]
fn local_token_before_library_load_ends_with_transaction() {
    let mut proxy = Proxy::new();
    let database = SHARED.database();
    for end in ["commit", "rollback"] {
        let mut client = proxy.session_on(&SHARED, &database);
        run(
            &mut client,
            &format!("begin; set local pg_session_jwt.jwt = '{}'", proxy.token_of("alice")),
        );
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
        run(&mut client, end);
        assert_eq!(user_id(&mut client), None, "after {end}");
    }
}

#[test]
fn other_names_with_the_prefix_are_removed_at_load() {
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    run(&mut client, "set pg_session_jwt.providers_ = 'x'");
    assert_eq!(user_id(&mut client), None);
    let message = "unrecognized configuration parameter \"pg_session_jwt.providers_\"";
    rejects(&mut client, "show pg_session_jwt.providers_", "42704", message);
}

#[test]
fn restrictions_of_the_file_survive_a_users_settings() {
    let database = STRICT.database();
    let user = ordinary_user(&STRICT, &database);
    for sql in [
        "select 1",
        "set pg_session_jwt.claims_fallback = on; set pg_session_jwt.leeway = 300",
        "set pg_session_jwt.claims_fallback = off; reset pg_session_jwt.claims_fallback",
        "reset all",
        "begin; set local pg_session_jwt.claims_fallback = 'true'",
    ] {
        let mut client = STRICT.connect(&database, &user, "");
        run(&mut client, r#"set request.jwt.claims = '{"sub":"mallory"}'"#);
        run(&mut client, sql);
        stays_strict(&mut client, sql);
    }
}

#[test]
fn worker_that_loads_the_library_agrees_with_its_leader() {
    use crate::support::parallel::{SERVER, database, in_workers, leader_takes_part};
    let mut proxy = Proxy::new();
    let database = database("");
    let mut client = SERVER.connect(&database, "postgres", &proxy.options());
    // A body that is not an expression is not inspected: the leader does not need the library.
    run(
        &mut client,
        "create function who() returns text language plpgsql parallel safe as 'begin return auth.user_id(); end'",
    );
    let mut client = SERVER.connect(&database, "postgres", &proxy.options());
    let token = proxy.token_of("alice");
    run(&mut client, &format!("set pg_session_jwt.jwt = '{token}'"));
    leader_takes_part(&mut client, false);
    let seen = in_workers(&mut client, "who()");
    assert!(!seen.is_empty());
    for row in seen {
        assert_eq!(row, [Some("alice".to_owned()), Some("t".to_owned())]);
    }
}
