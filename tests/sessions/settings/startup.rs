//! Keys and tokens in the startup packet, for each moment at which the library can be loaded.

use postgres::Client;

use testkit::loading::{is_loaded, with_each_loading};
use testkit::messages;
use testkit::server::SHARED;
use testkit::session::{Proxy, READERS, claims, init, one, rejects, rejects_token, run, user_id};

fn with_token(proxy: &Proxy, token: &str) -> String {
    format!("{} -c pg_session_jwt.jwt={token}", proxy.options())
}

#[track_caller]
fn every_reader_rejects(client: &mut Client, sqlstate: &str, message: &str) {
    for reader in READERS {
        rejects(client, &format!("select auth.{reader}()"), sqlstate, message);
    }
}

/// attack: 132
#[test]
fn library_is_loaded_at_the_tested_moment() {
    with_each_loading(|server, database, loading| {
        let mut client = server.connect(database, "postgres", "");
        assert_eq!(
            is_loaded(&mut client),
            loading != "loaded by the first call",
            "{loading}"
        );
        assert_eq!(user_id(&mut client), None);
        assert!(is_loaded(&mut client), "{loading}");
    });
}

#[test]
fn a_key_in_the_packet_makes_a_proxy_session() {
    with_each_loading(|server, database, loading| {
        let mut proxy = Proxy::new();
        let mut client = proxy.session_on(server, database);
        run(&mut client, "select auth.init()");
        assert_eq!(
            one::<String>(&mut client, "select mode from auth.status()"),
            "proxy",
            "{loading}"
        );
        assert_eq!(user_id(&mut client), None, "{loading}");
        run(&mut client, r#"set request.jwt.claims = '{"sub":"mallory"}'"#);
        assert_eq!(
            (user_id(&mut client), claims(&mut client)),
            (None, "null".to_owned()),
            "{loading}"
        );
        init(&mut client, &proxy.token_of("alice"));
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{loading}");
    });
}

#[test]
fn a_key_may_come_later_in_the_packet_than_the_token() {
    with_each_loading(|server, database, loading| {
        let mut proxy = Proxy::new();
        let token = proxy.token_of("alice");
        let (key, token) = (proxy.options(), format!("-c pg_session_jwt.jwt={token}"));
        for options in [format!("{key} {token}"), format!("{token} {key}")] {
            let mut client = server.connect(database, "postgres", &options);
            assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{loading}");
        }
    });
}

#[test]
fn token_of_the_packet_is_restored_after_others() {
    with_each_loading(|server, database, loading| {
        let proxy = Proxy::new();
        let options = with_token(&proxy, &proxy.token_with_jti(1, r#""sub":"alice""#));
        let mut client = server.connect(database, "postgres", &options);
        for (jti, back) in [
            (5, "reset all"),
            (6, "discard all"),
            (7, "reset pg_session_jwt.jwt"),
            (8, "rollback"),
        ] {
            assert_eq!(
                user_id(&mut client).as_deref(),
                Some("alice"),
                "{loading}, before {back}"
            );
            if back == "rollback" {
                run(&mut client, "begin");
            }
            init(&mut client, &proxy.token_with_jti(jti, r#""sub":"bob""#));
            assert_eq!(user_id(&mut client).as_deref(), Some("bob"), "{loading}");
            run(&mut client, back);
            assert_eq!(
                user_id(&mut client).as_deref(),
                Some("alice"),
                "{loading}, after {back}"
            );
        }
        run(&mut client, "set pg_session_jwt.jwt = ''");
        assert_eq!(user_id(&mut client), None, "{loading}");
        // A token that no client has any more is not one that the session returned to.
        let older = proxy.token_with_jti(8, r#""sub":"bob""#);
        rejects_token(&mut client, &older, "28000", messages::TOKEN_ID_REPLAYED);
    });
}

#[test]
fn bad_token_in_the_packet_is_an_error_until_replaced() {
    with_each_loading(|server, database, loading| {
        let mut proxy = Proxy::new();
        for (token, sqlstate, message) in [
            (Proxy::new().token_of("bob"), "28000", messages::INVALID_SIGNATURE),
            (
                proxy.raw(r#"{"sub":"bob","jti":1,"exp":1}"#),
                "28000",
                messages::EXPIRED,
            ),
            (proxy.raw(r#"{"sub":"bob"}"#), "28000", messages::NO_TOKEN_ID),
            ("nonsense".to_owned(), "28000", messages::INVALID_ENCODING),
        ] {
            let mut client = server.connect(database, "postgres", &with_token(&proxy, &token));
            run(&mut client, "select 1; select auth.init()");
            every_reader_rejects(&mut client, sqlstate, message);
            let status = "select mode || ' ' || identity || ' ' || reason from auth.status()";
            let status: String = one(&mut client, status);
            assert!(
                status.starts_with(&format!("proxy false {message}")),
                "{loading}: {status}"
            );
            init(&mut client, &proxy.token_of("alice"));
            assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{loading}");
            run(&mut client, "reset all");
            every_reader_rejects(&mut client, sqlstate, message);
            run(&mut client, "set pg_session_jwt.jwt = ''");
            assert_eq!(user_id(&mut client), None, "{loading}");
        }
    });
}

#[test]
fn token_without_a_key_is_not_ignored_for_claims() {
    with_each_loading(|server, database, loading| {
        let token = Proxy::new().token_of("alice");
        let options = format!(r#"-c pg_session_jwt.jwt={token} -c request.jwt.claims={{"sub":"mallory"}}"#);
        let mut client = server.connect(database, "postgres", &options);
        every_reader_rejects(&mut client, "55000", messages::NO_KEY);
        rejects(&mut client, "select auth.init()", "55000", messages::NO_KEY);
        assert!(
            !one::<bool>(&mut client, "select identity from auth.status()"),
            "{loading}"
        );
        run(&mut client, "set pg_session_jwt.jwt = ''");
        assert_eq!(
            user_id(&mut client).as_deref(),
            Some("mallory"),
            "claims mode, as nothing else is set"
        );
    });
}

#[test]
fn unusable_key_in_the_packet_disables_every_function() {
    // An unusable key disables every function instead of enabling claims mode.
    with_each_loading(|server, database, loading| {
        let other = Proxy::new().token_of("bob");
        for key in [
            "{",
            "null",
            "x",
            r#"{"kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}"#,
        ] {
            let options = format!(r#"-c pg_session_jwt.jwk={key} -c request.jwt.claims={{"sub":"mallory"}}"#);
            let mut client = server.connect(database, "postgres", &options);
            let problem = if key.contains("oct") {
                messages::KEY_NOT_USABLE
            } else {
                messages::NOT_A_KEY
            };
            let message = messages::unusable("jwk", problem);
            every_reader_rejects(&mut client, "22023", &message);
            rejects(&mut client, "select auth.init()", "22023", &message);
            rejects(
                &mut client,
                &format!("select auth.jwt_session_init('{other}')"),
                "22023",
                &message,
            );
            rejects(
                &mut client,
                &format!("set pg_session_jwt.jwt = '{other}'"),
                "22023",
                &message,
            );
            let status = one::<String>(&mut client, "select mode || ' ' || identity from auth.status()");
            assert_eq!(status, "unusable false", "{loading}");
            for sql in [
                "reset all",
                "discard all",
                r#"set request.jwt.claims = '{"sub":"mallory"}'"#,
            ] {
                run(&mut client, sql);
                every_reader_rejects(&mut client, "22023", &message);
            }
        }
    });
}

#[test]
fn unused_token_in_the_packet_advances_the_last_jti() {
    let mut proxy = Proxy::new();
    let older = proxy.token_of("bob");
    let token = proxy.token_of("alice");
    let options = with_token(&proxy, &token);
    let mut client = SHARED.connect(&SHARED.database(), "postgres", &options);
    let sql = format!("select auth.jwt_session_init('{older}')");
    rejects(&mut client, &sql, "28000", messages::TOKEN_ID_REPLAYED);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn bad_token_in_the_packet_does_not_advance_the_last_jti() {
    let mut proxy = Proxy::new();
    let options = with_token(&proxy, &Proxy::new().token_with_jti(1000, r#""sub":"bob""#));
    let mut client = SHARED.connect(&SHARED.database(), "postgres", &options);
    rejects(
        &mut client,
        "select auth.user_id()",
        "28000",
        messages::INVALID_SIGNATURE,
    );
    init(&mut client, &proxy.token_of("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}
