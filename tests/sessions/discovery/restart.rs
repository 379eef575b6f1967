//! The server restarts: the facts of the document are stored with the keys, and apply again.

use std::fs;

use testkit::key_server::{Answer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{init, now, one, rejects, rows, user_id};
use testkit::signer::Signer;

use crate::support::discovery::{Issuer, OPENID, document};
use crate::support::jwks_faults::{NOT_AVAILABLE, presenting};
use crate::support::jwks_url::server_with;
use crate::support::key_fetcher::{rejects_init, stored};

#[test]
fn stored_keys_stay_narrowed_while_the_provider_is_down() {
    let (issuer, rsa) = (Issuer::at(""), Signer::rsa());
    let document = issuer.document(r#","id_token_signing_alg_values_supported":["RS256"]"#);
    let set = format!(r#"{{"keys":[{}]}}"#, rsa.jwk(r#""kid":"r""#));
    issuer.server.answer(Answer::Paths(vec![
        (OPENID.to_owned(), Answer::Body(document)),
        ("/keys".to_owned(), Answer::Body(set)),
    ]));
    let payload = format!(r#"{{"iss":"{}","sub":"alice","exp":{}}}"#, issuer.url, now() + 600);
    let of = |alg: &str| rsa.token_with_header(alg, format!(r#"{{"alg":"{alg}","kid":"r","typ":"at+jwt"}}"#), &payload);
    let mut server = server_with(&[issuer.entry("")], "");
    init(&mut server.connect("template1", "postgres", ""), &of("RS256"));
    let (port, url, keys) = (issuer.server.port(), issuer.url.clone(), issuer.server.url());
    drop(issuer);
    server.restart();

    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &of("RS256"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    rejects(
        &mut client,
        &presenting(&of("RS512")),
        "28000",
        messages::ALGORITHM_MISMATCH,
    );
    let failed = format!("select last_error like 'discovery document \"{url}{OPENID}\": %' from auth.providers()");
    wait_until("the fetch to fail", || one(&mut client, &failed));
    let shown = rows(
        &mut client,
        "select source, location, kid, usable from auth.providers()",
    );
    let shown: Vec<&str> = shown[0].iter().map(|value| value.as_deref().unwrap_or("-")).collect();
    assert_eq!(shown, ["discovery", &keys, "r", "t"], "{port}");
}

/// A stored file is checked like a document that was just received.
#[test]
fn altered_stored_file_gives_no_keys() {
    let (issuer, mallory) = (Issuer::start(), Signer::ed25519());
    let mut server = server_with(&[issuer.entry("")], "");
    init(
        &mut server.connect("template1", "postgres", ""),
        &issuer.provider.token("alice"),
    );
    let [(path, name)] = &stored(&server)[..] else {
        panic!("{:?}", stored(&server));
    };
    assert_eq!(name, &format!("issuer {}", issuer.url));
    let good = fs::read_to_string(path).unwrap();
    let line = document(&issuer.url, &issuer.server.url(), "");
    assert_eq!(good, format!("{name}\n{line}\n{}", issuer.provider.key_set()));
    issuer.server.answer(Answer::Nothing);
    let set = format!(r#"{{"keys":[{}]}}"#, mallory.jwk(r#""kid":"k1""#));
    let broken = [
        format!("{name}\n{set}"),
        format!(
            "{name}\n{}\n{set}",
            document("https://other.example", &issuer.server.url(), "")
        ),
        format!("{name}\n{}\n{set}", document(&issuer.url, "http://keys.example", "")),
        format!(
            "{name}\n{}\n{set}",
            document(&issuer.url, "https://169.254.169.254/", "")
        ),
        format!("{name} at {}\n{line}\n{set}", issuer.server.url()),
        format!("{}\n{set}", issuer.server.url()),
        good[..good.len() - 1].to_owned(),
    ];
    let of_mallory = mallory.token_with_header(
        "EdDSA",
        r#"{"alg":"EdDSA","kid":"k1"}"#,
        format!(r#"{{"iss":"{}","sub":"mallory","exp":{}}}"#, issuer.url, now() + 600),
    );
    for content in broken {
        server.restart_after(|_| fs::write(path, &content).unwrap());
        let mut client = server.connect("template1", "postgres", "");
        for token in [&of_mallory, &issuer.provider.token("alice")] {
            rejects_init(&mut client, token, NOT_AVAILABLE.0, NOT_AVAILABLE.1);
        }
        assert_eq!(user_id(&mut client), None, "{content}");
    }
    server.restart_after(|_| fs::write(path, &good).unwrap());
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &issuer.provider.token("alice"));
    let unknown = presenting(&Provider::with_kid(&issuer.url, "k2").token("mallory"));
    rejects(&mut client, &unknown, "28000", messages::NO_KEY_OF_TOKEN);
}
