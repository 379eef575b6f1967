//! Arbitrary text as the document of an issuer. No panic, no other issuer, no key set behind the fence, and no symmetric
//! algorithm. The line that is stored has the same facts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pg_session_jwt_token::algorithm::HMAC;
use pg_session_jwt_token::discovery::Discovery;
use pg_session_jwt_token::discovery_document::DiscoveryDocument;
use pg_session_jwt_token::fetched_keys;
use pg_session_jwt_token::json::{Json, parse_object};

#[path = "../shapes.rs"]
#[allow(dead_code, reason = "each target has its kind of shapes")]
mod shapes;

fuzz_target!(init: shapes::write(&shapes::documents()), |text: &str| {
    let discovery = Discovery::new("https://a.example", None).unwrap();
    let _ = fetched_keys::read(&discovery.name(), text);
    let Ok(document) = DiscoveryDocument::parse(text, &discovery) else {
        return;
    };
    let members = parse_object(text.trim_start_matches('\u{feff}')).unwrap();
    assert_eq!(members.get("issuer").and_then(Json::as_str), Some("https://a.example"));
    assert_eq!(discovery.fence().check(&document.jwks_uri), Ok(()));
    if let Some(algorithms) = &document.algorithms {
        assert!(!algorithms.is_empty());
        assert!(algorithms.iter().all(|it| HMAC.iter().all(|(symmetric, _)| symmetric != it)));
    }
    let line = document.line(discovery.issuer());
    assert!(!line.contains('\n'));
    assert_eq!(DiscoveryDocument::parse(&line, &discovery), Ok(document));
});
