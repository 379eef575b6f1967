//! RFC 7515 §4.1.2-4.1.8: a header names its key by `kid`; a key that it brings along or points to is nobody's.

use pg_session_jwt_token::{Error, Excerpt};

use crate::sign::{ED25519, Signer, judge, pinned, set};

const CLAIMS: &str = r#"{"sub":"alice"}"#;

/// The verdict on a token with this header and a good Ed25519 signature.
fn refusal(header: &str) -> Option<Error> {
    let token = ED25519.token_with_header("EdDSA", header, CLAIMS);
    judge(token, &pinned(&ED25519)).err()
}

/// attack: 11
#[test]
fn a_kid_must_be_a_string() {
    for kid in ["1", "null", "true", r#"["a"]"#, "{}", "1.0"] {
        assert_eq!(
            refusal(&format!(r#"{{"alg":"EdDSA","kid":{kid}}}"#)),
            Some(Error::HeaderMember { member: "kid" }),
            "{kid}"
        );
    }
}

/// attack: 10
#[test]
fn a_kid_is_compared_byte_by_byte() {
    let keys = set(&[ED25519.jwk(r#""kid":"key-1""#)]).unwrap();
    let with_kid = |kid: &str| {
        let header = format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#);
        judge(ED25519.token_with_header("EdDSA", header, CLAIMS), &keys)
    };
    assert_eq!(with_kid("key-1").unwrap().kid.as_deref(), Some("key-1"));
    assert_eq!(with_kid("\\u006bey-1").unwrap().kid.as_deref(), Some("key-1"));
    let long = "k".repeat(40_000);
    let strangers = [
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
        &long,
    ];
    for kid in strangers {
        let unknown = Error::UnknownKeyId { kid: Excerpt::new(kid) };
        assert_eq!(with_kid(kid), Err(unknown), "{kid}");
    }
}

/// attack: 10
#[test]
fn what_an_error_keeps_of_a_kid_is_short_and_printable() {
    let texts = [
        ("plain kid_1=+/", "plain kid_1=+/"),
        ("a\"b\\c", r#"a\"b\\c"#),
        ("line\nfeed\r\ttab", r"line\nfeed\r\ttab"),
        ("\u{1b}[31m\u{202e}\u{feff}\u{7f}", r"\u{1b}[31m\u{202e}\u{feff}\u{7f}"),
        ("älice", r"\u{e4}lice"),
    ];
    for (text, excerpt) in texts {
        assert_eq!(Excerpt::new(text).to_string(), excerpt);
    }
    assert_eq!(Excerpt::new(&"k".repeat(64)).to_string(), "k".repeat(64));
    assert_eq!(
        Excerpt::new(&"k".repeat(65)).to_string(),
        format!("{}...", "k".repeat(64))
    );
    assert_eq!(Excerpt::new(&"\u{10ffff}".repeat(70)).to_string().len(), 64 * 10 + 3);
}

/// attack: 9
#[test]
fn a_key_that_the_header_brings_along_is_not_used() {
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
        assert_eq!(judge(forged, &pinned(&ED25519)), Err(Error::Signature), "{member}");
        // A true signer may write them; they mean nothing.
        assert_eq!(refusal(&header), None, "{member}");
    }
    for header in [r#"{"alg":"EdDSA","jwk":7}"#, r#"{"alg":"EdDSA","x5c":null,"jku":[]}"#] {
        assert_eq!(refusal(header), None, "{header}");
    }
}
