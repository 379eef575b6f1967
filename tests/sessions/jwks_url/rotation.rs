//! Key sets from a URL, fetched by the worker: from a setting to an identity, and a rotation.

use std::time::Duration;

use testkit::key_server::{Answer, KeyServer};
use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{init, one, rejects, rows, user_id};

use crate::support::jwks_url::{entry, server_with};

#[test]
fn tokens_of_a_fetched_key_set_are_accepted() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let server = server_with(&[entry("a", &keys.url())], "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    let status = "select concat_ws(' ', mode, provider, issuer, kid) from auth.status()";
    assert_eq!(one::<String>(&mut client, status), "provider 1 a k1");
    let shown = rows(
        &mut client,
        "select provider, issuer, source, location, kid, kty, usable, reason, last_error,
                fetched_at between now() - interval '1 minute' and now(),
                next_refresh between now() + interval '4 minutes' and now() + interval '5 minutes'
         from auth.providers()",
    );
    let url = keys.url();
    let expected = ["1", "a", "jwks_url", &url, "k1", "OKP", "t", "", "", "t", "t"];
    let shown: Vec<&str> = shown[0].iter().map(|value| value.as_deref().unwrap_or("")).collect();
    assert_eq!(shown, expected);
    assert_eq!(keys.requests(), 1);
}

/// attack: 133
#[test]
fn rotation_replaces_the_retired_key() {
    let (old, new) = (Provider::new("a"), Provider::with_kid("a", "k2"));
    let keys = KeyServer::start(Answer::Body(old.key_set()));
    let server = server_with(&[entry("a", &keys.url())], "");
    let mut living = server.connect("template1", "postgres", "");
    init(&mut living, &old.token("alice"));
    keys.answer(Answer::Body(new.key_set()));
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &new.token("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    // An identity whose key was retired has nothing fetched again, and a token that is presented has.
    rejects(&mut living, "select auth.user_id()", "28000", messages::NO_KEY_OF_TOKEN);
    assert_eq!(keys.requests(), 2);
    let retired = format!("select auth.jwt_session_init('{}')", old.token("alice"));
    rejects(&mut client, &retired, "28000", messages::NO_KEY_OF_TOKEN);
    assert_eq!(keys.requests(), 3);
    init(&mut living, &new.token("alice"));
    assert_eq!(user_id(&mut living).as_deref(), Some("alice"));
    assert_eq!(keys.requests(), 3);
}

#[test]
fn rotation_during_a_fetch_is_noticed() {
    let (old, new) = (Provider::new("a"), Provider::with_kid("a", "k2"));
    let keys = KeyServer::start(Answer::Body(old.key_set()));
    let mut server = server_with(&[entry("a", &keys.url())], "");
    init(&mut server.connect("template1", "postgres", ""), &old.token("alice"));
    keys.answer(Answer::Steps(vec![
        Answer::Later(Duration::from_secs(2), old.key_set()),
        Answer::Body(new.key_set()),
    ]));
    server.restart();
    keys.wait_for_requests(2);
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &new.token("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    assert_eq!(keys.requests(), 3);
}
