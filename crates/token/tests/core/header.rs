//! RFC 7515 §4: the accepted headers. The key decides the algorithm of a signature, never the header.

use pg_session_jwt_token::{Error, Excerpt, Part};
use rstest::rstest;

use crate::sign::{ED25519, is_not_json, part, pinned, set, verify_now, without_position};

const CLAIMS: &str = r#"{"sub":"alice"}"#;

/// The outcome for a token with this header and a valid Ed25519 signature.
fn rejection(header: impl AsRef<[u8]>) -> Option<Error> {
    let token = ED25519.token_with_header("EdDSA", header, CLAIMS);
    verify_now(token, &pinned(&ED25519)).err()
}

fn unknown_algorithm(alg: &str) -> Option<Error> {
    Some(Error::UnknownAlgorithm { alg: Excerpt::new(alg) })
}

fn header_member(member: &'static str) -> Option<Error> {
    Some(Error::HeaderMember { member })
}

fn not_json(problem: &str) -> Option<Error> {
    let problem = problem.to_owned();
    Some(Error::NotJson {
        part: Part::Header,
        problem,
    })
}

/// attack: 1
#[rstest]
fn none_is_no_algorithm_however_it_is_written(
    #[values(
        "none",
        "None",
        "nOnE",
        "NONE",
        "none ",
        " none",
        "n\u{43e}ne",
        "non\u{435}",
        "null",
        ""
    )]
    alg: &str,
) {
    let header = format!(r#"{{"alg":"{alg}"}}"#);
    assert_eq!(rejection(&header), unknown_algorithm(alg), "{alg}");
    let bare = format!("{}.{}.", part(&header), part(CLAIMS));
    assert_eq!(
        verify_now(bare, &pinned(&ED25519)).err(),
        unknown_algorithm(alg),
        "{alg}"
    );
}

/// attack: 3, 8
#[rstest]
fn a_name_near_an_algorithm_is_none(
    #[values(
        "eddsa",
        "EDDSA",
        "EdDSA ",
        " EdDSA",
        "ed25519",
        "Ed448",
        "EdDSA\\u0020",
        "hs256",
        "HS256 ",
        "HS-256",
        "HS1",
        "RS1",
        "RS2048",
        "rs256",
        "ES256K",
        "ES521",
        "es256",
        "PS256 ",
        "A256KW",
        "A128GCM",
        "dir",
        "RSA-OAEP",
        "PBES2-HS256+A128KW",
        "ECDH-ES",
        "ML-DSA-44",
        "SLH-DSA-SHA2-128s",
        "SHA256",
        "EdDSA,HS256",
        "\u{ff25}\u{ff44}\u{ff24}\u{ff33}\u{ff21}"
    )]
    alg: &str,
) {
    let read = alg.replace("\\u0020", " ");
    assert_eq!(
        rejection(format!(r#"{{"alg":"{alg}"}}"#)),
        unknown_algorithm(&read),
        "{alg}"
    );
}

#[test]
fn a_header_without_an_algorithm_is_rejected() {
    assert_eq!(rejection("{}"), header_member("alg"));
}

/// attack: 2
#[rstest]
fn an_algorithm_must_be_named_by_a_string(
    #[values("null", "0", "256", "true", r#"["EdDSA"]"#, r#"{"EdDSA":1}"#, "[]")] alg: &str,
) {
    assert_eq!(rejection(format!(r#"{{"alg":{alg}}}"#)), header_member("alg"), "{alg}");
}

#[test]
fn the_name_of_the_member_alg_is_case_sensitive() {
    assert_eq!(rejection(r#"{"ALG":"EdDSA"}"#), header_member("alg"));
}

/// attack: 7
#[rstest]
#[case("EdDSA", "EdDSA")]
#[case("EdDSA", "Ed25519")]
#[case("Ed25519", "EdDSA")]
#[case("Ed25519", "Ed25519")]
fn ed25519_and_eddsa_are_one_algorithm_in_header_and_key(#[case] header: &str, #[case] key: &str) {
    let keys = set(&[ED25519.jwk(&format!(r#""alg":"{key}""#))]).unwrap();
    let identity = verify_now(ED25519.token(header, CLAIMS), &keys).unwrap();
    assert_eq!(identity.user_id.as_deref(), Some("alice"), "{header} {key}");
}

/// attack: 13
#[rstest]
fn crit_in_any_form_is_rejected(
    #[values(
        "[]",
        r#"["exp"]"#,
        r#"["b64"]"#,
        r#"["alg"]"#,
        r#""b64""#,
        "null",
        "true",
        "[1]",
        "{}",
        r#"["x","x"]"#
    )]
    crit: &str,
) {
    let rejected = Some(Error::Critical { member: "crit" });
    assert_eq!(
        rejection(format!(r#"{{"alg":"EdDSA","crit":{crit}}}"#)),
        rejected,
        "{crit}"
    );
    assert_eq!(
        rejection(format!(r#"{{"cr\u0069t":{crit},"exp":1,"x":1,"alg":"EdDSA"}}"#)),
        rejected,
        "{crit}"
    );
}

/// attack: 14
#[rstest]
fn b64_other_than_true_is_rejected(#[values("false", "null", "0", r#""false""#, r#""true""#, "[true]")] b64: &str) {
    let rejected = Some(Error::Critical { member: "b64" });
    assert_eq!(
        rejection(format!(r#"{{"alg":"EdDSA","b64":{b64}}}"#)),
        rejected,
        "{b64}"
    );
}

/// RFC 7797 §3: `true` is the default.
#[test]
fn b64_true_says_nothing_new() {
    assert_eq!(rejection(r#"{"alg":"EdDSA","b64":true}"#), None);
    let critical = r#"{"alg":"EdDSA","b64":true,"crit":["b64"]}"#;
    assert_eq!(rejection(critical), Some(Error::Critical { member: "crit" }));
}

#[test]
fn b64_with_crit_or_an_unencoded_payload_is_rejected() {
    let both = r#"{"alg":"EdDSA","b64":false,"crit":["b64"]}"#;
    assert_eq!(rejection(both), Some(Error::Critical { member: "crit" }));
    // RFC 7797 §3: the payload as it is, not encoded.
    let signing_input = format!(r#"{}.{CLAIMS}"#, part(r#"{"alg":"EdDSA","b64":false}"#));
    let unencoded = verify_now(ED25519.seal("EdDSA", &signing_input), &pinned(&ED25519));
    assert_eq!(unencoded.err(), Some(Error::Critical { member: "b64" }));
}

/// attack: 17
#[rstest]
#[case(r#"{"alg":"EdDSA","alg":"EdDSA"}"#)]
#[case(r#"{"alg":"EdDSA","alg":"none"}"#)]
#[case(r#"{"alg":"none","\u0061lg":"EdDSA"}"#)]
#[case(r#"{"alg":"EdDSA","kid":"a","kid":"b"}"#)]
#[case(r#"{"alg":"EdDSA","x":{"y":1,"y":1}}"#)]
fn a_header_member_occurs_once(#[case] header: &str) {
    let twice = not_json("an object has the same member twice");
    assert_eq!(rejection(header).map(without_position), twice);
}

/// attack: 19
#[rstest]
fn a_header_must_be_a_json_object(
    #[values("[]", r#""EdDSA""#, "1", "null", "true", r#"[{"alg":"EdDSA"}]"#)] header: &str,
) {
    assert_eq!(rejection(header), not_json("it is not an object"), "{header}");
}

#[test]
fn a_header_must_be_strict_json() {
    assert_eq!(
        rejection(b"{\"alg\":\"EdDSA\",\"x\":\"\xFF\"}"),
        not_json("it is not UTF-8")
    );
    assert!(is_not_json(rejection("\u{feff}{\"alg\":\"EdDSA\"}"), Part::Header));
    assert!(is_not_json(rejection(r#"{"alg":"EdDSA"}{}"#), Part::Header));
    assert_eq!(
        rejection(r#"{"alg":"EdDSA","kid":"a\u0000"}"#).map(without_position),
        not_json("a string contains U+0000")
    );
}

/// attack: 16
#[rstest]
fn members_without_a_meaning_here_are_ignored(
    #[values(
        r#""typ":"at+jwt""#,
        r#""typ":"any""#,
        r#""cty":"JWT""#,
        r#""cat":"cl_B7d4""#,
        r#""zip":"DEF""#,
        r#""enc":"A256GCM""#
    )]
    member: &str,
) {
    assert_eq!(rejection(format!(r#"{{"alg":"EdDSA",{member}}}"#)), None, "{member}");
}

#[test]
fn white_space_in_a_header_is_ignored() {
    assert_eq!(rejection(" {\r\n\t\"alg\" : \"EdDSA\" } "), None);
}

/// attack: 15
#[test]
fn a_token_inside_a_token_is_no_claims_set() {
    let inner = ED25519.token("EdDSA", CLAIMS);
    let header = r#"{"alg":"EdDSA","cty":"JWT"}"#;
    let nested = verify_now(ED25519.token_with_header("EdDSA", header, inner), &pinned(&ED25519));
    assert!(is_not_json(nested.err(), Part::Payload));
}
