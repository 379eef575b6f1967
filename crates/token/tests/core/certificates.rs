//! RFC 7517 §4.7: keys that consist of a certificate. Its public key counts, and nothing else of it.

use aws_lc_rs::encoding::AsDer as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use pg_session_jwt_token::algorithm::Algorithm;
use pg_session_jwt_token::keys::Key;
use pg_session_jwt_token::{Error, KeyProblem};
use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};
use rstest::rstest;

use crate::sign::{ED25519, P256, P384, P521, RSA, Signer, set, verify_now};

/// A self-signed certificate of a signer.
pub fn certificate(signer: &Signer) -> Vec<u8> {
    let (pkcs8, algorithm): (Vec<u8>, &SignatureAlgorithm) = match signer {
        Signer::Ed25519(pair) => (pair.to_pkcs8v1().unwrap().as_ref().to_vec(), &rcgen::PKCS_ED25519),
        Signer::Rsa(pair) => (pair.as_der().unwrap().as_ref().to_vec(), &rcgen::PKCS_RSA_SHA256),
        Signer::Ecdsa { pair, curve } => {
            let algorithm = match *curve {
                "P-256" => &rcgen::PKCS_ECDSA_P256_SHA256,
                "P-521" => &rcgen::PKCS_ECDSA_P521_SHA512,
                _ => &rcgen::PKCS_ECDSA_P384_SHA384,
            };
            (pair.to_pkcs8v1().unwrap().as_ref().to_vec(), algorithm)
        }
        Signer::Hmac(_) => panic!("a secret has no certificate"),
    };
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.into(), algorithm).unwrap();
    let parameters = CertificateParams::new(vec!["idp.example".to_owned()]).unwrap();
    parameters.self_signed(&pair).unwrap().der().to_vec()
}

