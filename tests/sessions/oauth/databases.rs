//! The login is verified under the server's settings, and the identity under those of the session.

use testkit::key_server::wait_until;
use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{Proxy, READERS};
use testkit::wire::Wire;

use crate::support::oauth_server::{
    ISSUER, alter, conf, is_rejected, log_since, login, login_to, server_with, token, usual_entry, usual_server,
};

#[track_caller]
fn every_call_fails(client: &mut Wire, sqlstate: &str, message: &str) {
    for call in READERS {
        client.rejects(&format!("select auth.{call}()"), sqlstate, message);
    }
    client.rejects("select * from notes", sqlstate, message);
}

#[test]
fn database_without_the_provider_rejects_its_tokens() {
    let other = Provider::new("https://b.example/");
    let Some(server) = usual_server("") else { return };
    let database = server.database();
    let set = format!("set pg_session_jwt.providers = '[{}]'", other.entry(""));
    alter(&server, &format!("alter database {database} {set}"));
    alter(&server, &format!("alter role authenticated in database app {set}"));
    for database in [&database, "app"] {
        let mut client = login_to(&server, database, &token("alice")).unwrap();
        every_call_fails(&mut client, "28000", messages::UNKNOWN_ISSUER);
        assert_eq!(
            client
                .one("select concat_ws('|', mode, identity, reason) from auth.status()")
                .unwrap(),
            format!(
                "provider|f|{} (The JWT has iss=\"{ISSUER}\".)",
                messages::UNKNOWN_ISSUER
            )
        );
        // Nor does it make the session a user of that provider.
        let foreign = format!("set pg_session_jwt.jwt = '{}'", other.token("alice"));
        client.rejects(&foreign, "28000", messages::OTHER_USER);
        client.run("discard all");
        every_call_fails(&mut client, "28000", messages::UNKNOWN_ISSUER);
        assert_eq!(client.one("select system_user"), Some("oauth:alice".to_owned()));
    }
    // Their own tokens are rejected at login: the server's setting does not have the provider.
    is_rejected(login_to(&server, &database, &other.token("bob")), "authenticated");
}

#[test]
fn claims_are_not_trusted_after_an_oauth_login() {
    let Some(server) = usual_server("") else { return };
    let database = server.database();
    alter(
        &server,
        &format!("alter database {database} set pg_session_jwt.providers = ''"),
    );
    let parameters = [
        ("database", database.as_str()),
        ("request.jwt.claims", r#"{"sub":"mallory"}"#),
    ];
    let mut client = Wire::login(server.port(), "authenticated", &parameters, &token("alice")).unwrap();
    assert_eq!(client.one("select mode from auth.status()").unwrap(), "claims");
    every_call_fails(&mut client, "55000", messages::NO_PROVIDER_OF_LOGIN);
    client.run(r#"set request.jwt.claims = '{"sub":"bob"}'"#);
    every_call_fails(&mut client, "55000", messages::NO_PROVIDER_OF_LOGIN);
    client.rejects("set pg_session_jwt.jwt = ''", "28000", messages::OTHER_USER);
    client.run("reset all");
    every_call_fails(&mut client, "55000", messages::NO_PROVIDER_OF_LOGIN);
}

#[test]
fn client_key_cannot_change_the_user() {
    let Some(server) = usual_server("") else { return };
    let database = server.database();
    alter(
        &server,
        &format!("alter database {database} set pg_session_jwt.providers = ''"),
    );
    let mut proxy = Proxy::new();
    let options = proxy.options();
    let parameters = [("database", database.as_str()), ("options", options.as_str())];
    let mut client = Wire::login(server.port(), "authenticated", &parameters, &token("alice")).unwrap();
    assert_eq!(client.one("select mode from auth.status()").unwrap(), "proxy");
    every_call_fails(&mut client, "55000", messages::NO_PROVIDER_OF_LOGIN);
    for token in [
        proxy.token_of("mallory"),
        proxy.token_of("alice"),
        proxy.token(r#""iss":"https://a.example/","sub":"mallory""#),
    ] {
        client.rejects(
            &format!("set pg_session_jwt.jwt = '{token}'"),
            "55000",
            messages::NO_PROVIDER_OF_LOGIN,
        );
    }
}

#[test]
fn logins_fail_without_usable_providers() {
    let unusable = messages::PROVIDERS_UNUSABLE;
    for (value, reason) in [
        ("", messages::NO_PROVIDERS),
        (r#"[{"issuer":"a"}]"#, unusable),
        ("nonsense", unusable),
        (
            r#"[{"issuer":"https://a.example/","jwks_file":"/nowhere"}]"#,
            messages::KEYS_NOT_AVAILABLE,
        ),
        (
            r#"[{"issuer":"https://a.example/","jwks_url":"http://127.0.0.1:1/"}]"#,
            messages::JWKS_URL_NEEDS_PRELOAD,
        ),
    ] {
        let Some(server) = server_with(&format!(
            "oauth_validator_libraries = 'pg_session_jwt'\npg_session_jwt.providers = '{value}'"
        )) else {
            return;
        };
        // Settings of a database are applied after the login.
        let usable = usual_entry();
        alter(
            &server,
            &format!("alter database app set pg_session_jwt.providers = '[{usable}]'"),
        );
        let before = server.log().len();
        is_rejected(login(&server, &token("alice")), "authenticated");
        let log = log_since(&server, before);
        let line = "pg_session_jwt: OAuth login as \"authenticated\" was rejected: ";
        let said = log.lines().find_map(|it| it.split_once(line)).expect(&log).1;
        assert!(said.ends_with(reason), "{said}");
    }
}

#[test]
fn changed_providers_end_the_identity_of_the_login() {
    let old = Provider::new(ISSUER);
    let new = Provider::new(ISSUER);
    let Some(server) = server_with(&conf(&[old.entry("")], "")) else {
        return;
    };
    let mut client = login(&server, &old.token("alice")).unwrap();
    assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()));
    // The file of ALTER SYSTEM is the whole configuration of this server.
    let file = server.directory().join("data/postgresql.auto.conf");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace(&old.entry(""), &new.entry(""))).unwrap();
    alter(&server, "select pg_reload_conf()");
    wait_until("the reload", || client.query("select auth.user_id()").is_err());
    client.rejects("select auth.user_id()", "28000", messages::INVALID_SIGNATURE);
    client.run(&format!("set pg_session_jwt.jwt = '{}'", new.token("alice")));
    assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()));
    client.rejects(
        &format!("set pg_session_jwt.jwt = '{}'", new.token("bob")),
        "28000",
        messages::OTHER_USER,
    );
    wait_until("the new keys", || login(&server, &new.token("bob")).is_ok());
    is_rejected(login(&server, &old.token("alice")), "authenticated");
}

#[test]
fn unencodable_user_id_is_rejected_at_first_use() {
    let Some(server) = usual_server("") else { return };
    let latin = server.database_with("encoding 'LATIN1' template template0");
    let utf8 = ("client_encoding", "UTF8");
    for (user, is_latin) in [("älice", true), ("名", false)] {
        let parameters = [("database", latin.as_str()), utf8];
        let mut client = Wire::login(server.port(), "authenticated", &parameters, &token(user)).unwrap();
        if is_latin {
            assert_eq!(client.one("select auth.user_id()"), Some(user.to_owned()));
        } else {
            client.rejects("select auth.user_id()", "28000", messages::NOT_ENCODABLE);
        }
    }
}
