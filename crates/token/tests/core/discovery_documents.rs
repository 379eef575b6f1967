//! The documents that issuers publish, and what of them is used.

use pg_session_jwt_token::Excerpt;
use pg_session_jwt_token::algorithm::Algorithm;
use pg_session_jwt_token::discovery::Discovery;
use pg_session_jwt_token::discovery_document::{DiscoveryDocument, DiscoveryProblem};
use rstest::rstest;

const ISSUER: &str = "https://issuer.example/a";
const KEYS: &str = r#""jwks_uri":"https://keys.example/jwks""#;

fn parse(text: &str) -> Result<DiscoveryDocument, DiscoveryProblem> {
    DiscoveryDocument::parse(text, &Discovery::new(ISSUER, None).unwrap())
}

fn with(members: &str) -> Result<DiscoveryDocument, DiscoveryProblem> {
    parse(&format!(r#"{{"issuer":"{ISSUER}",{members}}}"#))
}

fn unusable(problem: &str) -> Result<DiscoveryDocument, DiscoveryProblem> {
    Err(DiscoveryProblem::Unusable(problem.to_owned()))
}

#[test]
fn a_usual_document_is_read() {
    let document = with(
        r#""authorization_endpoint":"https://issuer.example/authorize","jwks_uri":"https://keys.example/jwks",
        "response_types_supported":["code"],"subject_types_supported":["public"],
        "id_token_signing_alg_values_supported":["RS256","HS256","ES256","none","ES512","RS256","Ed25519"]"#,
    );
    let expected = DiscoveryDocument {
        jwks_uri: "https://keys.example/jwks".to_owned(),
        algorithms: Some(vec![
            Algorithm::RS256,
            Algorithm::ES256,
            Algorithm::ES512,
            Algorithm::EdDSA,
        ]),
    };
    assert_eq!(document, Ok(expected));
}

#[test]
fn a_document_without_algorithms_announces_none() {
    assert_eq!(with(KEYS).unwrap().algorithms, None);
    let bom = format!("\u{feff}{{\"issuer\":\"{ISSUER}\",{KEYS}}}");
    assert_eq!(parse(&bom), with(KEYS));
}

#[rstest]
fn the_issuer_is_compared_by_its_characters(
    #[values(
        "https://issuer.example/a/",
        "https://issuer.example/A",
        "https://ISSUER.example/a",
        "https://issuer.example:443/a",
        "https://issuer.example/%61",
        "https://issuer.example/a ",
        "https://issuer.example",
        "http://issuer.example/a",
        "https://\u{456}ssuer.example/a",
        ""
    )]
    issuer: &str,
) {
    let problem = DiscoveryProblem::OtherIssuer(Excerpt::new(issuer));
    assert_eq!(parse(&format!(r#"{{"issuer":"{issuer}",{KEYS}}}"#)), Err(problem));
    // Nothing else of the document is read.
    let problem = DiscoveryProblem::OtherIssuer(Excerpt::new(issuer));
    assert_eq!(parse(&format!(r#"{{"jwks_uri":7,"issuer":"{issuer}"}}"#)), Err(problem));
}

#[test]
fn an_escape_in_the_issuer_is_the_character() {
    let text = format!(r#"{{"issuer":"https:\/\/issuer.example/\u0061",{KEYS}}}"#);
    assert_eq!(parse(&text), with(KEYS));
}

#[rstest]
#[case("", "EOF while parsing a value at line 1 column 0")]
#[case("[]", "it is not an object")]
#[case(
    r#"{"issuer":"https://issuer.example/a""#,
    "EOF while parsing an object at line 1 column 36"
)]
#[case(
    r#"{"issuer":"a","issuer":"b"}"#,
    "an object has the same member twice at line 1 column 27"
)]
#[case("<!DOCTYPE html>", "expected value at line 1 column 1")]
#[case("{}", "it has no string \"issuer\"")]
#[case(r#"{"issuer":["https://issuer.example/a"]}"#, "it has no string \"issuer\"")]
#[case(r#"{"issuer":null}"#, "it has no string \"issuer\"")]
fn a_text_that_is_no_document_is_rejected(#[case] text: &str, #[case] problem: &str) {
    assert_eq!(parse(text), unusable(problem), "{text}");
}

#[rstest]
#[case(r#""a":1"#, "it has no string \"jwks_uri\"")]
#[case(r#""jwks_uri":["https://keys.example/"]"#, "it has no string \"jwks_uri\"")]
#[case(r#""jwks_uri":"/jwks""#, "its \"jwks_uri\" is not an absolute URL")]
#[case(
    r#""jwks_uri":"http://keys.example/""#,
    "its \"jwks_uri\" is http, which is accepted only for loopback addresses; use https"
)]
#[case(r#""jwks_uri":"file:///etc/passwd""#, "its \"jwks_uri\" is not a URL")]
#[case(
    r#""jwks_uri":"file://keys.example/etc""#,
    "its \"jwks_uri\" is neither https nor http"
)]
#[case(
    r#""jwks_uri":"http://127.0.0.1/""#,
    "its \"jwks_uri\" has a loopback or link-local address, and its issuer has not"
)]
#[case(
    r#""jwks_uri":"https://169.254.169.254/""#,
    "its \"jwks_uri\" has a loopback or link-local address, and its issuer has not"
)]
#[case(r#""jwks_uri":"https://keys.example/ä""#, "its \"jwks_uri\" is not a URL")]
#[case(r#""jwks_uri":"https://keys.example/\"""#, "its \"jwks_uri\" is not a URL")]
#[case(r#""jwks_uri":"https://keys.example/\n""#, "its \"jwks_uri\" is not a URL")]
#[case(r#""jwks_uri":"""#, "its \"jwks_uri\" is not a URL")]
fn a_key_set_elsewhere_is_rejected(#[case] members: &str, #[case] problem: &str) {
    assert_eq!(with(members), unusable(problem), "{members}");
}

