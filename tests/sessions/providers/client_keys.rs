//! Keys of clients in the startup packet, which a server can reject.

use testkit::key_server::wait_until;
use testkit::loading::{PRELOADED, ordinary_user};
use testkit::messages;
use testkit::server::Server;
use testkit::session::{FUNCTIONS, Proxy, init, one, rejection, rejects, run, user_id};
use testkit::wire::Wire;

use crate::support::reload::reload;

/// attack: 145
#[test]
fn server_can_reject_all_client_keys() {
    let server = Server::start("shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.client_keys = off");
    let database = server.database();
    let user = ordinary_user(&server, &database);
    let mut proxy = Proxy::new();
    let jwk = proxy.jwk();
    for user in [user.as_str(), "postgres"] {
        for key in [jwk.as_str(), "nonsense", ""] {
            let option = format!("-c pg_session_jwt.jwk={key}");
            for parameter in [("pg_session_jwt.jwk", key), ("options", option.as_str())] {
                let rejected = Wire::login(server.port(), user, &[("database", &database), parameter], "").err();
                let rejected = rejected.expect("a rejection");
                assert_eq!(
                    (rejected.sqlstate.as_str(), rejected.message.as_str()),
                    ("42501", messages::JWK_OF_CLIENT),
                    "{key}"
                );
            }
        }
        // Nor can a client enable them.
        let on = [
            ("database", database.as_str()),
            ("options", "-c pg_session_jwt.client_keys=on"),
        ];
        assert_eq!(
            Wire::login(server.port(), user, &on, "").err().unwrap().sqlstate,
            "55P02"
        );
    }
    let mut client = server.connect(&database, "postgres", r#"-c request.jwt.claims={"sub":"carol"}"#);
    assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
    for sql in [
        "set pg_session_jwt.client_keys = on".to_owned(),
        format!("alter database {database} set pg_session_jwt.client_keys = on"),
    ] {
        assert_eq!(rejection(&mut client, &sql).sqlstate, "55P02", "{sql}");
    }
    // The key of an open session is ignored while client keys are off, and applies again when they are on.
    run(&mut client, "alter system set pg_session_jwt.client_keys = on");
    reload(&server, &mut [&mut client]);
    let mut with_key = None;
    wait_until("the new setting", || {
        with_key = server.try_connect(&database, &user, &proxy.options()).ok();
        with_key.is_some()
    });
    let mut with_key = with_key.unwrap();
    init(&mut with_key, &proxy.token_of("alice"));
    run(&mut client, "alter system set pg_session_jwt.client_keys = off");
    reload(&server, &mut [&mut client, &mut with_key]);
    for call in FUNCTIONS {
        rejects(
            &mut with_key,
            &format!("select auth.{call}()"),
            "42501",
            messages::JWK_OF_CLIENT,
        );
    }
    run(&mut client, "alter system set pg_session_jwt.client_keys = on");
    reload(&server, &mut [&mut client, &mut with_key]);
    assert_eq!(user_id(&mut with_key).as_deref(), Some("alice"));
}

#[test]
fn client_key_gives_no_identity_without_preload() {
    let server = Server::start("pg_session_jwt.client_keys = off");
    let database = server.database();
    let user = ordinary_user(&server, &database);
    let mut proxy = Proxy::new();
    for more in [
        "",
        " -c pg_session_jwt.client_keys=on",
        " -c pg_session_jwt.client_keys=nonsense",
    ] {
        let options = format!(r#"{}{more} -c request.jwt.claims={{"sub":"mallory"}}"#, proxy.options());
        let mut client = server.connect(&database, &user, &options);
        let _ = client.batch_execute("set pg_session_jwt.client_keys = on");
        for call in FUNCTIONS {
            let rejected = rejection(&mut client, &format!("select auth.{call}()"));
            assert!(
                ["55000", "42501"].contains(&rejected.sqlstate.as_str()),
                "{more}: {call}: {rejected:?}"
            );
        }
        let sql = format!("select auth.jwt_session_init('{}')", proxy.token_of("mallory"));
        assert!(["55000", "42501"].contains(&rejection(&mut client, &sql).sqlstate.as_str()));
        assert_eq!(one::<String>(&mut client, "select mode from auth.status()"), "unusable");
    }
    let mut client = server.connect(&database, &user, r#"-c request.jwt.claims={"sub":"carol"}"#);
    assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
}

/// attack: 145
#[test]
fn key_that_replaces_another_in_the_packet_is_rejected() {
    let (proxy, other) = (Proxy::new(), Proxy::new());
    let (jwk, options) = (other.jwk(), proxy.options());
    let database = PRELOADED.database();
    let twice = format!("{options} {}", other.options());
    for parameters in [
        vec![("options", options.as_str()), ("pg_session_jwt.jwk", jwk.as_str())],
        vec![("pg_session_jwt.jwk", jwk.as_str()), ("options", options.as_str())],
        vec![("options", options.as_str()), ("pg_session_jwt.jwk", "")],
        vec![("options", options.as_str()), ("pg_session_jwt.jwk", "nonsense")],
        vec![
            ("options", "-c pg_session_jwt.jwk="),
            ("pg_session_jwt.jwk", jwk.as_str()),
        ],
        vec![("options", twice.as_str())],
    ] {
        let all: Vec<_> = [("database", database.as_str())]
            .into_iter()
            .chain(parameters.clone())
            .collect();
        let rejected = Wire::login(PRELOADED.port(), "postgres", &all, "")
            .err()
            .expect("a rejection");
        assert_eq!(
            (rejected.sqlstate.as_str(), rejected.message.as_str()),
            ("42501", messages::JWK_TWICE),
            "{parameters:?}"
        );
    }
    let jwk = proxy.jwk();
    let same = [
        ("database", database.as_str()),
        ("options", options.as_str()),
        ("pg_session_jwt.jwk", &jwk),
    ];
    let mut client = Wire::login(PRELOADED.port(), "postgres", &same, "").unwrap();
    client.run(&format!(
        "select auth.jwt_session_init('{}')",
        proxy.token_with_jti(1, r#""sub":"alice""#)
    ));
    assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()));
}
