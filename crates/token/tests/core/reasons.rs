//! The reported reason when there are several, and the messages that clients compare.

use pg_session_jwt_token::algorithm::Algorithm;
use pg_session_jwt_token::validity::TokenId;
use pg_session_jwt_token::{Error, Excerpt, KeyProblem, Part, Validity, verify};
use rstest::rstest;
use testkit::messages;

use crate::sign::{NOW, RSA, is_not_json, part, seconds, set, validity};

/// The error of a strict validity for a token with this header and these claims, signed with `alg` by the RSA key.
fn rejection(alg: &str, header: &str, claims: &str) -> Option<Error> {
    rejection_of(RSA.token_with_header(alg, header, claims))
}

fn rejection_of(token: impl AsRef<[u8]>) -> Option<Error> {
    let keys = set(&[RSA.jwk(r#""kid":"a","alg":"RS256""#)]).unwrap();
    let validity = Validity {
        jti: TokenId::GreaterThan(7),
        ..validity()
    };
    verify(token.as_ref(), &keys, &validity).err()
}

#[test]
fn the_form_is_checked_first() {
    let long = "?".repeat(65_537);
    assert_eq!(rejection_of(long), Some(Error::TokenTooLong { bytes: 65_537 }));
    assert_eq!(rejection_of("?.?"), Some(Error::NotCompact { parts: 2 }));
    assert_eq!(
        rejection_of("?.?.?"),
        Some(Error::NotBase64Url { part: Part::Signature })
    );
    assert_eq!(rejection_of("?.?."), Some(Error::NotBase64Url { part: Part::Header }));
}

/// attack: 47
#[test]
fn then_the_header_then_the_key_then_the_signature() {
    let member = |member| Some(Error::HeaderMember { member });
    let claims = "not JSON";
    assert_eq!(
        rejection("PS256", r#"{"crit":[],"alg":7,"kid":7}"#, claims),
        Some(Error::Critical { member: "crit" })
    );
    assert_eq!(
        rejection("PS256", r#"{"b64":1,"alg":7,"kid":7}"#, claims),
        Some(Error::Critical { member: "b64" })
    );
    assert_eq!(rejection("PS256", r#"{"alg":7,"kid":7}"#, claims), member("alg"));
    let unknown = Some(Error::UnknownAlgorithm {
        alg: Excerpt::new("none"),
    });
    assert_eq!(rejection("PS256", r#"{"alg":"none","kid":7}"#, claims), unknown);
    assert_eq!(rejection("PS256", r#"{"alg":"PS256","kid":7}"#, claims), member("kid"));
    let unknown = Some(Error::UnknownKeyId { kid: Excerpt::new("b") });
    assert_eq!(rejection("PS256", r#"{"alg":"PS256","kid":"b"}"#, claims), unknown);
    let mismatch = Some(Error::AlgorithmMismatch { alg: Algorithm::PS256 });
    assert_eq!(rejection("PS256", r#"{"alg":"PS256","kid":"a"}"#, claims), mismatch);
    assert_eq!(
        rejection("PS256", r#"{"alg":"RS256","kid":"a"}"#, claims),
        Some(Error::Signature)
    );
}

#[test]
fn then_the_claims_with_nbf_before_exp_before_jti() {
    let header = r#"{"alg":"RS256","kid":"a"}"#;
    let rejected = |claims: &str| rejection("RS256", header, claims);
    let date = |claim, title| Some(Error::ClaimDate { claim, title });
    assert!(is_not_json(rejected("not JSON"), Part::Payload));
    let (past, future) = (NOW - 100, NOW + 100);
    assert_eq!(
        rejected(r#"{"exp":"","nbf":"","iat":"","jti":""}"#),
        date("exp", "Expiration")
    );
    assert_eq!(
        rejected(&format!(r#"{{"exp":{past},"nbf":"","iat":"","jti":""}}"#)),
        date("nbf", "Not Before")
    );
    let claims = format!(r#"{{"exp":{past},"nbf":{future},"iat":"","jti":""}}"#);
    assert_eq!(rejected(&claims), date("iat", "Issued At"));
    let (now, leeway) = (seconds(NOW), 60);
    let early = Error::NotYetValid {
        nbf: seconds(future),
        now,
        leeway,
    };
    assert_eq!(
        rejected(&format!(r#"{{"exp":{past},"nbf":{future},"jti":""}}"#)),
        Some(early)
    );
    let late = Error::Expired {
        exp: seconds(past),
        now,
        leeway,
    };
    assert_eq!(
        rejected(&format!(r#"{{"exp":{past},"nbf":{past},"jti":""}}"#)),
        Some(late)
    );
    assert_eq!(
        rejected(&format!(r#"{{"exp":{future},"jti":""}}"#)),
        Some(Error::TokenId)
    );
    assert_eq!(
        rejected(r#"{"jti":7}"#),
        Some(Error::TokenIdReplayed { jti: 7, last: 7 })
    );
    assert_eq!(rejected(r#"{"jti":8}"#), None);
}

#[rstest]
#[case(Error::TokenIdReplayed { jti: 1, last: 1 }, messages::TOKEN_ID_REPLAYED)]
#[case(Error::TokenId, messages::NO_TOKEN_ID)]
#[case(Error::NotYetValid { nbf: seconds(NOW), now: seconds(NOW), leeway: 60 }, messages::NOT_YET_VALID)]
#[case(Error::Expired { exp: seconds(NOW), now: seconds(NOW), leeway: 60 }, messages::EXPIRED)]
#[case(Error::ClaimDate {
                claim: "nbf",
                title: "Not Before",
            }, messages::NBF_NOT_A_DATE)]
#[case(Error::ClaimDate {
                claim: "exp",
                title: "Expiration",
            }, messages::EXP_NOT_A_DATE)]
#[case(Error::Signature, messages::INVALID_SIGNATURE)]
#[case(Error::NotCompact { parts: 2 }, messages::INVALID_ENCODING)]
fn messages_of_earlier_versions_are_unchanged(#[case] error: Error, #[case] message: &str) {
    assert_eq!(error.to_string(), message);
}

#[rstest]
#[case(Part::Header, "header")]
#[case(Part::Payload, "payload")]
#[case(Part::Signature, "signature")]
fn a_message_names_the_part_that_is_wrong(#[case] part: Part, #[case] name: &str) {
    let message = Error::NotBase64Url { part }.to_string();
    assert_eq!(message, format!("JWT {name} is not base64url"));
}

/// attack: 47
#[test]
fn no_message_shows_the_content_of_a_token_or_a_key() {
    let secret = "c2VjcmV0LXNlY3JldA";
    let header = format!(r#"{{"alg":"{secret}","kid":"{secret}"}}"#);
    let token = format!("{}.{}.{secret}", part(header), part(secret));
    let messages = [
        rejection_of(token).unwrap().to_string(),
        rejection("RS256", r#"{"alg":"RS256","kid":"a"}"#, secret)
            .unwrap()
            .to_string(),
        format!(
            "{:?}",
            rejection(
                "RS256",
                r#"{"alg":"RS256","kid":"a"}"#,
                &format!(r#"{{"exp":"{secret}"}}"#)
            )
        ),
        format!(
            "{:?}",
            rejection(
                "RS256",
                r#"{"alg":"RS256","kid":"a"}"#,
                &format!(r#"{{"{secret}":1,"{secret}":2}}"#)
            )
        ),
        format!(
            "{:?}",
            // The name of a key is reported as an excerpt, and nothing else of it.
            set(&[format!(r#"{{"kty":"oct","kid":"a","k":"{secret}"}}"#)])
        ),
        format!("{:?}", set(&[format!(r#"{{"kty":"oct","k":"{}"}}"#, secret.repeat(4))])),
        KeyProblem::NotBase64Url("k").to_string(),
    ];
    for message in messages {
        assert!(!message.contains(secret), "{message}");
    }
}
