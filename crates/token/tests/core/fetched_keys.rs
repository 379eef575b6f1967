//! The text that is stored for a provider: with the facts of the issuer's document, it gives the same keys again.

use pg_session_jwt_token::discovery::Discovery;
use pg_session_jwt_token::discovery_document::{DiscoveryDocument, DiscoveryProblem};
use pg_session_jwt_token::fetched_keys::{discovered_url, is_withdrawal, of_other_issuer, read, with_document};
use pg_session_jwt_token::{Error, Excerpt, KeyProblem, KeySet};

use crate::sign::{ED25519, P256, RSA};

const ISSUER: &str = "https://issuer.example";
const URL: &str = "https://keys.example/jwks";

fn set() -> String {
    let rsa = RSA.jwk(r#""kid":"r""#);
    let fixed = RSA.jwk(r#""kid":"f","alg":"PS384""#);
    let (curve, edwards) = (P256.jwk(r#""kid":"e""#), ED25519.jwk(r#""kid":"o""#));
    format!(r#"{{"keys":[{rsa},{fixed},{curve},{edwards}]}}"#)
}

fn discovery() -> Discovery {
    Discovery::new(ISSUER, None).unwrap()
}

fn document(algorithms: &str) -> DiscoveryDocument {
    let text = format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{URL}"{algorithms}}}"#);
    DiscoveryDocument::parse(&text, &discovery()).unwrap()
}

fn announcing(list: &str) -> Result<KeySet, Error> {
    let document = document(&format!(r#","id_token_signing_alg_values_supported":{list}"#));
    read(&discovery().name(), &with_document(&discovery(), &document, &set()))
}

fn problems(set: &KeySet) -> Vec<(usize, KeyProblem)> {
    set.skipped()
}

#[test]
fn a_url_has_the_key_set_alone() {
    assert_eq!(read(URL, &set()).unwrap().members.len(), 4);
    assert_eq!(discovered_url(URL, &set()), None);
    let text = with_document(&discovery(), &document(""), &set());
    assert!(matches!(read(URL, &text), Err(Error::KeyNotJson { .. })));
}

#[test]
fn a_discovery_has_the_document_and_the_key_set() {
    let (name, text) = (discovery().name(), with_document(&discovery(), &document(""), &set()));
    assert_eq!(problems(&read(&name, &text).unwrap()), []);
    assert_eq!(discovered_url(&name, &text).as_deref(), Some(URL));
    // Another issuer's text, or the set alone, is not accepted.
    let other = Discovery::new("https://other.example", None).unwrap();
    let problem = DiscoveryProblem::OtherIssuer(Excerpt::new(ISSUER));
    assert_eq!(read(&other.name(), &text).err(), Some(Error::Discovery(problem)));
    assert_eq!(discovered_url(&other.name(), &text), None);
    let problem = DiscoveryProblem::Unusable("it has no string \"issuer\"".to_owned());
    assert_eq!(read(&name, &set()).err(), Some(Error::Discovery(problem)));
}

#[test]
fn keys_are_narrowed_to_the_announced_algorithms() {
    use pg_session_jwt_token::algorithm::Algorithm::{EdDSA, RS256, RS512};
    let narrowed = announcing(r#"["RS256","ES384","EdDSA","HS256"]"#).unwrap();
    let not_announced = KeyProblem::NotAnnounced;
    assert_eq!(
        problems(&narrowed),
        [(1, not_announced.clone()), (2, not_announced.clone())]
    );
    assert_eq!(not_announced.to_string(), "its issuer announces none of its algorithms");
    // A token without kid fits the keys that may use its algorithm.
    assert!(narrowed.select(None, RS256).is_ok());
    assert!(narrowed.select(None, EdDSA).is_ok());
    assert_eq!(
        narrowed.select(None, RS512).err(),
        Some(Error::AmbiguousKey { candidates: 0 })
    );
}

#[test]
fn keys_of_other_algorithms_only_are_a_withdrawal() {
    let document = document(r#","id_token_signing_alg_values_supported":["ES384"]"#);
    let text = with_document(&discovery(), &document, &set());
    let error = read(&discovery().name(), &text).unwrap_err();
    let Error::NoUsableKey { members } = &error else {
        panic!("{error:?}");
    };
    assert!(members.iter().all(|it| it.problem == Some(KeyProblem::NotAnnounced)));
    assert!(is_withdrawal(&error));
}

#[test]
fn symmetric_keys_are_never_fetched() {
    let secret = r#"{"keys":[{"kty":"oct","kid":"s","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlYw"}]}"#;
    for list in ["", r#","id_token_signing_alg_values_supported":["HS256","RS256"]"#] {
        let text = with_document(&discovery(), &document(list), secret);
        let Err(Error::NoUsableKey { members }) = read(&discovery().name(), &text) else {
            panic!("{list}");
        };
        assert_eq!(members[0].problem, Some(KeyProblem::Symmetric));
    }
}

#[test]
fn another_issuer_is_a_withdrawal_and_a_broken_text_is_not() {
    let name = discovery().name();
    let other = Excerpt::new("https://other.example\n\"");
    let error = read(&name, &of_other_issuer(&other)).unwrap_err();
    assert!(is_withdrawal(&error), "{error:?}");
    assert!(
        error
            .line()
            .starts_with("discovery document cannot be used (The document was rejected: its issuer is")
    );
    let whole = with_document(&discovery(), &document(""), &set());
    for broken in ["", "\n", &whole[..10], &whole[..whole.len() - 1], "{}\n{\"keys\":[]}"] {
        let error = read(&name, broken).unwrap_err();
        assert!(!is_withdrawal(&error), "{broken}: {error:?}");
    }
}
