//! `auth.refresh_providers()`: an administrator has the key sets fetched now.

use testkit::key_server::{Answer, KeyServer};
use testkit::loading::ordinary_user;
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{init, one, rejects, run, user_id};

use crate::support::jwks_faults::condition;
use crate::support::jwks_url::{entry, server_with};

const REFRESH: &str = "select auth.refresh_providers()";

/// attack: 133
#[test]
fn administrator_fetches_the_keys_now_and_without_a_limit() {
    let (old, new) = (Provider::new("a"), Provider::with_kid("a", "k2"));
    let keys = KeyServer::start(Answer::Body(old.key_set()));
    let other = KeyServer::start(Answer::Body(Provider::new("b").key_set()));
    let server = server_with(&[entry("a", &keys.url()), entry("b", &other.url())], "");
    let mut living = server.connect("template1", "postgres", "");
    init(&mut living, &old.token("alice"));
    keys.answer(Answer::Body(new.key_set()));
    let mut admin = server.connect("template1", "postgres", "");
    assert!(one::<bool>(&mut admin, REFRESH));
    // The leaked key is no longer accepted, before any token of the new key.
    rejects(&mut living, "select auth.user_id()", "28000", messages::NO_KEY_OF_TOKEN);
    let before = (keys.requests(), other.requests());
    for _ in 0..10 {
        assert!(one::<bool>(&mut admin, REFRESH));
    }
    assert_eq!((keys.requests(), other.requests()), (before.0 + 10, before.1 + 10));
    // It does not use up the fetches of tokens.
    let third = Provider::with_kid("a", "k3");
    keys.answer(Answer::Body(third.key_set()));
    init(&mut living, &third.token("bob"));
    assert_eq!(user_id(&mut living).as_deref(), Some("bob"));
}

#[test]
fn result_is_false_if_a_set_was_not_received() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let server = server_with(&[entry("a", &keys.url())], "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &provider.token("alice"));
    keys.answer(Answer::Status(500));
    assert!(!one::<bool>(&mut client, REFRESH));
    let error = "server returned HTTP status 500".to_owned();
    assert_eq!(condition(&mut client, "a"), (true, error));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    keys.answer(Answer::Body(provider.key_set()));
    assert!(one::<bool>(&mut client, REFRESH));
    assert_eq!(condition(&mut client, "a"), (true, String::new()));
}

#[test]
fn url_of_the_session_is_fetched_too() {
    let server = Server::start("shared_preload_libraries = 'pg_session_jwt'");
    let mut client = server.connect("template1", "postgres", "");
    // Without a URL there is nothing to fetch.
    assert!(one::<bool>(&mut client, REFRESH));
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let entry = entry("a", &keys.url());
    run(&mut client, &format!("set pg_session_jwt.providers = '[{entry}]'"));
    assert!(one::<bool>(&mut client, REFRESH));
    assert!((1..=2).contains(&keys.requests()));
    init(&mut client, &provider.token("alice"));
}

#[test]
fn end_users_may_not_call_it_and_a_granted_role_may() {
    let keys = KeyServer::start(Answer::Body(Provider::new("a").key_set()));
    let server = server_with(&[entry("a", &keys.url())], "");
    let database = server.database();
    let user = ordinary_user(&server, &database);
    let mut admin = server.connect(&database, "postgres", "");
    assert!(one::<bool>(&mut admin, REFRESH));
    let before = keys.requests();
    let mut client = server.connect(&database, &user, "");
    let denied = "permission denied for function refresh_providers";
    for role in [user.as_str(), "authenticated"] {
        run(&mut client, &format!("set role {role}"));
        rejects(&mut client, REFRESH, "42501", denied);
    }
    assert_eq!(keys.requests(), before);
    run(&mut client, "reset role");
    for (give, take) in [
        ("grant pg_signal_backend to", "revoke pg_signal_backend from"),
        (
            "grant execute on function auth.refresh_providers() to",
            "revoke execute on function auth.refresh_providers() from",
        ),
    ] {
        run(&mut admin, &format!("{give} {user}"));
        assert!(one::<bool>(&mut client, REFRESH), "{give}");
        run(&mut admin, &format!("{take} {user}"));
        rejects(&mut client, REFRESH, "42501", denied);
    }
    assert_eq!(keys.requests(), before + 2);
}

#[test]
fn a_call_that_waits_can_be_cancelled() {
    let silence = KeyServer::start(Answer::Silence);
    let server = server_with(&[entry("a", &silence.url())], "");
    let mut client = server.connect("template1", "postgres", "");
    run(&mut client, "set statement_timeout = '200ms'");
    let cancelled = "canceling statement due to statement timeout";
    rejects(&mut client, REFRESH, "57014", cancelled);
}
