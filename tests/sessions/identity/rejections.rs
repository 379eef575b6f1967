//! Malformed tokens: each has its SQLSTATE and message, and leaves the identity unchanged.

use testkit::messages;
use testkit::session::{Proxy, init, one, refuses_token, user_id};
use testkit::signer::part;

#[test]
fn anything_but_three_base64url_parts_is_malformed() {
    // The header is decoded and parsed like every other part.
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let good = proxy.token_of("bob");
    let [head, payload, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    for token in [
        "x".to_owned(),
        " ".to_owned(),
        "älice".to_owned(),
        "'; select 1; --".to_owned(),
        "{}".to_owned(),
        format!("{head}.{payload}"),
        format!("{head}.{payload}.{signature}.{signature}"),
        format!("{head}.{payload}.{signature}."),
        format!(".{good}"),
        "..........".to_owned(),
    ] {
        refuses_token(&mut client, &token, "22023", messages::INVALID_ENCODING);
    }
    for (token, message) in [
        (
            format!("{head}.{payload}.{signature}="),
            messages::SIGNATURE_NOT_BASE64URL,
        ),
        (
            format!("{head}.{payload}.{signature} "),
            messages::SIGNATURE_NOT_BASE64URL,
        ),
        (
            format!("{head}.{payload}.{signature}\n"),
            messages::SIGNATURE_NOT_BASE64URL,
        ),
        (
            format!("{head}.{payload}.{}+", &signature[1..]),
            messages::SIGNATURE_NOT_BASE64URL,
        ),
        (format!(" {good}"), messages::HEADER_NOT_BASE64URL),
        (format!("{head}=.{payload}.{signature}"), messages::HEADER_NOT_BASE64URL),
        (format!("e.{payload}.{signature}"), messages::HEADER_NOT_BASE64URL),
        (format!("Bearer {good}"), messages::HEADER_NOT_BASE64URL),
    ] {
        refuses_token(&mut client, &token, "22023", message);
    }
    // Altered, truncated or empty, but well-formed: the signature is invalid.
    for token in [
        format!("{head}.{payload}."),
        format!("{head}..{signature}"),
        format!("{head}.{payload}=.{signature}"),
        format!("{head}.{}.{signature}", part(r#"{"jti":9,"sub":"mallory"}"#)),
    ] {
        refuses_token(&mut client, &token, "28000", messages::INVALID_SIGNATURE);
    }
    init(&mut client, &good);
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[test]
fn header_with_another_algorithm_or_crit_is_rejected() {
    // All of these have a valid Ed25519 signature.
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let payload = r#"{"jti":9,"sub":"bob"}"#;
    for (header, sqlstate, message) in [
        (r#"{"alg":"none"}"#, "28000", messages::ALGORITHM_NOT_SUPPORTED),
        (r#"{"alg":"None"}"#, "28000", messages::ALGORITHM_NOT_SUPPORTED),
        (r#"{"alg":""}"#, "28000", messages::ALGORITHM_NOT_SUPPORTED),
        (r#"{"alg":"eddsa"}"#, "28000", messages::ALGORITHM_NOT_SUPPORTED),
        (r#"{"alg":"EdDSA "}"#, "28000", messages::ALGORITHM_NOT_SUPPORTED),
        (r#"{"alg":"ES512"}"#, "28000", messages::ALGORITHM_NOT_SUPPORTED),
        (r#"{"alg":"HS256"}"#, "28000", messages::ALGORITHM_MISMATCH),
        (r#"{"alg":"ES256"}"#, "28000", messages::ALGORITHM_MISMATCH),
        (r#"{"alg":"RS256"}"#, "28000", messages::ALGORITHM_MISMATCH),
        (r#"{"alg":"PS512"}"#, "28000", messages::ALGORITHM_MISMATCH),
        (
            r#"{"alg":"EdDSA","crit":["exp"],"exp":1}"#,
            "28000",
            messages::EXTENSION_NOT_SUPPORTED,
        ),
        (
            r#"{"alg":"EdDSA","crit":[]}"#,
            "28000",
            messages::EXTENSION_NOT_SUPPORTED,
        ),
        (
            r#"{"alg":"EdDSA","crit":null}"#,
            "28000",
            messages::EXTENSION_NOT_SUPPORTED,
        ),
        (
            r#"{"alg":"EdDSA","b64":true}"#,
            "28000",
            messages::EXTENSION_NOT_SUPPORTED,
        ),
        (r#"{"alg":"EdDSA","alg":"EdDSA"}"#, "22023", messages::HEADER_NOT_JSON),
        (
            r#"{"alg":"EdDSA","\u0061lg":"none"}"#,
            "22023",
            messages::HEADER_NOT_JSON,
        ),
        (r#"{"alg":"EdDSA"}{}"#, "22023", messages::HEADER_NOT_JSON),
        (r#"["EdDSA"]"#, "22023", messages::HEADER_NOT_JSON),
        (r#""EdDSA""#, "22023", messages::HEADER_NOT_JSON),
        ("not JSON", "22023", messages::HEADER_NOT_JSON),
        ("", "22023", messages::HEADER_NOT_JSON),
        ("{}", "22023", messages::HEADER_WITHOUT_ALG),
        (r#"{"alg":null}"#, "22023", messages::HEADER_WITHOUT_ALG),
        (r#"{"alg":["EdDSA"]}"#, "22023", messages::HEADER_WITHOUT_ALG),
        (r#"{"ALG":"EdDSA"}"#, "22023", messages::HEADER_WITHOUT_ALG),
        (r#"{"alg":"EdDSA","kid":7}"#, "22023", messages::HEADER_WITHOUT_KID),
    ] {
        refuses_token(&mut client, &proxy.with_header(header, payload), sqlstate, message);
    }
    // Other members have no meaning: keys in a header are not read, and this key has no name.
    let key = Proxy::new().jwk();
    let header = format!(r#"{{"alg":"EdDSA","kid":"any","typ":"x","jwk":{key},"jku":"https://example.com/"}}"#);
    init(&mut client, &proxy.with_header(&header, payload));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[test]
fn payload_that_cannot_be_stored_is_rejected() {
    // A NUL would make a text value that PostgreSQL cannot hold.
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let deep = |depth: usize| format!(r#"{{"jti":9,"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let objects = format!(r#"{{"jti":9,"x":{}1{}}}"#, r#"{"x":"#.repeat(7_000), "}".repeat(7_000));
    let number = |number: String| format!(r#"{{"jti":9,"x":{number}}}"#);
    for payload in [
        "",
        "null",
        "7",
        "[]",
        r#""text""#,
        r#"{"jti":9}{}"#,
        r#"{"jti":9,}"#,
        r#"{"jti":9,"sub":"bob"} x"#,
        "\u{feff}{\"jti\":9}",
        r#"{"jti":9,"sub":"bob\u0000admin"}"#,
        r#"{"jti":9,"a\u0000b":1}"#,
        r#"{"jti":9,"o":{"x":["\u0000"]}}"#,
        r#"{"jti":9,"sub":"\ud834"}"#,
        r#"{"jti":9,"sub":"\udc00\ud834"}"#,
        r#"{"jti":9,"sub":"bob","sub":"alice"}"#,
        r#"{"jti":9,"sub":"bob","s\u0075b":"alice"}"#,
        r#"{"jti":9,"o":{"id":1,"id":2}}"#,
        &deep(64),
        &deep(10_000),
        &objects,
        &number("1e400".to_owned()),
        &number("1e-400000".to_owned()),
        &number("1".repeat(401)),
        &number("NaN".to_owned()),
        &number("01".to_owned()),
    ] {
        refuses_token(&mut client, &proxy.raw(payload), "22023", messages::PAYLOAD_NOT_JSON);
    }
    for bytes in [
        &b"{\"jti\":9,\"sub\":\"\xff\"}"[..],
        b"{\"jti\":9,\"sub\":\"\xc0\x80\"}",
        b"{\"jti\":9,\"sub\":\"\xed\xa0\x80\"}",
    ] {
        refuses_token(&mut client, &proxy.raw(bytes), "22023", messages::PAYLOAD_NOT_JSON);
    }
    init(&mut client, &proxy.raw(deep(63)));
    assert_eq!(
        one::<String>(&mut client, "select jsonb_typeof(auth.session() -> 'x')"),
        "array"
    );
}
