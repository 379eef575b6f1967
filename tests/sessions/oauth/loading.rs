//! OAuth logins for each way to load the library, and into each kind of session and server.

use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{Proxy, init, run, user_id};
use testkit::wire::Wire;

use crate::support::oauth_server::{
    ISSUER, alter, conf, is_rejected, login, login_to, server_with, token, usual_server,
};

#[test]
fn login_works_however_the_library_is_loaded() {
    for more in [
        "",
        "shared_preload_libraries = 'pg_session_jwt'",
        "session_preload_libraries = 'pg_session_jwt'",
    ] {
        let Some(server) = usual_server(more) else { return };
        let mut client = login(&server, &token("alice")).unwrap();
        client.run("insert into notes (note) values ('hers')");
        let mut other = login(&server, &token("bob")).unwrap();
        assert_eq!(other.query("select * from notes").unwrap().len(), 0);
        assert_eq!(
            client.one("select owner || auth.user_id() from notes").unwrap(),
            "alicealice"
        );
        client.rejects(
            &format!("set pg_session_jwt.jwt = '{}'", token("bob")),
            "28000",
            messages::OTHER_USER,
        );
        is_rejected(login(&server, "garbage"), "authenticated");
        is_rejected(
            Wire::login(server.port(), "anonymous", &[("database", "app")], &token("alice")),
            "anonymous",
        );
        // Other logins have no identity, and may set and reset one freely.
        let mut admin = server.connect("app", "postgres", "");
        assert_eq!(user_id(&mut admin), None);
        for user in ["alice", "bob"] {
            init(&mut admin, &token(user));
            assert_eq!(user_id(&mut admin).as_deref(), Some(user));
        }
        run(&mut admin, "set pg_session_jwt.jwt = ''");
        assert_eq!(user_id(&mut admin), None);
    }
}

