//! Malformed tokens: each has its SQLSTATE and message, and leaves the identity unchanged.

use rstest::rstest;

use testkit::messages;
use testkit::session::{Proxy, init, one, rejects_token, user_id};
use testkit::signer::part;

/// Asserts that this text is rejected, and the valid token after it is not. `$good` stands for that token, and `$head`,
/// `$payload`, `$signature` for its parts.
#[track_caller]
fn rejects(text: &str, message: &str) {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
    let good = proxy.token_of("bob");
    let [head, payload, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let text = text
        .replace("$good", &good)
        .replace("$head", head)
        .replace("$payload", payload)
        .replace("$signature", signature)
        .replace("$tail", &signature[1..])
        .replace("$mallory", &part(r#"{"jti":9,"sub":"mallory"}"#));
    rejects_token(&mut client, &text, "28000", message);
    init(&mut client, &good);
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[rstest]
#[case("x")]
#[case(" ")]
#[case("älice")]
#[case("'; select 1; --")]
#[case("{}")]
#[case("$head.$payload")]
#[case("$head.$payload.$signature.$signature")]
#[case("$head.$payload.$signature.")]
#[case("Bearer $good")]
#[case(".$good")]
#[case("..........")]
fn text_without_three_parts_is_malformed(#[case] text: &str) {
    rejects(text, messages::INVALID_ENCODING);
}

#[rstest]
#[case("$head.$payload.$signature=", messages::SIGNATURE_NOT_BASE64URL)]
#[case("$head.$payload.$signature ", messages::SIGNATURE_NOT_BASE64URL)]
#[case("$head.$payload.$signature\n", messages::SIGNATURE_NOT_BASE64URL)]
#[case("$head.$payload.$tail+", messages::SIGNATURE_NOT_BASE64URL)]
#[case(" $good", messages::HEADER_NOT_BASE64URL)]
#[case("$head=.$payload.$signature", messages::HEADER_NOT_BASE64URL)]
#[case("e.$payload.$signature", messages::HEADER_NOT_BASE64URL)]
fn part_that_is_not_base64url_is_malformed(#[case] text: &str, #[case] message: &str) {
    rejects(text, message);
}

// Altered, truncated or empty, but well-formed.
#[rstest]
#[case("$head.$payload.")]
#[case("$head..$signature")]
#[case("$head.$payload=.$signature")]
#[case("$head.$mallory.$signature")]
fn changed_part_has_an_invalid_signature(#[case] text: &str) {
    rejects(text, messages::INVALID_SIGNATURE);
}

// All of these have a valid Ed25519 signature.
#[rstest]
#[case(r#"{"alg":"none"}"#, messages::ALGORITHM_NOT_SUPPORTED)]
#[case(r#"{"alg":"None"}"#, messages::ALGORITHM_NOT_SUPPORTED)]
#[case(r#"{"alg":""}"#, messages::ALGORITHM_NOT_SUPPORTED)]
#[case(r#"{"alg":"eddsa"}"#, messages::ALGORITHM_NOT_SUPPORTED)]
#[case(r#"{"alg":"EdDSA "}"#, messages::ALGORITHM_NOT_SUPPORTED)]
#[case(r#"{"alg":"ES256K"}"#, messages::ALGORITHM_NOT_SUPPORTED)]
#[case(r#"{"alg":"HS256"}"#, messages::ALGORITHM_MISMATCH)]
#[case(r#"{"alg":"ES256"}"#, messages::ALGORITHM_MISMATCH)]
#[case(r#"{"alg":"RS256"}"#, messages::ALGORITHM_MISMATCH)]
#[case(r#"{"alg":"PS512"}"#, messages::ALGORITHM_MISMATCH)]
#[case(r#"{"alg":"EdDSA","crit":["exp"],"exp":1}"#, messages::EXTENSION_NOT_SUPPORTED)]
#[case(r#"{"alg":"EdDSA","crit":[]}"#, messages::EXTENSION_NOT_SUPPORTED)]
#[case(r#"{"alg":"EdDSA","crit":null}"#, messages::EXTENSION_NOT_SUPPORTED)]
#[case(r#"{"alg":"EdDSA","b64":1}"#, messages::EXTENSION_NOT_SUPPORTED)]
#[case(r#"{"alg":"EdDSA","alg":"EdDSA"}"#, messages::HEADER_NOT_JSON)]
#[case(r#"{"alg":"EdDSA","\u0061lg":"none"}"#, messages::HEADER_NOT_JSON)]
#[case(r#"{"alg":"EdDSA"}{}"#, messages::HEADER_NOT_JSON)]
#[case(r#"["EdDSA"]"#, messages::HEADER_NOT_JSON)]
#[case(r#""EdDSA""#, messages::HEADER_NOT_JSON)]
#[case("not JSON", messages::HEADER_NOT_JSON)]
#[case("", messages::HEADER_NOT_JSON)]
#[case("{}", messages::HEADER_WITHOUT_ALG)]
#[case(r#"{"alg":null}"#, messages::HEADER_WITHOUT_ALG)]
#[case(r#"{"alg":["EdDSA"]}"#, messages::HEADER_WITHOUT_ALG)]
#[case(r#"{"ALG":"EdDSA"}"#, messages::HEADER_WITHOUT_ALG)]
#[case(r#"{"alg":"EdDSA","kid":7}"#, messages::HEADER_WITHOUT_KID)]
fn header_with_another_algorithm_or_crit_is_rejected(#[case] header: &str, #[case] message: &str) {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
    let token = proxy.with_header(header, r#"{"jti":9,"sub":"bob"}"#);
    rejects_token(&mut client, &token, "28000", message);
}

#[test]
fn other_members_of_a_header_are_not_read() {
    // Keys in a header are not read, and this key has no name.
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
    let key = Proxy::new().jwk();
    let header = format!(r#"{{"alg":"EdDSA","kid":"any","typ":"x","jwk":{key},"jku":"https://example.com/"}}"#);
    init(&mut client, &proxy.with_header(&header, r#"{"jti":9,"sub":"bob"}"#));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

fn deep(depth: usize) -> String {
    format!(r#"{{"jti":9,"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth))
}

fn objects(depth: usize) -> String {
    format!(r#"{{"jti":9,"x":{}1{}}}"#, r#"{"x":"#.repeat(depth), "}".repeat(depth))
}

fn number(number: &str) -> String {
    format!(r#"{{"jti":9,"x":{number}}}"#)
}

// A NUL would make a text value that PostgreSQL cannot hold.
#[rstest]
#[case("")]
#[case("null")]
#[case("7")]
#[case("[]")]
#[case(r#""text""#)]
#[case(r#"{"jti":9}{}"#)]
#[case(r#"{"jti":9,}"#)]
#[case(r#"{"jti":9,"sub":"bob"} x"#)]
#[case("\u{feff}{\"jti\":9}")]
#[case(r#"{"jti":9,"sub":"bob\u0000admin"}"#)]
#[case(r#"{"jti":9,"a\u0000b":1}"#)]
#[case(r#"{"jti":9,"o":{"x":["\u0000"]}}"#)]
#[case(r#"{"jti":9,"sub":"\ud834"}"#)]
#[case(r#"{"jti":9,"sub":"\udc00\ud834"}"#)]
#[case(r#"{"jti":9,"sub":"bob","sub":"alice"}"#)]
#[case(r#"{"jti":9,"sub":"bob","s\u0075b":"alice"}"#)]
#[case(r#"{"jti":9,"o":{"id":1,"id":2}}"#)]
#[case(deep(64))]
#[case(deep(10_000))]
#[case(objects(7_000))]
#[case(number("1e400"))]
#[case(number("1e-400000"))]
#[case(number(&"1".repeat(401)))]
#[case(number("NaN"))]
#[case(number("01"))]
#[case(b"{\"jti\":9,\"sub\":\"\xff\"}")]
#[case(b"{\"jti\":9,\"sub\":\"\xc0\x80\"}")]
#[case(b"{\"jti\":9,\"sub\":\"\xed\xa0\x80\"}")]
fn payload_that_cannot_be_stored_is_rejected(#[case] payload: impl AsRef<[u8]>) {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
    rejects_token(&mut client, &proxy.raw(payload), "28000", messages::PAYLOAD_NOT_JSON);
}

#[test]
fn payload_nested_64_deep_is_accepted() {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
    init(&mut client, &proxy.raw(deep(63)));
    assert_eq!(
        one::<String>(&mut client, "select jsonb_typeof(auth.session() -> 'x')"),
        "array"
    );
}
