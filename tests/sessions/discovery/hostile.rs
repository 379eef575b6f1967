//! Documents that must not be used, and addresses to which none may lead.

use std::fs;
use std::net::ToSocketAddrs as _;

use postgres::Client;
use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{init, rejects, user_id};

use crate::support::discovery::{Issuer, OPENID, document};
use crate::support::jwks_faults::{NOT_AVAILABLE, condition, presenting, reload, wait_until_good};
use crate::support::jwks_url::server_with;

/// A document that cannot be used, and the beginning of the error after its address.
struct Fault {
    issuer: Issuer,
    answer: Answer,
    error: String,
}

fn fault(error: &str, answer: impl FnOnce(&Issuer) -> Answer) -> Fault {
    let issuer = Issuer::at("");
    let answer = answer(&issuer);
    issuer.answer(OPENID, answer.clone());
    Fault {
        issuer,
        answer,
        error: error.to_owned(),
    }
}

fn with_uri(error: &str, jwks_uri: &str) -> Fault {
    let error = format!("its \"jwks_uri\" {error}");
    fault(&error, |issuer| Answer::Body(document(&issuer.url, jwks_uri, "")))
}

fn faults() -> Vec<Fault> {
    let mut faults = vec![
        with_uri(
            "is http, which is accepted only for loopback",
            "http://keys.example/keys",
        ),
        with_uri("is not a URL", "file:///etc/passwd"),
        with_uri("is not an absolute URL", "/keys"),
        with_uri("is neither https nor http", "ftp://127.0.0.1/keys"),
        with_uri("has a user name", "http://me@127.0.0.1/keys"),
        with_uri(
            "has a loopback or link-local",
            "https://169.254.169.254/latest/meta-data",
        ),
        with_uri("has a loopback or link-local", "https://[fe80::1]/keys"),
        with_uri("has a host that is neither", "https://2130706433/keys"),
        with_uri(
            "is longer than 512 bytes",
            &format!("https://keys.example/{}", "k".repeat(500)),
        ),
        fault("it has no string \"jwks_uri\"", |issuer| {
            Answer::Body(format!(r#"{{"issuer":"{}"}}"#, issuer.url))
        }),
        fault("it has no string \"issuer\"", |issuer| {
            Answer::Body(format!(r#"{{"jwks_uri":"{}"}}"#, issuer.server.url()))
        }),
        fault("an object has the same member twice", |issuer| {
            Answer::Body(issuer.document(&format!(r#","issuer":"{}""#, issuer.url)))
        }),
        fault("EOF while parsing", |issuer| {
            let whole = issuer.document("");
            Answer::Body(whole[..whole.len() - 1].to_owned())
        }),
        fault("expected value", |_| Answer::Body("<!DOCTYPE html>".to_owned())),
        fault("nested more than 64 levels deep", |issuer| {
            Answer::Body(issuer.document(&format!(r#","a":{}{}"#, "[".repeat(100), "]".repeat(100))))
        }),
        fault(
            "its \"id_token_signing_alg_values_supported\" has no supported",
            |issuer| Answer::Body(issuer.document(r#","id_token_signing_alg_values_supported":["none","HS256"]"#)),
        ),
        fault("response has more than 262144 bytes", |issuer| {
            Answer::Body(issuer.document(&format!(r#","a":"{}""#, "x".repeat(1024 * 1024))))
        }),
        fault("response has more than 262144 bytes", |_| Answer::Endless),
        fault("more than 3 redirects", |_| Answer::Redirect(OPENID.to_owned())),
        fault("redirect to another host", |_| {
            Answer::Redirect("http://169.254.169.254/latest".to_owned())
        }),
        fault("server returned HTTP status 500", |_| Answer::Status(500)),
    ];
    // Its server ends before the last byte.
    faults.push(fault("", |issuer| Answer::Cut(issuer.document(""))));
    faults
}

/// Whether the keys are usable, and whether the error is the one of the fault.
fn shows(client: &mut Client, fault: &Fault, usable: bool) -> bool {
    let begins = format!("discovery document \"{}{OPENID}\": {}", fault.issuer.url, fault.error);
    let (is_usable, error) = condition(client, &fault.issuer.url);
    is_usable == usable && error.starts_with(&begins)
}

#[test]
fn unusable_documents_give_no_keys_and_take_none_away() {
    let faults = faults();
    let entries: Vec<String> = faults.iter().map(|fault| fault.issuer.entry("")).collect();
    let server = server_with(&entries, "");
    let mut client = server.connect("template1", "postgres", "");
    for fault in &faults {
        wait_until(&fault.error, || shows(&mut client, fault, false));
        let token = presenting(&fault.issuer.provider.token("mallory"));
        rejects(&mut client, &token, NOT_AVAILABLE.0, NOT_AVAILABLE.1);
        assert_eq!(fault.issuer.key_requests(), 0, "{}", fault.error);
    }
    faults.iter().for_each(|fault| fault.issuer.publish(OPENID, ""));
    reload(&server);
    for fault in &faults {
        wait_until_good(&mut client, &fault.issuer.url);
        init(&mut client, &fault.issuer.provider.token("alice"));
    }
    let before: Vec<usize> = faults.iter().map(|fault| fault.issuer.key_requests()).collect();
    faults
        .iter()
        .for_each(|fault| fault.issuer.answer(OPENID, fault.answer.clone()));
    for fault in &faults {
        // Has the document fetched again.
        let unknown = Provider::with_kid(&fault.issuer.url, "unknown").token("mallory");
        rejects(&mut client, &presenting(&unknown), "28000", messages::NO_KEY_OF_TOKEN);
        wait_until(&fault.error, || shows(&mut client, fault, true));
        init(&mut client, &fault.issuer.provider.token("bob"));
        assert_eq!(user_id(&mut client).as_deref(), Some("bob"), "{}", fault.error);
    }
    let key_requests: Vec<usize> = faults.iter().map(|fault| fault.issuer.key_requests()).collect();
    assert_eq!(key_requests, before);
}

/// The document is served here, and its issuer is elsewhere.
fn of_public_issuer(number: usize, jwks_uri: &str) -> (KeyServer, String, String) {
    let issuer = format!("https://issuer-{number}.example");
    let server = KeyServer::start(Answer::Body(document(&issuer, jwks_uri, "")));
    let entry = format!(r#"{{"issuer":"{issuer}","discovery_url":"{}"}}"#, server.url());
    (server, issuer, entry)
}

#[test]
fn a_public_issuer_leads_to_no_loopback_or_link_local_address() {
    let target = KeyServer::start(Answer::Body(Provider::new("a").key_set()));
    let port = target.port();
    let inside = [
        format!("http://127.0.0.1:{port}/keys"),
        format!("http://localhost:{port}/keys"),
        format!("https://127.0.0.1:{port}/keys"),
        format!("https://localhost.:{port}/keys"),
        format!("https://0.0.0.0:{port}/keys"),
        format!("https://[::1]:{port}/keys"),
        format!("https://[::ffff:127.0.0.1]:{port}/keys"),
        "https://169.254.169.254/keys".to_owned(),
        "https://[fe80::1]/keys".to_owned(),
    ];
    let all: Vec<_> = inside
        .iter()
        .enumerate()
        .map(|(at, uri)| of_public_issuer(at, uri))
        .collect();
    let entries: Vec<String> = all.iter().map(|(_, _, entry)| entry.clone()).collect();
    let server = server_with(&entries, "");
    let mut client = server.connect("template1", "postgres", "");
    for ((documents, issuer, _), uri) in all.iter().zip(&inside) {
        let error = format!(
            "discovery document \"{}\": its \"jwks_uri\" has a loopback or link-local address, and its issuer has not",
            documents.url()
        );
        wait_until(uri, || condition(&mut client, issuer) == (false, error.clone()));
    }
    assert_eq!(target.requests(), 0);
}

/// A name of this machine that is not `localhost`, and leads to loopback.
fn name_of_loopback() -> Option<String> {
    let hosts = fs::read_to_string("/etc/hosts").ok()?;
    let names = hosts
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split_whitespace().skip(1));
    let leads_to_loopback = |name: &&str| {
        let addresses = (*name, 443).to_socket_addrs();
        addresses.is_ok_and(|addresses| addresses.into_iter().any(|address| address.ip().is_loopback()))
    };
    let mut usable = names.filter(|name| !name.contains("localhost.") && *name != "localhost");
    usable.find(leads_to_loopback).map(str::to_owned)
}

/// The text of such a name says nothing about its address, so the address is checked when the connection is made.
#[test]
fn name_that_leads_to_loopback_is_not_connected_to() {
    let Some(name) = name_of_loopback() else {
        eprintln!("this machine has no name for its loopback address but localhost");
        return;
    };
    let target = KeyServer::start(Answer::Silence);
    let uri = format!("https://{name}:{}/keys", target.port());
    let (_documents, issuer, entry) = of_public_issuer(0, &uri);
    let server = server_with(&[entry], "");
    let mut client = server.connect("template1", "postgres", "");
    let reason = "host has a loopback or link-local address, and the issuer does not name one";
    let error = format!("key set \"{uri}\": {reason}");
    wait_until("the error", || {
        condition(&mut client, &issuer) == (false, error.clone())
    });
    assert_eq!(target.requests(), 0);
}

/// A key set that is the document again, or another document.
#[test]
fn a_document_is_no_key_set() {
    let issuer = Issuer::at("");
    let place = issuer.server.url_at("127.0.0.1", OPENID);
    issuer.answer(OPENID, Answer::Body(document(&issuer.url, &place, "")));
    let server = server_with(&[issuer.entry("")], "");
    let mut client = server.connect("template1", "postgres", "");
    let begins = format!("key set \"{place}\": {}", messages::DISCOVERY_FOR_SET);
    wait_until("the error", || {
        let (usable, error) = condition(&mut client, &issuer.url);
        !usable && error.starts_with(&begins)
    });
    assert!(issuer.server.paths().iter().all(|path| path == OPENID));
}
