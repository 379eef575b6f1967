//! Where the worker finds URLs: in settings of the server, of databases and of roles, and in requests of sessions.

use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{init, one, rejects, run, user_id};

use crate::support::jwks_url::{entry, server_with};
use crate::support::key_fetcher::{rejects_init, reload_after, stored_urls};

/// A server with the worker and no providers.
fn server() -> Server {
    Server::start("shared_preload_libraries = 'pg_session_jwt'")
}

/// A provider with a separate key server.
fn provided(issuer: &str) -> (Provider, KeyServer) {
    let provider = Provider::new(issuer);
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    (provider, keys)
}

fn providers(issuer: &str, keys: &KeyServer) -> String {
    format!("set pg_session_jwt.providers = '[{}]'", entry(issuer, &keys.url()))
}

#[test]
fn reload_applies_a_provider_to_worker_and_sessions() {
    let ((old, old_keys), (new, new_keys)) = (provided("old"), provided("new"));
    let server = server_with(&[entry("old", &old_keys.url())], "");
    let mut living = server.connect("template1", "postgres", "");
    init(&mut living, &old.token("alice"));
    assert_eq!(user_id(&mut living).as_deref(), Some("alice"));

    let mut admin = server.connect("postgres", "postgres", "");
    reload_after(&mut admin, &format!("alter system {}", providers("new", &new_keys)));
    // No session has requested them.
    new_keys.wait_for_requests(1);
    wait_until("the session to read its settings", || {
        one::<String>(&mut living, "show pg_session_jwt.providers").contains(&new_keys.url())
    });
    for call in ["user_id", "session", "email"] {
        rejects(
            &mut living,
            &format!("select auth.{call}()"),
            "28000",
            messages::UNKNOWN_ISSUER,
        );
    }
    rejects_init(&mut living, &old.token("alice"), "28000", messages::UNKNOWN_ISSUER);
    init(&mut living, &new.token("bob"));
    assert_eq!(user_id(&mut living).as_deref(), Some("bob"));
    let mut fresh = server.connect("template1", "postgres", "");
    rejects_init(&mut fresh, &old.token("alice"), "28000", messages::UNKNOWN_ISSUER);
    init(&mut fresh, &new.token("carol"));
    assert_eq!(user_id(&mut fresh).as_deref(), Some("carol"));
    assert_eq!((old_keys.requests(), new_keys.requests()), (1, 1));
}

#[test]
fn stored_urls_are_fetched_after_a_reload_without_sessions() {
    let server = server();
    let (first, second) = (server.database(), server.database());
    let mut admin = server.connect("postgres", "postgres", "");
    run(&mut admin, "create role some_role");
    let provided = ["a", "b", "c", "d"].map(|issuer| (issuer, provided(issuer)));
    let places = [
        format!("alter database {first}"),
        "alter role some_role".to_owned(),
        format!("alter role some_role in database {second}"),
        format!("alter role all in database {second}"),
    ];
    for (place, (issuer, (_, keys))) in places.iter().zip(&provided) {
        reload_after(&mut admin, &format!("{place} {}", providers(issuer, keys)));
        keys.wait_for_requests(1);
    }
    let mut urls: Vec<String> = provided.iter().map(|(_, (_, keys))| keys.url()).collect();
    urls.sort();
    wait_until("the files", || stored_urls(&server) == urls);
    // A later reload sends no request.
    run(&mut admin, "select pg_reload_conf()");
    let (of_first, _) = &provided[0].1;
    let mut client = server.connect(&first, "postgres", "");
    init(&mut client, &of_first.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    for (issuer, (_, keys)) in &provided {
        assert_eq!(keys.requests(), 1, "{issuer}");
    }
}

#[test]
fn database_url_is_fetched_for_its_first_session() {
    let server = server();
    let database = server.database();
    let (provider, keys) = provided("a");
    run(
        &mut server.connect("postgres", "postgres", ""),
        &format!("alter database {database} {}", providers("a", &keys)),
    );
    // A token of the startup packet waits for the keys like any other.
    let packet = format!("-c pg_session_jwt.jwt={}", provider.token("alice"));
    let mut first = server.connect(&database, "postgres", &packet);
    assert_eq!(keys.requests(), 0);
    assert_eq!(user_id(&mut first).as_deref(), Some("alice"));
    assert_eq!(keys.requests(), 1);
    for user in ["bob", "carol"] {
        let mut client = server.connect(&database, "postgres", "");
        init(&mut client, &provider.token(user));
        assert_eq!(user_id(&mut client).as_deref(), Some(user));
    }
    assert_eq!(keys.requests(), 1);
}

#[test]
fn url_set_in_a_session_is_fetched_for_it() {
    let server = server();
    let (provider, keys) = provided("a");
    let mut client = server.connect("template1", "postgres", "");
    run(&mut client, &providers("a", &keys));
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    // After a reload no setting has it, and the session keeps its keys.
    run(&mut client, "select pg_reload_conf()");
    let (_, other) = provided("b");
    let mut admin = server.connect("postgres", "postgres", "");
    reload_after(
        &mut admin,
        &format!("alter role postgres in database postgres {}", providers("b", &other)),
    );
    other.wait_for_requests(1);
    let mut urls = [keys.url(), other.url()];
    urls.sort();
    wait_until("the files", || stored_urls(&server) == urls);
    let mut fresh = server.connect("template1", "postgres", "");
    run(&mut fresh, &providers("a", &keys));
    init(&mut fresh, &provider.token("bob"));
    assert_eq!((keys.requests(), other.requests()), (1, 1));
}

#[test]
fn key_set_without_a_setting_or_session_is_deleted() {
    let ((kept, kept_keys), (gone, gone_keys)) = (provided("kept"), provided("gone"));
    let entries = [("kept", &kept_keys), ("gone", &gone_keys)].map(|(issuer, keys)| entry(issuer, &keys.url()));
    let mut server = server_with(&entries, "");
    wait_until("the files", || stored_urls(&server).len() == 2);
    let mut admin = server.connect("postgres", "postgres", "");
    reload_after(&mut admin, &format!("alter system {}", providers("kept", &kept_keys)));
    wait_until("the file to be deleted", || stored_urls(&server) == [kept_keys.url()]);

    // A session that needs the URL has it fetched again. It may return after a reload, but not after a restart.
    let mut client = server.connect("template1", "postgres", "");
    run(&mut client, &providers("gone", &gone_keys));
    init(&mut client, &gone.token("alice"));
    drop(client);
    let (_, of_role) = provided("role");
    run(&mut admin, "create role some_role");
    let role = "alter role some_role";
    reload_after(&mut admin, &format!("{role} {}", providers("role", &of_role)));
    let mut three = [kept_keys.url(), gone_keys.url(), of_role.url()];
    three.sort();
    wait_until("the files", || stored_urls(&server) == three);
    reload_after(&mut admin, &format!("{role} reset pg_session_jwt.providers"));
    drop(admin);
    server.restart();
    wait_until("the files to be deleted", || stored_urls(&server) == [kept_keys.url()]);
    let mut client = server.connect("template1", "postgres", "");
    rejects_init(&mut client, &gone.token("alice"), "28000", messages::UNKNOWN_ISSUER);
    init(&mut client, &kept.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!((gone_keys.requests(), of_role.requests()), (2, 1));
}
