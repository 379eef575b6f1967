//! Issuers whose document names their keys: the entries, and the addresses of the document.

use pg_session_jwt_token::Error;
use pg_session_jwt_token::discovery::{Discovery, MAX_NAME_BYTES};
use pg_session_jwt_token::key_url::MAX_URL_BYTES;
use pg_session_jwt_token::provider::{KeySource, parse, urls};
use rstest::rstest;

use crate::providers::rejected;

fn source(members: &str) -> KeySource {
    parse(&format!("[{{{members}}}]")).unwrap().remove(0).source
}

#[track_caller]
fn discovery(members: &str) -> Discovery {
    match source(members) {
        KeySource::Discovery(discovery) => discovery,
        other => panic!("{other:?}"),
    }
}

/// RFC 8414 §3.1 has the example with a path.
#[rstest]
#[case("https://example.com", "", "")]
#[case("https://example.com/", "", "")]
#[case("https://example.com/issuer1", "/issuer1", "/issuer1")]
#[case("https://example.com/a/b/", "/a/b", "/a/b")]
#[case("https://example.com//", "/", "/")]
fn an_issuer_alone_has_two_addresses_for_its_document(#[case] issuer: &str, #[case] before: &str, #[case] after: &str) {
    let discovery = discovery(&format!(r#""issuer":"{issuer}""#));
    assert_eq!(discovery.issuer(), issuer);
    let expected = [
        format!("https://example.com{before}/.well-known/openid-configuration"),
        format!("https://example.com/.well-known/oauth-authorization-server{after}"),
    ];
    assert_eq!(discovery.documents(), expected);
}

#[test]
fn port_case_and_address_of_the_issuer_stay_as_they_are() {
    let of = |issuer: &str| discovery(&format!(r#""issuer":"{issuer}""#)).documents().remove(1);
    let well_known = "/.well-known/oauth-authorization-server";
    assert_eq!(
        of("https://Example.com:8443/A"),
        format!("https://Example.com:8443{well_known}/A")
    );
    assert_eq!(of("http://[::1]:9/a"), format!("http://[::1]:9{well_known}/a"));
}

#[test]
fn a_discovery_url_is_the_only_address() {
    let url = "https://t.example/t/policy/v2.0/.well-known/openid-configuration?p=1";
    let discovery = discovery(&format!(
        r#""issuer":"https://t.example/id/v2.0/","discovery_url":"{url}""#
    ));
    assert_eq!(discovery.issuer(), "https://t.example/id/v2.0/");
    assert_eq!(discovery.documents(), [url]);
}

#[rstest]
#[case(r#""issuer":"a""#, "cannot discover its keys: its \"issuer\" is not an absolute URL")]
#[case(
    r#""issuer":"http://example.com""#,
    "cannot discover its keys: its \"issuer\" is http, which is accepted only for loopback addresses; use https"
)]
#[case(
    r#""issuer":"https://a.example/?b""#,
    "cannot discover its keys: its \"issuer\" has a query (?)"
)]
#[case(
    r##""issuer":"https://a.example/#b""##,
    "cannot discover its keys: its \"issuer\" has a fragment (#)"
)]
#[case(
    r#""issuer":"https://a:b@a.example""#,
    "cannot discover its keys: its \"issuer\" has a user name or password in it"
)]
#[case(r#""issuer":7"#, "has an invalid \"issuer\": a non-empty string is required")]
#[case(
    r#""audience":"a""#,
    "must have \"issuer\", or one of \"jwks\", \"jwks_file\" and \"jwks_url\""
)]
#[case(
    r#""audience":"a","discovery_url":"https://a.example""#,
    "must have \"issuer\" beside \"discovery_url\""
)]
#[case(
    r#""issuer":"https://a.example","discovery_url":"http://a.example""#,
    "has an invalid \"discovery_url\": it is http, which is accepted only for loopback addresses; use https"
)]
#[case(
    r#""issuer":"https://a.example","discovery_url":"""#,
    "has an invalid \"discovery_url\": a non-empty string is required"
)]
#[case(
    r#""issuer":"https://a.example","discovery_url":"https://a.example","jwks_url":"https://a.example""#,
    "must have at most one of \"jwks\", \"jwks_file\", \"jwks_url\" and \"discovery_url\""
)]
fn an_entry_that_cannot_discover_is_rejected(#[case] members: &str, #[case] problem: &str) {
    rejected(&format!("[{{{members}}}]"), Some(0), problem);
}

#[test]
fn the_longest_issuer_has_documents_of_512_bytes() {
    let issuer = |bytes: usize| {
        let start = "https://a.example/";
        format!("{start}{}", "i".repeat(bytes - start.len()))
    };
    let rest = "/.well-known/oauth-authorization-server".len();
    let longest = issuer(MAX_URL_BYTES - rest);
    assert_eq!(
        Discovery::new(&longest, None).unwrap().documents()[1].len(),
        MAX_URL_BYTES
    );
    let problem = "cannot discover its keys: the address of its document is longer than 512 bytes";
    assert_eq!(
        Discovery::new(&issuer(MAX_URL_BYTES - rest + 1), None),
        Err(problem.to_owned())
    );
    let full = issuer(MAX_URL_BYTES);
    assert_eq!(Discovery::new(&full, Some(&full)).unwrap().name().len(), MAX_NAME_BYTES);
    let problem = "cannot discover its keys: its \"issuer\" is longer than 512 bytes";
    assert_eq!(
        Discovery::new(&issuer(MAX_URL_BYTES + 1), Some(&full)),
        Err(problem.to_owned())
    );
}

#[test]
fn a_name_determines_its_discovery_and_is_no_url() {
    let all = [
        Discovery::new("https://a.example/b", None).unwrap(),
        Discovery::new("https://a.example/b/", None).unwrap(),
        Discovery::new("https://a.example/b", Some("https://c.example/d")).unwrap(),
        Discovery::new("https://c.example/d", Some("https://a.example/b")).unwrap(),
    ];
    for one in &all {
        assert_eq!(Discovery::from_name(&one.name()).as_ref(), Some(one));
        assert!(one.name().parse::<http::Uri>().is_err());
        assert_eq!(all.iter().filter(|other| other.name() == one.name()).count(), 1);
    }
    assert_eq!(all[2].name(), "issuer https://a.example/b at https://c.example/d");
    assert_eq!(Discovery::from_name("https://a.example/b"), None);
}

#[test]
fn entries_with_one_issuer_share_its_discovery() {
    let text = r#"[{"issuer":"https://a.example","audience":"b"},{"issuer":"https://a.example","audience":"c"},
        {"issuer":"https://a.example","jwks_url":"https://a.example"},{"issuer":"b","jwks_file":"/f"},
        {"issuer":"https://a.example","discovery_url":"https://a.example"}]"#;
    let expected = [
        "issuer https://a.example",
        "https://a.example",
        "issuer https://a.example at https://a.example",
    ];
    assert_eq!(urls(&parse(text).unwrap()), expected);
}

#[test]
fn a_server_without_worker_says_which_entry_needs_it() {
    let error = Error::NotFetched {
        index: 1,
        means: "discovery",
    };
    let message = "pg_session_jwt must be loaded via \"shared_preload_libraries\" to use \"discovery\"";
    assert_eq!(error.to_string(), message);
    let detail = "Provider 2 has no keys in the setting or in a file.";
    assert_eq!(error.detail().as_deref(), Some(detail));
}
