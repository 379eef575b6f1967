//! RFC 7517 §4: what a key says about itself must be public, for signatures, and agree with its kind.

use pg_session_jwt_token::keys::Key;
use pg_session_jwt_token::{Error, KeyProblem};

use crate::sign::{ED25519, HMAC, P256, P384, RSA, Signer, problems, set};

fn refusal(jwk: &str) -> Option<Error> {
    Key::from_public_jwk(jwk).err()
}

fn problem(problem: KeyProblem) -> Option<Error> {
    Some(Error::Key(problem))
}

/// attack: 44
#[test]
fn a_key_with_a_private_member_is_refused() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        for signer in [&*ED25519, &*P256, &*RSA] {
            for value in [r#""AQAB""#, r#""""#, "null", "[]"] {
                let jwk = signer.jwk(&format!(r#""{member}":{value}"#));
                assert_eq!(refusal(&jwk), problem(KeyProblem::Private(member)), "{jwk}");
            }
        }
    }
}

/// attack: 44
#[test]
fn a_symmetric_key_is_refused_where_others_can_read_it() {
    for jwk in [
        HMAC.jwk(""),
        HMAC.jwk(r#""alg":"HS256","use":"sig""#),
        r#"{"kty":"oct"}"#.to_owned(),
    ] {
        assert_eq!(refusal(&jwk), problem(KeyProblem::Symmetric));
    }
}

/// attack: 43
#[test]
fn a_use_other_than_sig_is_refused() {
    assert_eq!(refusal(&ED25519.jwk(r#""use":"sig""#)), None);
    for usage in [r#""enc""#, r#""""#, r#""SIG""#, r#""sig ""#, "null", "1", r#"["sig"]"#] {
        assert_eq!(
            refusal(&ED25519.jwk(&format!(r#""use":{usage}"#))),
            problem(KeyProblem::Use),
            "{usage}"
        );
    }
}

/// attack: 43
#[test]
fn key_ops_must_be_distinct_names_with_verify_among_them() {
    for operations in [r#"["verify"]"#, r#"["sign","verify"]"#, r#"["verify","x"]"#] {
        assert_eq!(
            refusal(&ED25519.jwk(&format!(r#""key_ops":{operations}"#))),
            None,
            "{operations}"
        );
    }
    for operations in [
        "[]",
        r#"["sign"]"#,
        r#"["encrypt","wrapKey"]"#,
        r#""verify""#,
        "null",
        "{}",
        r#"["verify","verify"]"#,
        r#"["sign","verify","sign"]"#,
        r#"["verify",1]"#,
        r#"["verify",null]"#,
        r#"["Verify"]"#,
        r#"[["verify"]]"#,
    ] {
        let jwk = ED25519.jwk(&format!(r#""key_ops":{operations}"#));
        assert_eq!(refusal(&jwk), problem(KeyProblem::KeyOperations), "{operations}");
    }
}

/// attack: 6
#[test]
fn an_alg_must_be_one_of_the_key_s_kind() {
    let fitting: [(&Signer, &[&str]); 3] = [
        (&ED25519, &["EdDSA", "Ed25519"]),
        (&P256, &["ES256"]),
        (&P384, &["ES384"]),
    ];
    let others = [
        "none", "", "HS256", "RS256", "PS512", "ES521", "ES224", "ES512", "ES256K", "Ed448", "ECDH-ES", "eddsa",
    ];
    for (signer, own) in fitting {
        for alg in own {
            assert_eq!(refusal(&signer.jwk(&format!(r#""alg":"{alg}""#))), None, "{alg}");
        }
        let rest = ["EdDSA", "Ed25519", "ES256", "ES384"]
            .into_iter()
            .filter(|alg| !own.contains(alg));
        for alg in rest.chain(others) {
            let jwk = signer.jwk(&format!(r#""alg":"{alg}""#));
            assert_eq!(refusal(&jwk), problem(KeyProblem::Algorithm), "{jwk}");
        }
    }
    for alg in ["null", "1", r#"["EdDSA"]"#] {
        let jwk = ED25519.jwk(&format!(r#""alg":{alg}"#));
        assert_eq!(refusal(&jwk), problem(KeyProblem::Member("alg")), "{alg}");
    }
}

/// attack: 42
#[test]
fn a_secret_is_at_least_as_long_as_the_hash() {
    let read = |bytes: usize, more: &str| set(&[Signer::hmac(bytes).jwk(more)]);
    let too_short = [KeyProblem::SecretTooShort];
    for (alg, hash) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        let alg = format!(r#""alg":"{alg}""#);
        assert!(read(hash, &alg).is_ok(), "{alg}");
        assert!(read(hash + 200, &alg).is_ok(), "{alg}");
        assert_eq!(problems(read(hash - 1, &alg)), too_short, "{alg}");
    }
    assert!(read(32, "").is_ok());
    for bytes in [0, 1, 6, 31] {
        assert_eq!(problems(read(bytes, "")), too_short, "{bytes}");
    }
}

/// What is wrong with the second of two keys.
fn skipped(jwk: String) -> Vec<(usize, KeyProblem)> {
    set(&[ED25519.jwk(""), jwk]).unwrap().skipped()
}

#[test]
fn a_secret_too_short_for_its_alg_is_called_short() {
    for (bytes, alg) in [
        (31, "HS256"),
        (47, "HS384"),
        (32, "HS384"),
        (63, "HS512"),
        (32, "HS512"),
        (0, "HS256"),
    ] {
        let jwk = Signer::hmac(bytes).jwk(&format!(r#""alg":"{alg}""#));
        assert_eq!(skipped(jwk), [(1, KeyProblem::SecretTooShort)], "{bytes} {alg}");
    }
    for alg in ["RS256", "none", "dir", "A256KW", "EdDSA", "HS1"] {
        let jwk = HMAC.jwk(&format!(r#""alg":"{alg}""#));
        assert_eq!(skipped(jwk), [(1, KeyProblem::Algorithm)], "{alg}");
    }
}

#[test]
fn a_secret_must_be_a_base64url_text() {
    assert_eq!(skipped(r#"{"kty":"oct"}"#.to_owned()), [(1, KeyProblem::Member("k"))]);
    assert_eq!(
        skipped(r#"{"kty":"oct","k":7}"#.to_owned()),
        [(1, KeyProblem::Member("k"))]
    );
    assert_eq!(
        skipped(r#"{"kty":"oct","k":"a b"}"#.to_owned()),
        [(1, KeyProblem::NotBase64Url("k"))]
    );
}

#[test]
fn a_kty_must_be_a_known_one() {
    for kty in ["AKP", "oct2", "rsa", "ec", "okp", "OCT", "", "LWE"] {
        let jwk = format!(r#"{{"kty":"{kty}","alg":"ML-DSA-44","pub":"AA"}}"#);
        assert_eq!(refusal(&jwk), problem(KeyProblem::KeyType), "{kty}");
    }
    for jwk in [
        "{}",
        r#"{"kty":null}"#,
        r#"{"kty":["RSA"]}"#,
        r#"{"keys":[]}"#,
        r#"{"KTY":"RSA"}"#,
    ] {
        assert_eq!(refusal(jwk), problem(KeyProblem::Member("kty")), "{jwk}");
    }
}

#[test]
fn a_kid_is_any_string() {
    for (kid, read) in [
        ("", ""),
        ("a b", "a b"),
        ("abcdEFGH1234+/=", "abcdEFGH1234+/="),
        (r"\/\u00e4", "/ä"),
    ] {
        let key = Key::from_public_jwk(&ED25519.jwk(&format!(r#""kid":"{kid}""#))).unwrap();
        assert_eq!(key.kid.as_deref(), Some(read));
    }
    for kid in ["1", "null", "[]"] {
        assert_eq!(
            refusal(&ED25519.jwk(&format!(r#""kid":{kid}"#))),
            problem(KeyProblem::Member("kid")),
            "{kid}"
        );
    }
}

#[test]
fn other_members_are_ignored_whatever_they_hold() {
    for member in [
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
        r#""nbf":{"deep":[[[]]]}"#,
    ] {
        assert_eq!(refusal(&ED25519.jwk(member)), None, "{member}");
    }
}

#[test]
fn a_key_text_must_be_one_json_object() {
    let not_json = |problem: &str| {
        Some(Error::KeyNotJson {
            problem: problem.to_owned(),
        })
    };
    assert_eq!(refusal(""), not_json("EOF while parsing a value at line 1 column 0"));
    assert_eq!(refusal("[]"), not_json("it is not an object"));
    assert_eq!(refusal("null"), not_json("it is not an object"));
    assert_eq!(
        refusal(r#"{"kty":"OKP"}}"#),
        not_json("trailing characters at line 1 column 14")
    );
    let twice = r#"{"kty":"OKP","kty":"oct"}"#;
    assert_eq!(
        refusal(twice),
        not_json("an object has the same member twice at line 1 column 25")
    );
    let pem = "-----BEGIN PUBLIC KEY-----";
    assert_eq!(refusal(pem), not_json("invalid number at line 1 column 2"));
}
