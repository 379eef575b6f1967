//! What auth.providers() says about odd keys: the reason of each, as it is shown.

use pg_session_jwt_token::{KeyProblem, KeySet};
use rstest::rstest;

use crate::providers::list;
use crate::sign::{ED25519, P256, P521, RSA, Signer, part, set};

/// The reason for the second of two keys, in a set that others can read.
fn reason(jwk: &str) -> String {
    let text = format!(r#"{{"keys":[{},{jwk}]}}"#, ED25519.jwk(""));
    let keys = KeySet::from_public_jwks(&text).unwrap();
    match &keys.members[1].problem {
        Some(problem) => problem.to_string(),
        None => "-".to_owned(),
    }
}

/// An RSA key of this many bytes and this exponent.
fn rsa(bytes: usize, exponent: &[u8]) -> String {
    let modulus = vec![0xFF; bytes];
    format!(r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#, part(modulus), part(exponent))
}

const NOT_SIG: &str = r#"its "use" is not "sig""#;
const ALGORITHM: &str = r#"its "alg" is not supported, or does not match the key type"#;
const CURVE: &str = r#"its "crv" is not supported"#;
const MODULUS: &str = "its modulus must be odd and have 2048 to 8192 bits";
const EXPONENT: &str = "its exponent must be odd, at least 3 and at most 33 bits";
const SECRET: &str = "it is a symmetric key; anyone who can read it can sign";
const VERIFY: &str = r#"its "key_ops" is not a list of distinct strings that contains "verify""#;
const PRIVATE: &str = r#"it has the private member "d"; provide the public key only"#;

#[rstest]
#[case(P521.jwk(r#""alg":"ES512""#), "-")]
#[case(rsa(128, &[1, 0, 1]), MODULUS)]
#[case(rsa(2048, &[1, 0, 1]), MODULUS)]
#[case(rsa(256, &[1]), EXPONENT)]
#[case(rsa(256, &[2]), EXPONENT)]
#[case(rsa(256, &[1, 0, 0, 0, 0, 1]), EXPONENT)]
#[case(RSA.jwk(r#""use":"enc","alg":"RSA-OAEP""#), NOT_SIG)]
#[case(RSA.jwk(r#""alg":"RSA-OAEP""#), ALGORITHM)]
#[case(RSA.jwk(r#""key_ops":["encrypt"]"#), VERIFY)]
#[case(P256.jwk(r#""alg":"ECDH-ES""#), ALGORITHM)]
#[case(P256.jwk(r#""alg":7"#), r#"its "alg" is not a string"#)]
#[case(P256.jwk(r#""d":"AA""#), PRIVATE)]
#[case(Signer::hmac(64).jwk(""), SECRET)]
#[case(r#"{"kty":"oct"}"#.to_owned(), SECRET)]
#[case(r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#.to_owned(), CURVE)]
#[case(r#"{"kty":"OKP","crv":"Ed448","x":"AA"}"#.to_owned(), CURVE)]
#[case(r#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#.to_owned(), CURVE)]
#[case(r#"{"kty":"EC","crv":"P-521","x":"AA","y":"AA"}"#.to_owned(), "its point is not on the curve")]
#[case(r#"{"kty":"EC","crv":"P-256","x":"AA"}"#.to_owned(), r#"it has no "y""#)]
#[case(r#"{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"}"#.to_owned(), r#"its "kty" is not supported"#)]
#[case(r#"{"use":"sig"}"#.to_owned(), r#"it has no "kty""#)]
#[case(r#"{"kty":"RSA","n":"?","e":"AQAB"}"#.to_owned(), r#"its "n" is not base64url"#)]
#[case(
    r#"{"kty":"RSA","x5c":["MIIC"]}"#.to_owned(),
    r#"its "x5c" does not begin with an X.509 certificate in base64 of at most 16 KiB"#
)]
#[case("7".to_owned(), "it is not an object")]
fn an_odd_key_has_its_reason(#[case] jwk: String, #[case] expected: &str) {
    assert_eq!(reason(&jwk), expected, "{jwk}");
}

#[test]
fn namesakes_have_their_reason() {
    let keys = [
        ED25519.jwk(""),
        P256.jwk(r#""kid":"a""#),
        Signer::p256().jwk(r#""kid":"a""#),
    ];
    let keys = set(&keys).unwrap();
    for member in &keys.members[1..] {
        let problem = member.problem.as_ref().unwrap();
        assert_eq!(problem.to_string(), r#"another key of the set has the same "kid""#);
    }
}

#[test]
fn algorithms_exclude_the_keys_that_are_for_none_of_them() {
    let keys = format!(r#"{{"keys":[{},{}]}}"#, RSA.jwk(""), RSA.jwk(r#""alg":"PS256""#));
    let keys = KeySet::from_jwks(&keys).unwrap();
    let problems = |members: &str| {
        let provider = &list(&format!(r#"[{{"jwks_file":"/f","issuer":"a"{members}}}]"#))[0];
        keys.members
            .iter()
            .map(|key| provider.problem_of(key))
            .collect::<Vec<_>>()
    };
    let excluded = Some(KeyProblem::NotOfProvider);
    assert_eq!(problems(""), [None, None]);
    assert_eq!(problems(r#","algorithms":["ES512","PS256"]"#), [None, None]);
    assert_eq!(problems(r#","algorithms":"RS256""#), [None, excluded.clone()]);
    assert_eq!(problems(r#","algorithms":"EdDSA""#), [excluded.clone(), excluded]);
    // The problem of the key itself comes first.
    let weak = KeySet::from_jwks(&format!(r#"{{"keys":[{},{{"kty":"AKP"}}]}}"#, RSA.jwk(""))).unwrap();
    let provider = &list(r#"[{"jwks_file":"/f","issuer":"a","algorithms":"EdDSA"}]"#)[0];
    assert_eq!(provider.problem_of(&weak.members[1]), Some(KeyProblem::KeyType));
}
