//! `expiry` and `max_age` of a provider.

use pg_session_jwt_token::{Error, NumericDate};
use rstest::rstest;

use crate::providers::{one, rejected, verify_now};
use crate::sign::{ED25519, NOW, seconds};

/// The end of the identity in a token with these further claims, by a provider with these further members.
fn end(members: &str, claims: &str) -> Result<Option<NumericDate>, Error> {
    let payload = format!(r#"{{"iss":"a"{claims}}}"#);
    let token = ED25519.token_with_header("EdDSA", r#"{"alg":"EdDSA","kid":"k1"}"#, payload);
    verify_now(&token, &one(&format!(r#""issuer":"a"{members}"#))).map(|verified| verified.identity.expires)
}

fn exp(at: i64) -> String {
    format!(r#","exp":{at}"#)
}

fn iat(at: i64) -> String {
    format!(r#","iat":{at}"#)
}

/// attack: 49
#[test]
fn a_token_must_expire_unless_its_provider_says_otherwise() {
    assert_eq!(end("", ""), Err(Error::NoExpiry));
    assert_eq!(end("", &exp(NOW + 1)), Ok(Some(seconds(NOW + 1))));
    assert_eq!(end(r#","expiry":"optional""#, ""), Ok(None));
    assert_eq!(
        end(r#","expiry":"optional""#, &exp(NOW + 1)),
        Ok(Some(seconds(NOW + 1)))
    );
    for value in [r#""required""#, "true", "null"] {
        rejected(
            &format!(r#"[{{"issuer":"a","jwks_file":"/f","expiry":{value}}}]"#),
            Some(0),
            "has an invalid \"expiry\": \"optional\" is required",
        );
    }
}

/// The leeway is 60 seconds.
#[test]
fn a_token_is_too_old_at_its_maximum_age_and_the_leeway() {
    let age = |age: i64| end(r#","max_age":300"#, &format!("{}{}", iat(NOW - age), exp(NOW + 9999)));
    assert_eq!(age(0), Ok(Some(seconds(NOW + 300))));
    assert_eq!(age(359), Ok(Some(seconds(NOW - 59))));
    let too_old = Error::TooOld {
        iat: seconds(NOW - 360),
        now: seconds(NOW),
        max_age: 300,
        leeway: 60,
    };
    assert_eq!(age(360), Err(too_old));
}

/// An identity ends when its token would be rejected.
#[rstest]
#[case(200, 200)]
#[case(9999, 300)]
fn an_identity_ends_at_the_earlier_of_both(#[case] exp_in: i64, #[case] ends_in: i64) {
    let claims = format!("{}{}", iat(NOW), exp(NOW + exp_in));
    assert_eq!(end(r#","max_age":300"#, &claims), Ok(Some(seconds(NOW + ends_in))));
    let optional = r#","max_age":300,"expiry":"optional""#;
    assert_eq!(end(optional, &iat(NOW)), Ok(Some(seconds(NOW + 300))));
}

#[test]
fn a_maximum_age_needs_the_time_of_issue() {
    assert_eq!(end(r#","max_age":300"#, &exp(NOW + 1)), Err(Error::NoIssueTime));
}

#[rstest]
fn a_maximum_age_is_a_positive_number_of_seconds(
    #[values("0", "-1", "1.5", "4294967296", "null", r#""300""#)] value: &str,
) {
    rejected(
        &format!(r#"[{{"issuer":"a","jwks_file":"/f","max_age":{value}}}]"#),
        Some(0),
        "has an invalid \"max_age\": a positive number of seconds is required",
    );
}
