//! A copy of a database has none of its settings: the server's settings determine what it trusts.

use testkit::loading::ordinary_user;
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{Proxy, init, one, rejection_of, rejects, run, user_id};

/// A database with its own providers, and a copy of it.
fn database_and_copy(server: &Server, provider: &Provider) -> [String; 2] {
    let database = server.database();
    let copy = format!("{database}_copy");
    let mut admin = server.connect("postgres", "postgres", "");
    let providers = provider.entry("");
    run(
        &mut admin,
        &format!("alter database {database} set pg_session_jwt.providers = '[{providers}]'"),
    );
    run(&mut admin, &format!("create database {copy} template {database}"));
    [database, copy]
}

#[test]
fn copy_without_server_settings_trusts_client_keys() {
    let server = Server::start("shared_preload_libraries = 'pg_session_jwt'");
    let [database, copy] = database_and_copy(&server, &Provider::new("a"));
    let user = ordinary_user(&server, &database);
    let mut proxy = Proxy::new();
    let mut client = server.connect(&copy, &user, &proxy.options());
    init(&mut client, &proxy.token_of("mallory"));
    assert_eq!(user_id(&mut client).as_deref(), Some("mallory"));
    let mut client = server.connect(&copy, &user, r#"-c request.jwt.claims={"sub":"mallory"}"#);
    assert_eq!(user_id(&mut client).as_deref(), Some("mallory"));
}

/// attack: 151
#[test]
fn copy_under_strict_server_settings_trusts_no_client() {
    let provider = Provider::new("a");
    let server = Server::start(
        "shared_preload_libraries = 'pg_session_jwt'\n\
         pg_session_jwt.client_keys = off\npg_session_jwt.claims_fallback = off",
    );
    let [database, copy] = database_and_copy(&server, &provider);
    let user = ordinary_user(&server, &database);
    let proxy = Proxy::new();
    for database in [&database, &copy] {
        let rejected = server.try_connect(database, &user, &proxy.options()).map(drop);
        assert_eq!(rejection_of(&rejected.expect_err("a rejection")).sqlstate, "42501");
    }
    let claims = r#"-c request.jwt.claims={"sub":"mallory"}"#;
    let mut client = server.connect(&copy, &user, claims);
    assert_eq!(one::<String>(&mut client, "select mode from auth.status()"), "off");
    assert_eq!(user_id(&mut client), None);
    rejects(
        &mut client,
        &format!("select auth.jwt_session_init('{}')", provider.token("alice")),
        "55000",
        messages::NO_KEY,
    );
    assert_eq!(user_id(&mut client), None);
    let mut client = server.connect(&database, &user, claims);
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}
