//! A key in the server's own configuration, with the library preloaded: the only key.

use std::sync::LazyLock;

use testkit::loading::{PRELOADED, ordinary_user};
use testkit::messages;
use testkit::server::Server;
use testkit::session::{FUNCTIONS, Proxy, init, one, rejection_of, rejects, rejects_token, run, user_id};

static OWNER: LazyLock<Proxy> = LazyLock::new(Proxy::new);

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let jwk = OWNER.jwk();
    Server::start(&format!(
        "shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.jwk = '{jwk}'"
    ))
});

/// attack: 60
#[test]
fn client_cannot_replace_the_servers_key() {
    // A client cannot choose its own key by PGOPTIONS.
    let database = SERVER.database();
    let user = ordinary_user(&SERVER, &database);
    let other = Proxy::new();
    for options in [
        other.options(),
        other.options().replace("-c ", "--"),
        other.options().replace("jwk=", "JWK="),
        OWNER.options(),
        "-c pg_session_jwt.jwk=".to_owned(),
        "-c pg_session_jwt.jwk=nonsense".to_owned(),
        format!("{} {}", other.options(), OWNER.options()),
    ] {
        for user in [user.as_str(), "postgres"] {
            let error = SERVER
                .try_connect(&database, user, &options)
                .map(drop)
                .expect_err(&options);
            let rejected = rejection_of(&error);
            assert_eq!(rejected.sqlstate, "42501", "{options}: {rejected:?}");
            assert_eq!(rejected.message, messages::JWK_OF_SERVER, "{options}");
        }
    }
}

#[test]
fn server_key_applies_to_every_session() {
    let database = SERVER.database();
    let user = ordinary_user(&SERVER, &database);
    let mut client = SERVER.connect(&database, &user, r#"-c request.jwt.claims={"sub":"mallory"}"#);
    run(&mut client, "select auth.init()");
    assert_eq!(user_id(&mut client), None);
    init(&mut client, &OWNER.token_with_jti(1, r#""sub":"alice""#));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    rejects_token(
        &mut client,
        &Proxy::new().token_of("mallory"),
        "28000",
        messages::INVALID_SIGNATURE,
    );

    let token = format!("-c pg_session_jwt.jwt={}", OWNER.token_with_jti(1, r#""sub":"bob""#));
    let mut client = SERVER.connect(&database, &user, &token);
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[test]
fn an_ordinary_user_cannot_connect_with_settings_of_superusers() {
    let database = PRELOADED.database();
    let user = ordinary_user(&PRELOADED, &database);
    for setting in ["claims_fallback=off", "leeway=300", "audit_log=off", "log_user_id=off"] {
        let options = format!("-c pg_session_jwt.{setting}");
        let error = PRELOADED
            .try_connect(&database, &user, &options)
            .map(drop)
            .expect_err(&options);
        let rejected = rejection_of(&error);
        let name = setting.split_once('=').unwrap().0;
        assert_eq!(rejected.sqlstate, "42501", "{options}: {rejected:?}");
        assert_eq!(
            rejected.message,
            format!("permission denied to set parameter \"pg_session_jwt.{name}\"")
        );
        PRELOADED.connect(&database, "postgres", &options);
    }
}

#[test]
fn new_key_in_the_file_applies_to_new_sessions() {
    let (old, new) = (Proxy::new(), Proxy::new());
    let server = Server::start("shared_preload_libraries = 'pg_session_jwt'");
    let mut admin = server.connect("postgres", "postgres", "");
    let database = server.database();
    let change = |admin: &mut postgres::Client, key: &str| {
        run(admin, &format!("alter system set pg_session_jwt.jwk = '{key}'"));
        run(admin, "select pg_reload_conf()");
        // The postmaster has read it when new sessions show it.
        let shown = |_: &i32| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            one::<String>(
                &mut server.connect(&database, "postgres", ""),
                "show pg_session_jwt.jwk",
            )
        };
        assert!((0..500).any(|attempt| shown(&attempt) == key), "{key} is not read");
    };
    change(&mut admin, &old.jwk());
    let mut before = server.connect(&database, "postgres", "");
    init(&mut before, &old.token_with_jti(1, r#""sub":"alice""#));
    change(&mut admin, &new.jwk());
    assert_eq!(user_id(&mut before).as_deref(), Some("alice"));
    rejects_token(
        &mut before,
        &new.token_with_jti(2, r#""sub":"bob""#),
        "28000",
        messages::INVALID_SIGNATURE,
    );
    init(&mut before, &old.token_with_jti(2, r#""sub":"carol""#));
    let mut after = server.connect(&database, "postgres", "");
    rejects_token(
        &mut after,
        &old.token_with_jti(1, r#""sub":"bob""#),
        "28000",
        messages::INVALID_SIGNATURE,
    );
    init(&mut after, &new.token_with_jti(1, r#""sub":"bob""#));
    assert_eq!(user_id(&mut after).as_deref(), Some("bob"));
    // A mistake in the file affects new sessions only.
    change(&mut admin, "{\"kty\":\"OKP\"}");
    let mut shut = server.connect(&database, "postgres", r#"-c request.jwt.claims={"sub":"mallory"}"#);
    let message = &messages::unusable("jwk", messages::KEY_NOT_USABLE);
    rejects(&mut shut, "select auth.user_id()", "22023", message);
    assert_eq!(user_id(&mut before).as_deref(), Some("carol"));
    assert_eq!(user_id(&mut after).as_deref(), Some("bob"));
}

/// attack: 125
#[test]
fn server_with_an_unusable_key_gives_no_identity() {
    for preload in ["", "shared_preload_libraries = 'pg_session_jwt'\n"] {
        let key = r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#;
        let mut server = Server::start(&format!("{preload}pg_session_jwt.jwk = '{key}'"));
        let database = server.database();
        for _ in 0..2 {
            let mut client = server.connect(&database, "postgres", r#"-c request.jwt.claims={"sub":"mallory"}"#);
            let message = &messages::unusable("jwk", messages::KEY_NOT_USABLE);
            for call in FUNCTIONS {
                rejects(&mut client, &format!("select auth.{call}()"), "22023", message);
            }
            let rejected = testkit::session::rejection(&mut client, "select auth.user_id()");
            let detail = "The key was rejected: its \"x\" must have 32 bytes.";
            assert_eq!(rejected.detail.as_deref(), Some(detail));
            let status = "select mode || ' ' || identity || ' ' || reason from auth.status()";
            assert_eq!(
                one::<String>(&mut client, status),
                format!("unusable false {message} ({detail})")
            );
            server.restart();
        }
        let complaint = &messages::unusable("jwk", "");
        assert!(server.log().contains(complaint), "{}", server.log());
    }
}

#[test]
fn server_starts_with_any_text_as_key() {
    for key in [
        "{",
        "not JSON",
        r#"{"kty":"oct","k":"AAAA"}"#,
        &format!(r#"{{"kty":"{}"}}"#, "x".repeat(900)),
    ] {
        let conf = format!("shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.jwk = '{key}'");
        let (started, log) = Server::try_start(&conf);
        assert!(started, "{log}");
        assert!(log.contains(&messages::unusable("jwk", "")), "{log}");
    }
}
