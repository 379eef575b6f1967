//! Redirects: followed a few times to the same host and port, and nowhere else.

use testkit::key_server::{Answer, KeyServer};
use testkit::provider::Provider;
use testkit::session::{init, rejects};

use crate::support::jwks_faults::{Fault, NOT_AVAILABLE, before_and_after_a_good_set, presenting, wait_until_good};
use crate::support::jwks_url::{entry, server_with};

#[test]
fn redirects_on_the_same_host_and_port_are_followed() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Nothing);
    let steps = vec![
        Answer::Redirect("/by-path?of=it".to_owned()),
        Answer::Redirect(keys.url_at("127.0.0.1", "/absolute")),
        Answer::Redirect("/the-third".to_owned()),
        Answer::Body(provider.key_set()),
    ];
    keys.answer(Answer::Steps(steps));
    let server = server_with(&[entry("a", &keys.url())], "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &provider.token("alice"));
    assert_eq!(keys.paths(), ["/keys", "/by-path?of=it", "/absolute", "/the-third"]);
}

#[test]
fn relative_redirects_are_resolved() {
    let provider = Provider::new("a");
    let redirects = [
        ("/a/b/keys?x=1", "other", "/a/b/other"),
        ("/a/b/keys", "../keys", "/a/keys"),
        ("/a/b/keys", "./c/../keys?y=2", "/a/b/keys?y=2"),
        ("/a/b/keys", "../../../..", "/"),
        ("/a/b/keys?x=1", "?y=2", "/a/b/keys?y=2"),
        ("/a/b/keys?x=1", "?y=2#part", "/a/b/keys?y=2"),
        ("/a/b/keys", "/c/../d", "/d"),
    ];
    let servers = redirects.map(|(_, to, _)| {
        KeyServer::start(Answer::Steps(vec![
            Answer::Redirect(to.to_owned()),
            Answer::Body(provider.key_set()),
        ]))
    });
    let urls = servers.iter().zip(redirects);
    let urls: Vec<String> = urls.map(|(keys, (from, ..))| keys.url_at("127.0.0.1", from)).collect();
    let entries: Vec<String> = urls.iter().map(|url| entry(url, url)).collect();
    let server = server_with(&entries, "");
    let mut client = server.connect("template1", "postgres", "");
    for ((keys, url), (from, to, path)) in servers.iter().zip(&urls).zip(redirects) {
        wait_until_good(&mut client, url);
        assert_eq!(keys.paths(), [from, path], "{to}");
    }
}

#[test]
fn redirects_to_other_origins_are_rejected() {
    let elsewhere = "redirect to another host";
    let to = |location: String| Answer::Redirect(location);
    before_and_after_a_good_set(&[
        Fault::new(elsewhere, |_, port| to(format!("http://localhost:{port}/keys"))),
        Fault::new(elsewhere, |_, port| to(format!("//localhost:{port}/keys"))),
        Fault::new(elsewhere, |_, port| to(format!("https://127.0.0.1:{port}/keys"))),
        Fault::new(elsewhere, |_, port| to(format!("http://me@127.0.0.1:{port}/keys"))),
        Fault::new(elsewhere, |_, port| {
            to(format!("http://127.0.0.1:{port}@key.example/keys"))
        }),
        Fault::new(elsewhere, |_, _| to("http://127.0.0.1/keys".to_owned())),
        Fault::new(elsewhere, |_, _| to("file:///etc/passwd".to_owned())),
        Fault::new("redirect has no Location header", |_, _| Answer::Status(302)),
        Fault::new("redirect has no Location header", |_, _| Answer::Status(304)),
        Fault::new("more than 3 redirects", |_, _| to("/keys".to_owned())),
    ]);
}

#[test]
fn target_of_a_rejected_redirect_gets_no_request() {
    let provider = Provider::new("a");
    let other_port = KeyServer::start(Answer::Body(provider.key_set()));
    let keys = KeyServer::start(Answer::Redirect(other_port.url()));
    let same_port = KeyServer::start(Answer::Nothing);
    same_port.answer(Answer::Redirect(same_port.url_at("localhost", "/elsewhere")));
    let entries = [entry("a", &keys.url()), entry("b", &same_port.url())];
    let server = server_with(&entries, "");
    let mut client = server.connect("template1", "postgres", "");
    for issuer in ["a", "b"] {
        let token = presenting(&Provider::new(issuer).token("mallory"));
        rejects(&mut client, &token, NOT_AVAILABLE.0, NOT_AVAILABLE.1);
    }
    assert_eq!(other_port.requests(), 0);
    // Their number depends on the arrival of the session, whose token makes a failed set be fetched again.
    for asked in [keys.paths(), same_port.paths()] {
        assert!(
            !asked.is_empty() && asked.iter().all(|path| path == "/keys"),
            "{asked:?}"
        );
    }
}
