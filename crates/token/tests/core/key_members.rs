//! RFC 7517 §4: what a key says about itself must be public, for signatures, and agree with its kind.

use pg_session_jwt_token::keys::Key;
use pg_session_jwt_token::{Error, KeyProblem};
use rstest::rstest;

use crate::sign::{ED25519, HMAC, P256, P384, P521, RSA, Signer, problems, set, without_position};

fn rejection(jwk: &str) -> Option<Error> {
    Key::from_public_jwk(jwk).err()
}

fn problem(problem: KeyProblem) -> Option<Error> {
    Some(Error::Key(problem))
}

/// attack: 44
#[rstest]
fn a_key_with_a_private_member_is_rejected(#[values("d", "p", "q", "dp", "dq", "qi", "oth")] member: &'static str) {
    for signer in [&*ED25519, &*P256, &*RSA] {
        for value in [r#""AQAB""#, r#""""#, "0", "false", "{}", "[0]"] {
            let jwk = signer.jwk(&format!(r#""{member}":{value}"#));
            assert_eq!(rejection(&jwk), problem(KeyProblem::Private(member)), "{jwk}");
        }
    }
}

/// attack: 44
#[rstest]
fn a_symmetric_key_is_rejected_where_others_can_read_it(
    #[values(HMAC.jwk(""), HMAC.jwk(r#""alg":"HS256","use":"sig""#), r#"{"kty":"oct"}"#.to_owned())] jwk: String,
) {
    assert_eq!(rejection(&jwk), problem(KeyProblem::Symmetric));
}

#[test]
fn use_sig_is_accepted() {
    assert_eq!(rejection(&ED25519.jwk(r#""use":"sig""#)), None);
}

/// attack: 43
#[rstest]
fn a_use_other_than_sig_is_rejected(
    #[values(r#""enc""#, r#""""#, r#""SIG""#, r#""sig ""#, "1", "false", r#"["sig"]"#)] usage: &str,
) {
    assert_eq!(
        rejection(&ED25519.jwk(&format!(r#""use":{usage}"#))),
        problem(KeyProblem::Use),
        "{usage}"
    );
}

#[rstest]
fn key_ops_with_verify_are_accepted(
    #[values(r#"["verify"]"#, r#"["sign","verify"]"#, r#"["verify","x"]"#)] operations: &str,
) {
    assert_eq!(
        rejection(&ED25519.jwk(&format!(r#""key_ops":{operations}"#))),
        None,
        "{operations}"
    );
}

/// attack: 43
#[rstest]
fn key_ops_must_be_distinct_names_with_verify_among_them(
    #[values(
        r#"["sign"]"#,
        r#"["encrypt","wrapKey"]"#,
        r#""verify""#,
        "{}",
        r#"["verify","verify"]"#,
        r#"["sign","verify","sign"]"#,
        r#"["verify",1]"#,
        r#"["verify",null]"#,
        r#"["Verify"]"#,
        r#"[["verify"]]"#
    )]
    operations: &str,
) {
    let jwk = ED25519.jwk(&format!(r#""key_ops":{operations}"#));
    assert_eq!(rejection(&jwk), problem(KeyProblem::KeyOperations), "{operations}");
}

/// attack: 6
#[rstest]
#[case(&ED25519, &["EdDSA", "Ed25519"])]
#[case(&P256, &["ES256"])]
#[case(&P384, &["ES384"])]
#[case(&P521, &["ES512"])]
fn an_alg_must_be_one_of_the_key_s_kind(#[case] signer: &Signer, #[case] own: &[&str]) {
    let others = [
        "none", "", "HS256", "RS256", "PS512", "ES521", "ES224", "ES256K", "Ed448", "ECDH-ES", "eddsa",
    ];
    for alg in own {
        assert_eq!(rejection(&signer.jwk(&format!(r#""alg":"{alg}""#))), None, "{alg}");
    }
    let rest = ["EdDSA", "Ed25519", "ES256", "ES384", "ES512"]
        .into_iter()
        .filter(|alg| !own.contains(alg));
    for alg in rest.chain(others) {
        let jwk = signer.jwk(&format!(r#""alg":"{alg}""#));
        assert_eq!(rejection(&jwk), problem(KeyProblem::Algorithm), "{jwk}");
    }
}

#[rstest]
fn an_alg_must_be_a_string(#[values("1", "false", r#"["EdDSA"]"#)] alg: &str) {
    let jwk = ED25519.jwk(&format!(r#""alg":{alg}"#));
    assert_eq!(rejection(&jwk), problem(KeyProblem::NotText("alg")), "{alg}");
}

/// attack: 42
#[rstest]
#[case("HS256", 32)]
#[case("HS384", 48)]
#[case("HS512", 64)]
fn a_secret_is_at_least_as_long_as_the_hash(#[case] alg: &str, #[case] hash: usize) {
    let read = |bytes: usize, more: &str| set(&[Signer::hmac(bytes).jwk(more)]);
    let alg = format!(r#""alg":"{alg}""#);
    assert!(read(hash, &alg).is_ok(), "{alg}");
    assert!(read(hash + 200, &alg).is_ok(), "{alg}");
    assert_eq!(problems(read(hash - 1, &alg)), [KeyProblem::SecretTooShort]);
}

#[test]
fn a_secret_of_32_bytes_needs_no_alg() {
    let read = |bytes: usize, more: &str| set(&[Signer::hmac(bytes).jwk(more)]);
    assert!(read(32, "").is_ok());
}

#[rstest]
fn a_secret_shorter_than_every_hash_is_rejected(#[values(0, 1, 6, 31)] bytes: usize) {
    let read = |bytes: usize, more: &str| set(&[Signer::hmac(bytes).jwk(more)]);
    assert_eq!(problems(read(bytes, "")), [KeyProblem::SecretTooShort]);
}

/// What is wrong with the second of two keys.
fn skipped(jwk: String) -> Vec<(usize, KeyProblem)> {
    set(&[ED25519.jwk(""), jwk]).unwrap().skipped()
}

#[rstest]
#[case(31, "HS256")]
#[case(47, "HS384")]
#[case(32, "HS384")]
#[case(63, "HS512")]
#[case(32, "HS512")]
#[case(0, "HS256")]
fn a_secret_too_short_for_its_alg_is_called_short(#[case] bytes: usize, #[case] alg: &str) {
    let jwk = Signer::hmac(bytes).jwk(&format!(r#""alg":"{alg}""#));
    assert_eq!(skipped(jwk), [(1, KeyProblem::SecretTooShort)], "{bytes} {alg}");
}

#[rstest]
fn a_secret_with_an_alg_of_another_kind_is_skipped(
    #[values("RS256", "none", "dir", "A256KW", "EdDSA", "HS1")] alg: &str,
) {
    let jwk = HMAC.jwk(&format!(r#""alg":"{alg}""#));
    assert_eq!(skipped(jwk), [(1, KeyProblem::Algorithm)], "{alg}");
}

#[test]
fn a_secret_must_be_a_base64url_text() {
    assert_eq!(skipped(r#"{"kty":"oct"}"#.to_owned()), [(1, KeyProblem::Member("k"))]);
    assert_eq!(
        skipped(r#"{"kty":"oct","k":7}"#.to_owned()),
        [(1, KeyProblem::NotText("k"))]
    );
    assert_eq!(
        skipped(r#"{"kty":"oct","k":"a b"}"#.to_owned()),
        [(1, KeyProblem::NotBase64Url("k"))]
    );
}

#[rstest]
fn a_kty_must_be_supported(#[values("AKP", "oct2", "rsa", "ec", "okp", "OCT", "", "LWE")] kty: &str) {
    let jwk = format!(r#"{{"kty":"{kty}","alg":"ML-DSA-44","pub":"AA"}}"#);
    assert_eq!(rejection(&jwk), problem(KeyProblem::KeyType), "{kty}");
}

#[rstest]
fn a_kty_must_be_a_string(#[values("{}", r#"{"kty":null}"#, r#"{"KTY":"RSA"}"#)] jwk: &str) {
    assert_eq!(rejection(jwk), problem(KeyProblem::Member("kty")), "{jwk}");
    assert_eq!(rejection(r#"{"kty":["RSA"]}"#), problem(KeyProblem::NotText("kty")));
}

#[rstest]
#[case("", "")]
#[case("a b", "a b")]
#[case("abcdEFGH1234+/=", "abcdEFGH1234+/=")]
#[case(r"\/\u00e4", "/ä")]
fn a_kid_is_any_string(#[case] kid: &str, #[case] read: &str) {
    let key = Key::from_public_jwk(&ED25519.jwk(&format!(r#""kid":"{kid}""#))).unwrap();
    assert_eq!(key.kid.as_deref(), Some(read));
}

#[rstest]
fn a_kid_must_be_a_string_or_an_integer(#[values("1.5", "1.0", "true", r#"["a"]"#, "{}")] kid: &str) {
    assert_eq!(
        rejection(&ED25519.jwk(&format!(r#""kid":{kid}"#))),
        problem(KeyProblem::NotText("kid")),
        "{kid}"
    );
}

#[rstest]
fn other_members_are_ignored_whatever_their_content(
    #[values(
        r#""x5t":"not base64url!""#,
        r#""x5t":7"#,
        r#""x5c":["MIIC/jCC"]"#,
        r#""x5t#S256":null"#,
        r#""ext":true"#,
        r#""issuer":"https://login.example/v2.0""#,
        r#""iat":1.5,"exp":"never""#,
        r#""k":"secret""#,
        r#""n":[]"#,
        "\"ä\":\"\\u00e4\"",
        r#""nbf":{"deep":[[[]]]}"#
    )]
    member: &str,
) {
    assert_eq!(rejection(&ED25519.jwk(member)), None, "{member}");
}

#[test]
fn a_key_text_must_be_one_json_object() {
    let not_json = |problem: &str| {
        Some(Error::KeyNotJson {
            problem: problem.to_owned(),
        })
    };
    assert!(matches!(rejection(""), Some(Error::KeyNotJson { .. })));
    assert_eq!(rejection("[]"), not_json("it is not an object"));
    assert_eq!(rejection("null"), not_json("it is not an object"));
    assert!(matches!(rejection(r#"{"kty":"OKP"}}"#), Some(Error::KeyNotJson { .. })));
    let twice = r#"{"kty":"OKP","kty":"oct"}"#;
    assert_eq!(
        rejection(twice).map(without_position),
        not_json("an object has the same member twice")
    );
    let pem = "-----BEGIN PUBLIC KEY-----";
    assert!(matches!(rejection(pem), Some(Error::KeyNotJson { .. })));
}