#[test]
fn jwk_and_claims_settings_survive_an_oauth_login() {
    // Settings of weaker modes, overridden by the client where the library was not loaded before the login.
    let Some(server) = usual_server("") else { return };
    let mut proxy = Proxy::new();
    let options = format!(r#"{} -c request.jwt.claims={{"sub":"mallory"}}"#, proxy.options());
    let parameters = [("database", "app"), ("options", options.as_str())];
    let mut client = Wire::login(server.port(), "authenticated", &parameters, &token("alice")).unwrap();
    assert_eq!(
        client.one("select mode || auth.user_id() from auth.status()").unwrap(),
        "provideralice"
    );
    let foreign = proxy.token_of("alice");
    client.rejects(
        &format!("set pg_session_jwt.jwt = '{foreign}'"),
        "28000",
        messages::UNKNOWN_ISSUER,
    );
    for setting in [
        "providers=",
        "claims_fallback=on",
        "leeway=300",
        "bind_login_identity=off",
    ] {
        let option = format!("-c pg_session_jwt.{setting}");
        let parameters = [("database", "app"), ("options", option.as_str())];
        let rejection = Wire::login(server.port(), "authenticated", &parameters, &token("alice")).err();
        assert_eq!(rejection.expect(setting).sqlstate, "42501", "{setting}");
    }
}

#[test]
fn client_key_does_not_replace_the_files_at_login() {
    let proxy = Proxy::new();
    let Some(server) = usual_server(&format!("pg_session_jwt.jwk = '{}'", proxy.jwk())) else {
        return;
    };
    let mut client = login(&server, &token("alice")).unwrap();
    assert_eq!(client.one("select auth.user_id()").unwrap(), "alice");
    let options = Proxy::new().options();
    let parameters = [("database", "app"), ("options", options.as_str())];
    let rejection = Wire::login(server.port(), "authenticated", &parameters, &token("alice")).err();
    assert_eq!(rejection.unwrap().message, messages::JWK_OF_SERVER);
}

#[test]
fn login_to_a_database_without_the_extension() {
    let Some(server) = usual_server("") else { return };
    alter(&server, "create database bare template template0");
    let mut client = login_to(&server, "bare", &token("alice")).unwrap();
    assert_eq!(client.one("select system_user").unwrap(), "oauth:alice");
    assert_eq!(client.one("show pg_session_jwt.jwt").unwrap(), "***");
    client.rejects("select auth.user_id()", "3F000", "schema \"auth\" does not exist");
    let mut admin = server.connect("bare", "postgres", "");
    run(&mut admin, "create extension pg_session_jwt");
    assert_eq!(client.one("select auth.user_id()").unwrap(), "alice");
}

#[test]
fn login_of_a_replication_connection() {
    let Some(server) = usual_server("") else { return };
    let physical = [("replication", "true")];
    let mut client = Wire::login(server.port(), "replicator", &physical, &token("alice")).unwrap();
    assert_eq!(client.query("IDENTIFY_SYSTEM").unwrap().len(), 1);
    client.rejects(
        "select auth.user_id()",
        "0A000",
        "cannot execute SQL commands in WAL sender for physical replication",
    );
    let logical = [("replication", "database"), ("database", "app")];
    let mut client = Wire::login(server.port(), "replicator", &logical, &token("alice")).unwrap();
    assert_eq!(client.query("IDENTIFY_SYSTEM").unwrap().len(), 1);
    assert_eq!(client.one("select auth.user_id()").unwrap(), "alice");
    is_rejected(
        Wire::login(server.port(), "replicator", &physical, "garbage"),
        "replicator",
    );
    is_rejected(
        Wire::login(server.port(), "anonymous", &physical, &token("alice")),
        "anonymous",
    );
}

#[test]
fn login_on_a_standby() {
    let Some(mut server) = usual_server("") else { return };
    run(
        &mut server.connect("app", "postgres", ""),
        "insert into notes values ('alice', 'hers'), ('bob', 'his')",
    );
    std::fs::write(server.directory().join("data/standby.signal"), "").unwrap();
    server.restart();
    let mut client = login(&server, &token("alice")).unwrap();
    assert_eq!(client.one("select pg_is_in_recovery()").unwrap(), "t");
    assert_eq!(client.one("select string_agg(note, ',') from notes").unwrap(), "hers");
    is_rejected(login(&server, "garbage"), "authenticated");
}

#[test]
fn login_waits_for_keys_of_a_url() {
    let provider = Provider::new(ISSUER);
    let keys = KeyServer::start(Answer::Status(500));
    let entry = format!(r#"{{"issuer":"{ISSUER}","jwks_url":"{}"}}"#, keys.url());
    let Some(server) = server_with(&conf(&[entry], "shared_preload_libraries = 'pg_session_jwt'")) else {
        return;
    };
    is_rejected(login(&server, &provider.token("alice")), "authenticated");
    assert!(
        server
            .log()
            .contains(&messages::login_rejected("authenticated", messages::KEYS_NOT_AVAILABLE))
    );
    keys.answer(Answer::Body(provider.key_set()));
    // After a failure the worker has its own schedule, and no client waits for all of it.
    wait_until("the keys", || login(&server, &provider.token("alice")).is_ok());
    let mut client = login(&server, &provider.token("alice")).unwrap();
    assert_eq!(client.one("select auth.user_id()").unwrap(), "alice");

    // A key that is new to the server is fetched while the client waits.
    let rotated = Provider::with_kid(ISSUER, "k2");
    keys.answer(Answer::Body(rotated.key_set()));
    wait_until("the rotation", || login(&server, &rotated.token("bob")).is_ok());
    is_rejected(login(&server, &provider.token("alice")), "authenticated");
    client.rejects("select auth.user_id()", "28000", messages::NO_KEY_OF_TOKEN);
}

#[test]
fn login_waits_a_limited_time_for_a_provider() {
    let provider = Provider::new(ISSUER);
    let keys = KeyServer::start(Answer::Silence);
    let entry = format!(r#"{{"issuer":"{ISSUER}","jwks_url":"{}"}}"#, keys.url());
    let Some(server) = server_with(&conf(&[entry], "shared_preload_libraries = 'pg_session_jwt'")) else {
        return;
    };
    // PostgreSQL itself would end the login after a minute, with another message.
    is_rejected(login(&server, &provider.token("alice")), "authenticated");
    let mut admin = server.connect("app", "postgres", "");
    assert_eq!(user_id(&mut admin), None);
}

#[test]
fn the_first_login_waits_for_the_first_fetch() {
    let provider = Provider::new(ISSUER);
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let entry = format!(r#"{{"issuer":"{ISSUER}","jwks_url":"{}"}}"#, keys.url());
    let Some(server) = server_with(&conf(&[entry], "shared_preload_libraries = 'pg_session_jwt'")) else {
        return;
    };
    let mut client = login(&server, &provider.token("alice")).unwrap();
    assert_eq!(client.one("select auth.user_id()").unwrap(), "alice");
    assert_eq!(keys.requests(), 1);
}
