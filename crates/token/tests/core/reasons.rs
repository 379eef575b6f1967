//! Which reason is given when there are several, and in which words (clients look for some of them).

use jsonwebtoken::Algorithm;
use pg_session_jwt_token::policy::TokenId;
use pg_session_jwt_token::{Error, Excerpt, KeyProblem, Part, Policy, verify};
use testkit::messages;

use crate::sign::{NOW, RSA, part, policy, seconds, set};

/// The verdict of a strict policy on a token with this header and these claims, signed with `alg` by the RSA key.
fn refusal(alg: &str, header: &str, claims: &str) -> Option<Error> {
    refusal_of(RSA.token_with_header(alg, header, claims))
}

fn refusal_of(token: impl AsRef<[u8]>) -> Option<Error> {
    let keys = set(&[RSA.jwk(r#""kid":"a","alg":"RS256""#)]).unwrap();
    let policy = Policy {
        jti: TokenId::GreaterThan(7),
        ..policy()
    };
    verify(token.as_ref(), &keys, &policy).err()
}

#[test]
fn the_form_is_judged_first() {
    let long = "?".repeat(65_537);
    assert_eq!(refusal_of(long), Some(Error::TokenTooLong { bytes: 65_537 }));
    assert_eq!(refusal_of("?.?"), Some(Error::NotCompact { parts: 2 }));
    assert_eq!(refusal_of("?.?.?"), Some(Error::NotBase64Url { part: Part::Signature }));
    assert_eq!(refusal_of("?.?."), Some(Error::NotBase64Url { part: Part::Header }));
}

/// attack: 47
#[test]
fn then_the_header_then_the_key_then_the_signature() {
    let member = |member| Some(Error::HeaderMember { member });
    let claims = "not JSON";
    assert_eq!(
        refusal("PS256", r#"{"crit":[],"alg":7,"kid":7}"#, claims),
        Some(Error::Critical { member: "crit" })
    );
    assert_eq!(
        refusal("PS256", r#"{"b64":1,"alg":7,"kid":7}"#, claims),
        Some(Error::Critical { member: "b64" })
    );
    assert_eq!(refusal("PS256", r#"{"alg":7,"kid":7}"#, claims), member("alg"));
    let unknown = Some(Error::UnknownAlgorithm {
        alg: Excerpt::new("none"),
    });
    assert_eq!(refusal("PS256", r#"{"alg":"none","kid":7}"#, claims), unknown);
    assert_eq!(refusal("PS256", r#"{"alg":"PS256","kid":7}"#, claims), member("kid"));
    let unknown = Some(Error::UnknownKeyId { kid: Excerpt::new("b") });
    assert_eq!(refusal("PS256", r#"{"alg":"PS256","kid":"b"}"#, claims), unknown);
    let mismatch = Some(Error::AlgorithmMismatch { alg: Algorithm::PS256 });
    assert_eq!(refusal("PS256", r#"{"alg":"PS256","kid":"a"}"#, claims), mismatch);
    assert_eq!(
        refusal("PS256", r#"{"alg":"RS256","kid":"a"}"#, claims),
        Some(Error::Signature)
    );
}

#[test]
fn then_the_claims_with_nbf_before_exp_before_jti() {
    let header = r#"{"alg":"RS256","kid":"a"}"#;
    let refused = |claims: &str| refusal("RS256", header, claims);
    let date = |claim, title| Some(Error::ClaimDate { claim, title });
    let problem = "expected ident at line 1 column 2".to_owned();
    assert_eq!(
        refused("not JSON"),
        Some(Error::NotJson {
            part: Part::Payload,
            problem
        })
    );
    let (past, future) = (NOW - 100, NOW + 100);
    assert_eq!(
        refused(r#"{"exp":"","nbf":"","iat":"","jti":""}"#),
        date("exp", "Expiration")
    );
    assert_eq!(
        refused(&format!(r#"{{"exp":{past},"nbf":"","iat":"","jti":""}}"#)),
        date("nbf", "Not Before")
    );
    let claims = format!(r#"{{"exp":{past},"nbf":{future},"iat":"","jti":""}}"#);
    assert_eq!(refused(&claims), date("iat", "Issued At"));
    let (now, leeway) = (seconds(NOW), 60);
    let early = Error::NotYetValid {
        nbf: seconds(future),
        now,
        leeway,
    };
    assert_eq!(
        refused(&format!(r#"{{"exp":{past},"nbf":{future},"jti":""}}"#)),
        Some(early)
    );
    let late = Error::Expired {
        exp: seconds(past),
        now,
        leeway,
    };
    assert_eq!(
        refused(&format!(r#"{{"exp":{past},"nbf":{past},"jti":""}}"#)),
        Some(late)
    );
    assert_eq!(
        refused(&format!(r#"{{"exp":{future},"jti":""}}"#)),
        Some(Error::TokenId)
    );
    assert_eq!(
        refused(r#"{"jti":7}"#),
        Some(Error::TokenIdReplayed { jti: 7, last: 7 })
    );
    assert_eq!(refused(r#"{"jti":8}"#), None);
}

#[test]
fn messages_that_clients_look_for_stay_word_for_word() {
    let (now, leeway) = (seconds(NOW), 60);
    let cases = [
        (Error::TokenIdReplayed { jti: 1, last: 1 }, messages::TOKEN_ID_REPLAYED),
        (Error::TokenId, messages::NO_TOKEN_ID),
        (Error::NotYetValid { nbf: now, now, leeway }, messages::NOT_YET_VALID),
        (Error::Expired { exp: now, now, leeway }, messages::EXPIRED),
        (
            Error::ClaimDate {
                claim: "nbf",
                title: "Not Before",
            },
            messages::NBF_NOT_A_DATE,
        ),
        (
            Error::ClaimDate {
                claim: "exp",
                title: "Expiration",
            },
            messages::EXP_NOT_A_DATE,
        ),
        (Error::Signature, messages::INVALID_SIGNATURE),
        (Error::NotCompact { parts: 2 }, messages::INVALID_ENCODING),
    ];
    for (error, message) in cases {
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_message_names_the_part_that_is_wrong() {
    for (part, name) in [
        (Part::Header, "header"),
        (Part::Payload, "payload"),
        (Part::Signature, "signature"),
    ] {
        let message = Error::NotBase64Url { part }.to_string();
        assert_eq!(message, format!("the {name} of the JWT is not base64url"));
    }
}

/// attack: 47
#[test]
fn no_message_shows_what_a_token_or_a_key_says() {
    let secret = "c2VjcmV0LXNlY3JldA";
    let header = format!(r#"{{"alg":"{secret}","kid":"{secret}"}}"#);
    let token = format!("{}.{}.{secret}", part(header), part(secret));
    let messages = [
        refusal_of(token).unwrap().to_string(),
        refusal("RS256", r#"{"alg":"RS256","kid":"a"}"#, secret)
            .unwrap()
            .to_string(),
        format!(
            "{:?}",
            refusal(
                "RS256",
                r#"{"alg":"RS256","kid":"a"}"#,
                &format!(r#"{{"exp":"{secret}"}}"#)
            )
        ),
        format!(
            "{:?}",
            refusal(
                "RS256",
                r#"{"alg":"RS256","kid":"a"}"#,
                &format!(r#"{{"{secret}":1,"{secret}":2}}"#)
            )
        ),
        format!(
            "{:?}",
            // The name of a key is told, by an excerpt; nothing else of it is.
            set(&[format!(r#"{{"kty":"oct","kid":"a","k":"{secret}"}}"#)])
        ),
        format!("{:?}", set(&[format!(r#"{{"kty":"oct","k":"{}"}}"#, secret.repeat(4))])),
        KeyProblem::NotBase64Url("k").to_string(),
    ];
    for message in messages {
        assert!(!message.contains(secret), "{message}");
    }
}
