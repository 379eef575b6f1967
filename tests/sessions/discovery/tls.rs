//! Discovery over TLS: both steps need a certificate from an authority that the server trusts.

use std::fs;

use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::key_server_tls::{Authority, start_tls};
use testkit::provider::Provider;
use testkit::server::{Server, pg_config};
use testkit::session::{init, run, user_id};

use crate::support::discovery::{OPENID, document};
use crate::support::jwks_faults::condition;
use crate::support::jwks_url::conf;

/// Publishes a document and a key set; the document names the key set of `keys`, or its own.
fn publish(server: &KeyServer, keys: Option<&KeyServer>) -> Provider {
    let issuer = server.url_at("localhost", "");
    let provider = Provider::new(&issuer).of_access_tokens();
    let uri = keys.unwrap_or(server).url_at("localhost", "/keys");
    server.answer(Answer::Paths(vec![
        (OPENID.to_owned(), Answer::Body(document(&issuer, &uri, ""))),
        ("/keys".to_owned(), Answer::Body(provider.key_set())),
    ]));
    provider
}

#[test]
fn each_step_needs_a_trusted_certificate() {
    let (ours, another) = (Authority::new("ours"), Authority::new("another"));
    let start = |authority: &Authority| start_tls(authority.certify("localhost"), Answer::Nothing);
    let (trusted, untrusted, leading) = (start(&ours), start(&another), start(&ours));
    let provider = publish(&trusted, None);
    publish(&untrusted, None);
    publish(&leading, Some(&untrusted));
    let issuers = [&trusted, &untrusted, &leading].map(|server| server.url_at("localhost", ""));
    let entries = issuers.clone().map(|issuer| format!(r#"{{"issuer":"{issuer}"}}"#));
    let more = "pg_session_jwt.ca_file = '../ours.pem'";
    let server = Server::start_program(&conf(&entries, more), |directory| {
        fs::write(directory.join("ours.pem"), &ours.pem).unwrap();
        pg_config("--bindir").join("postgres")
    });
    let mut client = server.connect("template1", "postgres", "");
    run(&mut client, "create extension pg_session_jwt");
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    let of_document = format!("discovery document \"{}\": ", untrusted.url_at("localhost", OPENID));
    let of_keys = format!("key set \"{}\": ", untrusted.url_at("localhost", "/keys"));
    for (issuer, begins) in [(&issuers[1], of_document), (&issuers[2], of_keys)] {
        wait_until("the error", || {
            let (usable, error) = condition(&mut client, issuer);
            !usable && error.starts_with(&begins)
        });
    }
    assert_eq!(untrusted.requests(), 0);
}
