//! Claims mode: `request.jwt.claims` as a trusted gateway sets it, and when it is ignored.

use postgres::Client;

use testkit::loading::{PRELOADED, ordinary_user, with_each_loading};
use testkit::messages;
use testkit::server::SHARED;
use testkit::session::{Proxy, claims, init, one, rejection, rejects, rejects_token, rows, run, user_id};

fn anonymous() -> Client {
    SHARED.connect(&SHARED.database(), "postgres", "")
}

fn set(client: &mut Client, claims: &str) {
    client
        .execute("select set_config('request.jwt.claims', $1, false)", &[&claims])
        .unwrap();
}

#[test]
fn without_claims_every_function_returns_null() {
    let mut client = anonymous();
    let mut all_is_null = |before: &str| {
        run(&mut client, before);
        let expected = [["t", "t", "f", "t", "t", "t", "t", "t", "t", "null"].map(|text| Some(text.to_owned()))];
        let asked = "select auth.user_id() is null, auth.uid() is null, auth.session() is null,
                            auth.session() = 'null', auth.jwt() = 'null', auth.organization() is null,
                            auth.organization_id() is null, auth.role() is null, auth.email() is null, auth.session()";
        assert_eq!(rows(&mut client, asked), expected, "after {before}");
    };
    all_is_null("select 1");
    all_is_null("set request.jwt.claims = ''");
    all_is_null("reset request.jwt.claims");
    for bad in [
        "not JSON",
        "{",
        r#"{"sub":"alice"} x"#,
        r#"{"sub":"alice","sub":"bob"}"#,
        r#"{"sub":"alice\u0000"}"#,
        r#"{"sub":"\ud834"}"#,
        r#"{"sub":"alice","x":1e400000}"#,
        "{'sub':'alice'}",
    ] {
        all_is_null(&format!("set request.jwt.claims = '{}'", bad.replace('\'', "''")));
    }
    all_is_null(&format!(
        "set request.jwt.claims = '{}{}'",
        "[".repeat(100_000),
        "]".repeat(100_000)
    ));
    let long = format!(r#"{{"sub":"alice","x":"{}"}}"#, "x".repeat(65_536));
    all_is_null(&format!("set request.jwt.claims = '{long}'"));
    all_is_null("set request.jwt.claims = '{\"sub\":\"alice\"}'; reset all");
    all_is_null("discard all");
}

#[test]
fn session_returns_the_claims_unchanged() {
    let mut client = anonymous();
    for (text, session, user) in [
        (r#"{"sub":"alice"}"#, r#"{"sub": "alice"}"#, Some("alice")),
        (r#" { "sub" : "älice" } "#, r#"{"sub": "älice"}"#, Some("älice")),
        (r#"{"sub":7}"#, r#"{"sub": 7}"#, None),
        (r#"{"sub":null}"#, r#"{"sub": null}"#, None),
        (r#"{"sub":["alice"]}"#, r#"{"sub": ["alice"]}"#, None),
        (r#"{"user":"alice"}"#, r#"{"user": "alice"}"#, None),
        ("{}", "{}", None),
        ("[]", "[]", None),
        (r#"["sub","alice"]"#, r#"["sub", "alice"]"#, None),
        (r#""alice""#, r#""alice""#, None),
        ("7", "7", None),
        ("true", "true", None),
        ("null", "null", None),
        (r#"{"sub":""}"#, r#"{"sub": ""}"#, Some("")),
        // The proxy is responsible for dates and jti in claims.
        (
            r#"{"exp":1,"nbf":"x","jti":"x"}"#,
            r#"{"exp": 1, "jti": "x", "nbf": "x"}"#,
            None,
        ),
        // Every digit of a number is preserved.
        (
            r#"{"n":12345678901234567890123,"m":1.10}"#,
            r#"{"m": 1.10, "n": 12345678901234567890123}"#,
            None,
        ),
    ] {
        set(&mut client, text);
        assert_eq!(claims(&mut client), session, "{text}");
        assert_eq!(user_id(&mut client).as_deref(), user, "{text}");
        assert!(
            one::<bool>(&mut client, "select auth.uid() is null and auth.organization() is null"),
            "{text}"
        );
    }
    set(
        &mut client,
        &format!(r#"{{"sub":"alice","x":"{}"}}"#, "x".repeat(65_500)),
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn each_transaction_of_a_proxy_has_its_own_claims() {
    // PostgREST's statement. The library is loaded in the middle of the first one.
    with_each_loading(|server, database, loading| {
        for user in [None, Some("postgres")] {
            let user = user.map_or_else(|| ordinary_user(server, database), str::to_owned);
            let mut client = server.connect(database, &user, "");
            for (user, end) in [("alice", "commit"), ("bob", "rollback"), ("carol", "commit")] {
                run(&mut client, "begin");
                let claims = format!(r#"{{"sub":"{user}","role":"authenticated"}}"#);
                client
                    .execute(
                        "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)",
                        &[&claims],
                    )
                    .unwrap();
                assert_eq!(user_id(&mut client).as_deref(), Some(user), "{loading}");
                assert_eq!(one::<String>(&mut client, "select auth.role()"), "authenticated");
                run(&mut client, end);
                assert_eq!(user_id(&mut client), None, "{loading}, after {end}");
            }
        }
    });
}

#[test]
fn claims_follow_savepoints_and_functions() {
    let mut client = anonymous();
    set(&mut client, r#"{"sub":"alice"}"#);
    run(
        &mut client,
        "create function as_bob() returns text language sql set request.jwt.claims = '{\"sub\":\"bob\"}'
             as 'select auth.user_id()'",
    );
    let seen = "select concat_ws(' ', auth.user_id(), as_bob(), auth.user_id())";
    assert_eq!(one::<String>(&mut client, seen), "alice bob alice");
    run(
        &mut client,
        r#"begin; savepoint s; set request.jwt.claims = '{"sub":"carol"}'"#,
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
    run(&mut client, "rollback to s");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    run(&mut client, "commit");
}

#[test]
fn claims_are_ignored_when_a_key_is_set() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    set(&mut client, r#"{"sub":"mallory"}"#);
    assert_eq!((user_id(&mut client), claims(&mut client)), (None, "null".to_owned()));
    init(&mut client, &proxy.token_of("alice"));
    set(&mut client, r#"{"sub":"mallory"}"#);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(claims(&mut client), r#"{"jti": 1, "sub": "alice"}"#);
    run(&mut client, "reset pg_session_jwt.jwt");
    assert_eq!((user_id(&mut client), claims(&mut client)), (None, "null".to_owned()));
}

/// attack: 65
#[test]
fn claims_are_ignored_when_the_fallback_is_off() {
    for server in [&*SHARED, &*PRELOADED] {
        let database = server.database();
        let user = ordinary_user(server, &database);
        let mut admin = server.connect(&database, "postgres", "");
        run(
            &mut admin,
            &format!("alter database {database} set pg_session_jwt.claims_fallback = off"),
        );
        let mut client = server.connect(&database, &user, r#"-c request.jwt.claims={"sub":"mallory"}"#);
        assert_eq!((user_id(&mut client), claims(&mut client)), (None, "null".to_owned()));
        let denied = "permission denied to set parameter \"pg_session_jwt.claims_fallback\"";
        rejects(&mut client, "set pg_session_jwt.claims_fallback = on", "42501", denied);
        for sql in [
            "reset all",
            "reset request.jwt.claims",
            r#"set request.jwt.claims = '{"sub":"mallory"}'"#,
        ] {
            run(&mut client, sql);
            assert_eq!(
                (user_id(&mut client), claims(&mut client)),
                (None, "null".to_owned()),
                "{sql}"
            );
        }
        let status = "select mode || ' ' || identity from auth.status()";
        assert_eq!(one::<String>(&mut client, status), "off false");
    }
}

#[test]
fn token_without_a_key_is_rejected_in_claims_mode() {
    let mut proxy = Proxy::new();
    let mut client = anonymous();
    set(&mut client, r#"{"sub":"alice"}"#);
    rejects(&mut client, "select auth.init()", "55000", messages::NO_KEY);
    rejects_token(&mut client, &proxy.token_of("bob"), "55000", messages::NO_KEY);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    let rejected = rejection(&mut client, "select auth.init()");
    let hint = rejected.hint.unwrap();
    for setting in [
        "pg_session_jwt.jwk",
        "request.jwt.claims",
        "pg_session_jwt.claims_fallback",
    ] {
        assert!(hint.contains(setting), "{hint}");
    }
}

#[test]
fn claims_do_not_cross_sessions() {
    let database = SHARED.database();
    let mut alice = SHARED.connect(&database, "postgres", "");
    let mut bob = SHARED.connect(&database, "postgres", "");
    set(&mut alice, r#"{"sub":"alice"}"#);
    assert_eq!(user_id(&mut bob), None);
    set(&mut bob, r#"{"sub":"bob"}"#);
    assert_eq!(user_id(&mut alice).as_deref(), Some("alice"));
}
