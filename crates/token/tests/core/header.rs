//! RFC 7515 §4: what a header may say. The key decides what a signature is worth, never the header.

use pg_session_jwt_token::{Error, Excerpt, Part};

use crate::sign::{ED25519, judge, part, pinned, set};

const CLAIMS: &str = r#"{"sub":"alice"}"#;

/// The verdict on a token with this header and a good Ed25519 signature.
fn refusal(header: impl AsRef<[u8]>) -> Option<Error> {
    let token = ED25519.token_with_header("EdDSA", header, CLAIMS);
    judge(token, &pinned(&ED25519)).err()
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
#[test]
fn none_is_no_algorithm_however_it_is_written() {
    let names = [
        "none",
        "None",
        "nOnE",
        "NONE",
        "none ",
        " none",
        "n\u{43e}ne",
        "nonе",
        "null",
        "",
    ];
    for alg in names {
        let header = format!(r#"{{"alg":"{alg}"}}"#);
        assert_eq!(refusal(&header), unknown_algorithm(alg), "{alg}");
        let bare = format!("{}.{}.", part(&header), part(CLAIMS));
        assert_eq!(judge(bare, &pinned(&ED25519)).err(), unknown_algorithm(alg), "{alg}");
    }
}

/// attack: 3, 8
#[test]
fn a_name_near_an_algorithm_is_none() {
    let names = [
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
        "ES512",
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
        "ＥｄＤＳＡ",
    ];
    for alg in names {
        let read = alg.replace("\\u0020", " ");
        assert_eq!(
            refusal(format!(r#"{{"alg":"{alg}"}}"#)),
            unknown_algorithm(&read),
            "{alg}"
        );
    }
}

/// attack: 2
#[test]
fn an_algorithm_must_be_named_by_a_string() {
    assert_eq!(refusal("{}"), header_member("alg"));
    for alg in ["null", "0", "256", "true", r#"["EdDSA"]"#, r#"{"EdDSA":1}"#, "[]"] {
        assert_eq!(refusal(format!(r#"{{"alg":{alg}}}"#)), header_member("alg"), "{alg}");
    }
    assert_eq!(refusal(r#"{"ALG":"EdDSA"}"#), header_member("alg"));
}

/// attack: 7
#[test]
fn ed25519_and_eddsa_are_one_algorithm_in_header_and_key() {
    for (header, key) in [
        ("EdDSA", "EdDSA"),
        ("EdDSA", "Ed25519"),
        ("Ed25519", "EdDSA"),
        ("Ed25519", "Ed25519"),
    ] {
        let keys = set(&[ED25519.jwk(&format!(r#""alg":"{key}""#))]).unwrap();
        let identity = judge(ED25519.token(header, CLAIMS), &keys).unwrap();
        assert_eq!(identity.user_id.as_deref(), Some("alice"), "{header} {key}");
    }
}

/// attack: 13
#[test]
fn crit_in_any_form_is_refused() {
    for crit in [
        "[]",
        r#"["exp"]"#,
        r#"["b64"]"#,
        r#"["alg"]"#,
        r#""b64""#,
        "null",
        "true",
        "[1]",
        "{}",
        r#"["x","x"]"#,
    ] {
        let refused = Some(Error::Critical { member: "crit" });
        assert_eq!(
            refusal(format!(r#"{{"alg":"EdDSA","crit":{crit}}}"#)),
            refused,
            "{crit}"
        );
        assert_eq!(
            refusal(format!(r#"{{"cr\u0069t":{crit},"exp":1,"x":1,"alg":"EdDSA"}}"#)),
            refused,
            "{crit}"
        );
    }
}

/// attack: 14
#[test]
fn b64_is_refused_whatever_it_says() {
    for b64 in ["false", "true", "null", "0", r#""false""#] {
        let refused = Some(Error::Critical { member: "b64" });
        assert_eq!(refusal(format!(r#"{{"alg":"EdDSA","b64":{b64}}}"#)), refused, "{b64}");
    }
    let both = r#"{"alg":"EdDSA","b64":false,"crit":["b64"]}"#;
    assert_eq!(refusal(both), Some(Error::Critical { member: "crit" }));
    // RFC 7797 §3: the payload as it is, not encoded.
    let signing_input = format!(r#"{}.{CLAIMS}"#, part(r#"{"alg":"EdDSA","b64":false}"#));
    let unencoded = judge(ED25519.seal("EdDSA", &signing_input), &pinned(&ED25519));
    assert_eq!(unencoded.err(), Some(Error::Critical { member: "b64" }));
}

/// attack: 17
#[test]
fn a_header_member_may_stand_once() {
    let cases = [
        (r#"{"alg":"EdDSA","alg":"EdDSA"}"#, 29),
        (r#"{"alg":"EdDSA","alg":"none"}"#, 28),
        (r#"{"alg":"none","\u0061lg":"EdDSA"}"#, 33),
        (r#"{"alg":"EdDSA","kid":"a","kid":"b"}"#, 35),
        (r#"{"alg":"EdDSA","x":{"y":1,"y":1}}"#, 32),
    ];
    for (header, column) in cases {
        let problem = format!("an object has the same member twice at line 1 column {column}");
        assert_eq!(refusal(header), not_json(&problem), "{header}");
    }
}

/// attack: 19
#[test]
fn a_header_must_be_a_json_object() {
    for header in ["[]", r#""EdDSA""#, "1", "null", "true", r#"[{"alg":"EdDSA"}]"#] {
        assert_eq!(refusal(header), not_json("it is not an object"), "{header}");
    }
    assert_eq!(
        refusal(b"{\"alg\":\"EdDSA\",\"x\":\"\xFF\"}"),
        not_json("it is not UTF-8")
    );
    assert_eq!(
        refusal("\u{feff}{\"alg\":\"EdDSA\"}"),
        not_json("expected value at line 1 column 1")
    );
    assert_eq!(
        refusal(r#"{"alg":"EdDSA"}{}"#),
        not_json("trailing characters at line 1 column 16")
    );
    assert_eq!(
        refusal(r#"{"alg":"EdDSA","kid":"a\u0000"}"#),
        not_json("a string holds U+0000 at line 1 column 30")
    );
}

/// attack: 16
#[test]
fn members_without_a_meaning_here_are_ignored() {
    for member in [
        r#""typ":"at+jwt""#,
        r#""typ":1"#,
        r#""cty":"JWT""#,
        r#""cat":"cl_B7d4""#,
        r#""zip":"DEF""#,
        r#""enc":"A256GCM""#,
    ] {
        assert_eq!(refusal(format!(r#"{{"alg":"EdDSA",{member}}}"#)), None, "{member}");
    }
    assert_eq!(refusal(" {\r\n\t\"alg\" : \"EdDSA\" } "), None);
}

/// attack: 15
#[test]
fn a_token_inside_a_token_is_no_claims_set() {
    let inner = ED25519.token("EdDSA", CLAIMS);
    let header = r#"{"alg":"EdDSA","cty":"JWT"}"#;
    let nested = judge(ED25519.token_with_header("EdDSA", header, inner), &pinned(&ED25519));
    let problem = "expected value at line 1 column 1".to_owned();
    assert_eq!(
        nested,
        Err(Error::NotJson {
            part: Part::Payload,
            problem
        })
    );
}
