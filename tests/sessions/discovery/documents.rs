//! Where the document is, and what leads to the keys.

use testkit::key_server::Answer;
use testkit::provider::Provider;
use testkit::session::{init, rows, user_id};

use crate::support::discovery::{Issuer, OAUTH, OPENID, document};
use crate::support::jwks_url::server_with;

const ROWS: &str = "select issuer, source, location, kid, usable, last_error from auth.providers()";

#[test]
fn an_issuer_alone_suffices() {
    let issuer = Issuer::start();
    let server = server_with(&[issuer.entry("")], "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &issuer.provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(issuer.server.paths(), [OPENID, "/keys"]);
    let shown = rows(&mut client, ROWS);
    let shown: Vec<&str> = shown[0].iter().map(|value| value.as_deref().unwrap_or("-")).collect();
    assert_eq!(shown, [&issuer.url, "discovery", &issuer.server.url(), "k1", "t", "-"]);
    let log = server.log();
    let told = format!("new key set from \"issuer {}\": 1 keys, 0 of them unusable", issuer.url);
    assert!(log.contains(&told), "{log}");
}

/// Slashes and paths: OpenID appends the well-known part, RFC 8414 inserts it.
#[test]
fn each_form_of_an_issuer_has_its_addresses() {
    let openid = [("", ""), ("/", ""), ("/realm", "/realm"), ("/a/b/", "/a/b")].map(|(path, before)| {
        let issuer = Issuer::at(path);
        let place = format!("{before}{OPENID}");
        issuer.publish(&place, "");
        (issuer, vec![place, "/keys".to_owned()])
    });
    let oauth = [("", ""), ("/", ""), ("/realm", "/realm"), ("/a/b/", "/a/b")].map(|(path, after)| {
        let issuer = Issuer::at(path);
        let place = format!("{OAUTH}{after}");
        issuer.publish(&place, "");
        (issuer, vec![format!("{after}{OPENID}"), place, "/keys".to_owned()])
    });
    let all: Vec<(Issuer, Vec<String>)> = openid.into_iter().chain(oauth).collect();
    let entries: Vec<String> = all.iter().map(|(issuer, _)| issuer.entry("")).collect();
    let server = server_with(&entries, "");
    let mut client = server.connect("template1", "postgres", "");
    for (issuer, paths) in &all {
        init(&mut client, &issuer.provider.token("alice"));
        assert_eq!(&issuer.server.paths(), paths, "{}", issuer.url);
    }
}

/// The second address is asked where the first answers that there is nothing, and not where it fails.
#[test]
fn second_address_is_asked_after_4xx() {
    let with_status = |status: u16| {
        let issuer = Issuer::at("");
        let second = Answer::Body(issuer.document(""));
        let keys = Answer::Body(issuer.provider.key_set());
        issuer.server.answer(Answer::Paths(vec![
            (OPENID.to_owned(), Answer::Status(status)),
            (OAUTH.to_owned(), second),
            ("/keys".to_owned(), keys),
        ]));
        (issuer, status)
    };
    let absent = [400, 401, 403, 404, 405, 410].map(with_status);
    let failing = [408, 429, 500, 503].map(with_status);
    let entries: Vec<String> = absent
        .iter()
        .chain(&failing)
        .map(|(issuer, _)| issuer.entry(""))
        .collect();
    let server = server_with(&entries, "");
    let mut client = server.connect("template1", "postgres", "");
    for (issuer, status) in &absent {
        init(&mut client, &issuer.provider.token("alice"));
        assert_eq!(issuer.server.paths(), [OPENID, OAUTH, "/keys"], "{status}");
    }
    for (issuer, status) in &failing {
        // A server that wants no more requests for now gets none.
        let attempts = if *status == 429 { 1 } else { 3 };
        issuer.server.wait_for_requests(attempts);
        assert_eq!(issuer.server.paths(), vec![OPENID; attempts], "{status}");
    }
}

#[test]
fn a_discovery_url_is_asked_alone() {
    let (issuer, without) = (Issuer::at("/id/v2.0/"), Issuer::at(""));
    issuer.publish("/policy/document?p=1", "");
    without.publish(OPENID, "");
    let more = |issuer: &Issuer, path: &str| {
        issuer.entry(&format!(
            r#","discovery_url":"{}""#,
            issuer.server.url_at("127.0.0.1", path)
        ))
    };
    let entries = [more(&issuer, "/policy/document?p=1"), more(&without, "/document")];
    let server = server_with(&entries, "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &issuer.provider.token("alice"));
    assert_eq!(issuer.server.paths(), ["/policy/document?p=1", "/keys"]);
    without.server.wait_for_requests(3);
    assert_eq!(without.server.paths(), ["/document"; 3]);
}

/// Two policies of one tenant: one issuer, and a document and keys for each.
#[test]
fn several_documents_of_one_issuer_lead_to_their_keys() {
    let (issuer, other) = (Issuer::at(""), Issuer::at(""));
    issuer.publish("/a", "");
    let second = Provider::with_kid(&issuer.url, "k2").of_access_tokens();
    other.server.answer(Answer::Paths(vec![
        (
            "/b".to_owned(),
            Answer::Body(document(&issuer.url, &other.server.url(), "")),
        ),
        ("/keys".to_owned(), Answer::Body(second.key_set())),
    ]));
    let entry = |url: String| issuer.entry(&format!(r#","discovery_url":"{url}""#));
    let entries = [
        entry(issuer.server.url_at("127.0.0.1", "/a")),
        entry(other.server.url_at("127.0.0.1", "/b")),
    ];
    let server = server_with(&entries, "");
    let mut client = server.connect("template1", "postgres", "");
    for (provider, user) in [(&issuer.provider, "alice"), (&second, "bob")] {
        init(&mut client, &provider.token(user));
        assert_eq!(user_id(&mut client).as_deref(), Some(user));
    }
}
