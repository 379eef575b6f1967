//! RFC 7515 §4.1.2-4.1.8: a header identifies its key by `kid`; a key that it contains or refers to is not trusted.

use std::sync::LazyLock;

use pg_session_jwt_token::{Error, Excerpt, Identity};

use rstest::rstest;

use crate::sign::{ED25519, Signer, pinned, set, verify_now};

const CLAIMS: &str = r#"{"sub":"alice"}"#;

/// The outcome for a token with this header and a valid Ed25519 signature.
fn rejection(header: &str) -> Option<Error> {
    let token = ED25519.token_with_header("EdDSA", header, CLAIMS);
    verify_now(token, &pinned(&ED25519)).err()
}

/// attack: 11
#[rstest]
fn a_kid_must_be_a_string(#[values("1", "null", "true", r#"["a"]"#, "{}", "1.0")] kid: &str) {
    assert_eq!(
        rejection(&format!(r#"{{"alg":"EdDSA","kid":{kid}}}"#)),
        Some(Error::HeaderMember { member: "kid" })
    );
}

/// The outcome at `NOW` for a token with this `kid`, where the one key is called `key-1`.
fn with_kid(kid: &str) -> Result<Identity, Error> {
    let keys = set(&[ED25519.jwk(r#""kid":"key-1""#)]).unwrap();
    let header = format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#);
    verify_now(ED25519.token_with_header("EdDSA", header, CLAIMS), &keys)
}

#[rstest]
fn a_kid_is_read_with_its_escapes(#[values("key-1", "\\u006bey-1")] kid: &str) {
    assert_eq!(with_kid(kid).unwrap().kid.as_deref(), Some("key-1"));
}

/// attack: 10
#[rstest]
fn a_kid_is_compared_byte_by_byte(
    #[values(
        "",
        "key-",
        "key-11",
        "Key-1",
        "KEY-1",
        " key-1",
        "key-1 ",
        "key%2D1",
        "../key-1",
        "key-1'; select 1; --",
        "__proto__",
        "key\u{2010}1",
        LONG.as_str()
    )]
    kid: &str,
) {
    let unknown = Error::UnknownKeyId { kid: Excerpt::new(kid) };
    assert_eq!(with_kid(kid), Err(unknown));
}

static LONG: LazyLock<String> = LazyLock::new(|| "k".repeat(40_000));

/// attack: 10
#[rstest]
#[case("plain kid_1=+/", "plain kid_1=+/")]
#[case("a\"b\\c", r#"a\"b\\c"#)]
#[case("line\nfeed\r\ttab", r"line\nfeed\r\ttab")]
#[case("\u{1b}[31m\u{202e}\u{feff}\u{7f}", r"\u{1b}[31m\u{202e}\u{feff}\u{7f}")]
#[case("älice", r"\u{e4}lice")]
fn an_excerpt_is_printable(#[case] text: &str, #[case] excerpt: &str) {
    assert_eq!(Excerpt::new(text).to_string(), excerpt);
}

#[test]
fn an_excerpt_has_at_most_64_characters() {
    assert_eq!(Excerpt::new(&"k".repeat(64)).to_string(), "k".repeat(64));
    assert_eq!(
        Excerpt::new(&"k".repeat(65)).to_string(),
        format!("{}...", "k".repeat(64))
    );
    assert_eq!(Excerpt::new(&"\u{10ffff}".repeat(70)).to_string().len(), 64 * 10 + 3);
}

/// attack: 9
#[test]
fn a_key_that_the_header_contains_is_not_used() {
    let stranger = Signer::ed25519();
    let own = stranger.jwk("");
    let embedded = [
        format!(r#""jwk":{own}"#),
        r#""jku":"https://attacker.example/jwks.json""#.to_owned(),
        r#""x5u":"file:///etc/passwd""#.to_owned(),
        r#""x5c":["MIIB"],"x5t":"AA","x5t#S256":"AA""#.to_owned(),
    ];
    for member in embedded {
        let header = format!(r#"{{"alg":"EdDSA",{member}}}"#);
        let forged = stranger.token_with_header("EdDSA", &header, CLAIMS);
        assert_eq!(verify_now(forged, &pinned(&ED25519)), Err(Error::Signature), "{member}");
        // A legitimate signer may write these members; they have no effect.
        assert_eq!(rejection(&header), None, "{member}");
    }
    for header in [r#"{"alg":"EdDSA","jwk":7}"#, r#"{"alg":"EdDSA","x5c":null,"jku":[]}"#] {
        assert_eq!(rejection(header), None, "{header}");
    }
}