#[rstest]
fn algorithms_that_are_no_list_of_strings_are_rejected(
    #[values("\"RS256\"", "null", "{}", "[\"RS256\",7]")] list: &str,
) {
    let problem = "its \"id_token_signing_alg_values_supported\" is not a list of strings";
    let members = format!(r#"{KEYS},"id_token_signing_alg_values_supported":{list}"#);
    assert_eq!(with(&members), unusable(problem), "{list}");
}

#[rstest]
fn a_document_without_a_supported_algorithm_is_rejected(
    #[values(
        "[]",
        r#"["none"]"#,
        r#"["HS256","HS384","HS512"]"#,
        r#"["ES256K","rs256","RS256 "]"#
    )]
    list: &str,
) {
    let problem = "its \"id_token_signing_alg_values_supported\" has no supported algorithm";
    let members = format!(r#"{KEYS},"id_token_signing_alg_values_supported":{list}"#);
    assert_eq!(with(&members), unusable(problem), "{list}");
}

#[test]
fn a_document_of_256_kib_is_read_and_a_byte_more_is_not() {
    let of = |bytes: usize| {
        let text = format!(r#"{{"issuer":"{ISSUER}",{KEYS},"a":""}}"#);
        text.replace("\"\"}", &format!("\"{}\"}}", "x".repeat(bytes - text.len())))
    };
    assert_eq!(of(262_144).len(), 262_144);
    assert_eq!(parse(&of(262_144)), with(KEYS));
    assert_eq!(parse(&of(262_145)), unusable("it has more than 262144 bytes"));
}

#[test]
fn a_document_is_nested_64_levels_deep_at_most() {
    let of = |depth: usize| {
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        format!(r#"{KEYS},"a":{open}{close}"#)
    };
    assert_eq!(with(&of(64)), with(KEYS));
    let Err(DiscoveryProblem::Unusable(problem)) = with(&of(65)) else {
        panic!("65 levels are read");
    };
    assert!(problem.starts_with("nested more than 64 levels deep"), "{problem}");
}

#[test]
fn the_line_of_a_document_is_a_document_with_the_same_facts() {
    for members in [
        KEYS.to_owned(),
        format!(r#"{KEYS},"id_token_signing_alg_values_supported":["Ed25519","PS512","HS256"]"#),
    ] {
        let document = with(&members).unwrap();
        let line = document.line(ISSUER);
        assert!(!line.contains('\n'));
        assert_eq!(parse(&line), Ok(document));
    }
}