/// A JWK with this certificate.
pub fn jwk(kty: &str, certificate: &[u8], more: &str) -> String {
    format!(r#"{{"kty":"{kty}","x5c":["{}"]{more}}}"#, STANDARD.encode(certificate))
}

pub fn problem(jwk: &str) -> Option<KeyProblem> {
    match Key::from_public_jwk(jwk) {
        Ok(_) => None,
        Err(Error::Key(problem)) => Some(problem),
        Err(other) => panic!("{other:?}"),
    }
}

/// The outcome for a token of the signer under this JWK alone.
pub fn outcome(signer: &Signer, alg: &str, jwk: String) -> Result<(), Error> {
    verify_now(signer.token(alg, "{}"), &set(&[jwk])?).map(drop)
}

#[rstest]
#[case(&RSA, "RSA", "RS256")]
#[case(&RSA, "RSA", "PS512")]
#[case(&P256, "EC", "ES256")]
#[case(&P384, "EC", "ES384")]
#[case(&P521, "EC", "ES512")]
#[case(&ED25519, "OKP", "EdDSA")]
fn a_certificate_is_enough(#[case] signer: &Signer, #[case] kty: &str, #[case] alg: &str) {
    let certificate = certificate(signer);
    assert_eq!(outcome(signer, alg, jwk(kty, &certificate, "")), Ok(()));
    let named = jwk(kty, &certificate, &format!(r#","alg":"{alg}","use":"sig""#));
    assert_eq!(outcome(signer, alg, named), Ok(()));
}

#[test]
fn the_key_of_a_certificate_allows_what_its_members_would() {
    let of_certificate = set(&[jwk("RSA", &certificate(&RSA), "")]).unwrap();
    let of_members = set(&[RSA.jwk("")]).unwrap();
    for alg in [
        Algorithm::RS256,
        Algorithm::PS384,
        Algorithm::ES256,
        Algorithm::EdDSA,
        Algorithm::HS256,
    ] {
        assert_eq!(
            of_certificate.select(None, alg).is_ok(),
            of_members.select(None, alg).is_ok(),
            "{alg:?}"
        );
    }
    // The same key with the same kid, once in each form.
    let both = set(&[RSA.jwk(r#""kid":"a""#), jwk("RSA", &certificate(&RSA), r#","kid":"a""#)]);
    assert_eq!(both.unwrap().skipped(), []);
}

#[test]
fn the_first_certificate_counts() {
    let chain =
        |first: &[u8], second: &str| format!(r#"{{"kty":"EC","x5c":["{}","{second}"]}}"#, STANDARD.encode(first));
    let own = certificate(&P256);
    assert_eq!(outcome(&P256, "ES256", chain(&own, "?")), Ok(()));
    let other = certificate(&Signer::p256());
    let second = STANDARD.encode(own);
    assert_eq!(outcome(&P256, "ES256", chain(&other, &second)), Err(Error::Signature));
}

#[test]
fn members_count_where_there_are_any() {
    let other = STANDARD.encode(certificate(&Signer::p256()));
    for x5c in [&format!(r#"["{other}"]"#), r#"["?"]"#, r#"[1]"#, "7"] {
        let own = P256.jwk(&format!(r#""x5c":{x5c}"#));
        assert_eq!(outcome(&P256, "ES256", own), Ok(()), "{x5c}");
    }
    let certificate = certificate(&RSA);
    assert_eq!(
        problem(&jwk("RSA", &certificate, r#","e":"AQAB""#)),
        Some(KeyProblem::Member("n"))
    );
    assert_eq!(problem(&jwk("RSA", &certificate, r#","n":null,"e":null"#)), None);
}

#[rstest]
#[case(&P256, "RSA", "", KeyProblem::OtherCertifiedKey)]
#[case(&ED25519, "RSA", "", KeyProblem::OtherCertifiedKey)]
#[case(&RSA, "EC", "", KeyProblem::OtherCertifiedKey)]
#[case(&ED25519, "EC", "", KeyProblem::OtherCertifiedKey)]
#[case(&RSA, "OKP", "", KeyProblem::OtherCertifiedKey)]
#[case(&P256, "OKP", "", KeyProblem::OtherCertifiedKey)]
#[case(&P256, "EC", r#","crv":"P-384""#, KeyProblem::OtherCertifiedKey)]
#[case(&P384, "EC", r#","crv":"P-256""#, KeyProblem::OtherCertifiedKey)]
#[case(&ED25519, "OKP", r#","crv":"X25519""#, KeyProblem::OtherCertifiedKey)]
#[case(&P256, "EC", r#","crv":1"#, KeyProblem::NotText("crv"))]
#[case(&P256, "EC", r#","alg":"ES384""#, KeyProblem::Algorithm)]
#[case(&P256, "EC", r#","alg":"RS256""#, KeyProblem::Algorithm)]
#[case(&RSA, "RSA", r#","alg":"RSA-OAEP""#, KeyProblem::Algorithm)]
#[case(&RSA, "RSA", r#","use":"enc""#, KeyProblem::Use)]
#[case(&RSA, "RSA", r#","d":"AQAB""#, KeyProblem::Private("d"))]
#[case(&RSA, "AKP", "", KeyProblem::KeyType)]
#[case(&RSA, "oct", "", KeyProblem::Symmetric)]
fn a_key_that_contradicts_its_certificate_is_rejected(
    #[case] signer: &Signer,
    #[case] kty: &str,
    #[case] more: &str,
    #[case] expected: KeyProblem,
) {
    assert_eq!(problem(&jwk(kty, &certificate(signer), more)), Some(expected));
}

#[rstest]
#[case(&P256, "EC", r#","crv":"P-256""#)]
#[case(&ED25519, "OKP", r#","crv":"Ed25519","alg":"EdDSA""#)]
fn a_curve_that_agrees_is_accepted(#[case] signer: &Signer, #[case] kty: &str, #[case] more: &str) {
    assert_eq!(problem(&jwk(kty, &certificate(signer), more)), None);
}

#[test]
fn a_certificate_is_base64_with_or_without_padding() {
    let certificate = certificate(&P256);
    for text in [
        STANDARD.encode(&certificate),
        STANDARD_NO_PAD.encode(&certificate),
        URL_SAFE.encode(&certificate),
    ] {
        assert_eq!(problem(&format!(r#"{{"kty":"EC","x5c":["{text}"]}}"#)), None, "{text}");
    }
    let text = STANDARD.encode(&certificate);
    for text in [
        format!("{text} "),
        format!("\\n{text}"),
        format!("{}\\n{}", &text[..64], &text[64..]),
        format!("-----BEGIN CERTIFICATE-----\\n{text}\\n-----END CERTIFICATE-----"),
    ] {
        let jwk = format!(r#"{{"kty":"EC","x5c":["{text}"]}}"#);
        assert_eq!(problem(&jwk), Some(KeyProblem::Certificate), "{text}");
    }
}

#[rstest]
fn x5c_is_a_list_of_texts(
    #[values(r#""AAAA""#, "1", "{}", "[1]", "[null]", r#"[[]]"#, r#"[""]"#, r#"["AA"]"#)] x5c: &str,
) {
    let jwk = format!(r#"{{"kty":"RSA","x5c":{x5c}}}"#);
    assert_eq!(problem(&jwk), Some(KeyProblem::Certificate));
}

#[rstest]
fn without_a_certificate_the_members_are_missing(#[values("null", "[]")] x5c: &str) {
    let jwk = format!(r#"{{"kty":"RSA","x5c":{x5c}}}"#);
    assert_eq!(problem(&jwk), Some(KeyProblem::Member("n")));
}
