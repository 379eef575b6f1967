//! What a provider changes while sessions are open: its keys, their place, and its issuer.

use testkit::key_server::{Answer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{init, one, rejects, rows, run, user_id};

use crate::support::discovery::{Issuer, OAUTH, OPENID, document};
use crate::support::jwks_faults::{NOT_AVAILABLE, condition, presenting};
use crate::support::jwks_url::server_with;
use crate::support::key_fetcher::{process, process_after, rejects_init};

#[test]
fn keys_rotate_to_another_place() {
    let issuer = Issuer::start();
    let server = server_with(&[issuer.entry("")], "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &issuer.provider.token("alice"));
    let new = Provider::with_kid(&issuer.url, "k2").of_access_tokens();
    let url = issuer.server.url_at("127.0.0.1", "/new");
    issuer.server.answer(Answer::Paths(vec![
        (OPENID.to_owned(), Answer::Body(document(&issuer.url, &url, ""))),
        ("/new".to_owned(), Answer::Body(new.key_set())),
    ]));
    init(&mut client, &new.token("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    let old = presenting(&issuer.provider.token("alice"));
    rejects(&mut client, &old, "28000", messages::NO_KEY_OF_TOKEN);
    let shown = rows(&mut client, "select location, kid from auth.providers()");
    assert_eq!(shown, [[Some(url), Some("k2".to_owned())]]);
}

/// A complete document of another issuer says that this place does not speak for the issuer any more.
#[test]
fn another_issuer_withdraws_the_keys_until_it_is_the_former_again() {
    let issuer = Issuer::start();
    let mut server = server_with(&[issuer.entry("")], "");
    let mut open = server.connect("template1", "postgres", "");
    init(&mut open, &issuer.provider.token("alice"));
    let other = document("https://other.example", &issuer.server.url(), "");
    issuer.answer(OPENID, Answer::Body(other));
    let mut client = server.connect("template1", "postgres", "");
    let unknown = Provider::with_kid(&issuer.url, "unknown").token("mallory");
    rejects_init(&mut client, &unknown, NOT_AVAILABLE.0, NOT_AVAILABLE.1);
    rejects(&mut open, "select auth.user_id()", NOT_AVAILABLE.0, NOT_AVAILABLE.1);
    let reason =
        "discovery document cannot be used (The document was rejected: its issuer is \"https://other.example\")";
    assert_eq!(condition(&mut client, &issuer.url), (false, reason.to_owned()));
    assert_eq!(issuer.key_requests(), 1);
    let log = server.log();
    let told = format!(
        "the keys of \"issuer {}\" are withdrawn, and its tokens are rejected: {reason}",
        issuer.url
    );
    assert_eq!(log.matches(&told).count(), 1, "{log}");
    let finding = "select problem from auth.check() where finding = 'provider_without_keys'";
    let expected = format!("It has no usable key, so its tokens are rejected: {reason}.");
    assert_eq!(one::<String>(&mut client, finding), expected);
    drop((open, client));

    // Also after a restart during which the provider is down.
    issuer.server.answer(Answer::Nothing);
    server.restart();
    let mut client = server.connect("template1", "postgres", "");
    rejects_init(
        &mut client,
        &issuer.provider.token("alice"),
        NOT_AVAILABLE.0,
        NOT_AVAILABLE.1,
    );

    issuer.publish(OPENID, "");
    let before = process(&server);
    // A new worker fetches at once.
    run(&mut client, &format!("select pg_terminate_backend({before})"));
    process_after(&server, before);
    let present = presenting(&issuer.provider.token("alice"));
    wait_until("the keys", || client.batch_execute(&present).is_ok());
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

/// One answer of another issuer may come from a wrong machine. Only when each attempt gets it does it count.
#[test]
fn one_document_of_another_issuer_changes_nothing() {
    let issuer = Issuer::start();
    let server = server_with(&[issuer.entry("")], "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &issuer.provider.token("alice"));
    let other = document("https://other.example", &issuer.server.url(), "");
    let steps = vec![Answer::Body(other), Answer::Body(issuer.document(""))];
    issuer.answer(OPENID, Answer::Steps(steps));
    let unknown = presenting(&Provider::with_kid(&issuer.url, "unknown").token("mallory"));
    rejects(&mut client, &unknown, "28000", messages::NO_KEY_OF_TOKEN);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(issuer.server.paths()[2..], [OPENID, OPENID, "/keys"]);
}

/// The second address may belong to another issuer on the same host. It is asked while the first one has no document.
#[test]
fn another_issuer_at_the_second_address_changes_nothing() {
    let issuer = Issuer::start();
    let server = server_with(&[issuer.entry("")], "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &issuer.provider.token("alice"));
    let other = document("https://other.example", &issuer.server.url(), "");
    issuer.answer(OAUTH, Answer::Body(other));
    let unknown = presenting(&Provider::with_kid(&issuer.url, "unknown").token("mallory"));
    rejects(&mut client, &unknown, "28000", messages::NO_KEY_OF_TOKEN);
    wait_until("three attempts", || issuer.server.requests() >= 8);
    init(&mut client, &issuer.provider.token("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    assert_eq!(
        issuer.server.paths()[2..8],
        [OPENID, OAUTH, OPENID, OAUTH, OPENID, OAUTH]
    );
}
