//! `leeway` of a provider. The caller's leeway is 60 seconds.

use pg_session_jwt_token::{Error, provider};
use rstest::rstest;

use crate::providers::{one, rejected, verify_now};
use crate::sign::{ED25519, NOW, seconds};

/// The outcome for a token with these dates, by a provider with these further members.
fn outcome(members: &str, dates: &str) -> Result<(), Error> {
    let payload = format!(r#"{{"iss":"a",{dates}}}"#);
    let token = ED25519.token_with_header("EdDSA", r#"{"alg":"EdDSA","kid":"k1"}"#, payload);
    verify_now(&token, &one(&format!(r#""issuer":"a"{members}"#))).map(drop)
}

#[rstest]
#[case("", 60)]
#[case(r#","leeway":0"#, 0)]
#[case(r#","leeway":1"#, 1)]
#[case(r#","leeway":300"#, 300)]
fn the_leeway_of_a_provider_replaces_the_general_one(#[case] members: &str, #[case] leeway: u32) {
    let (now, grace) = (seconds(NOW), i64::from(leeway));
    let exp = |at: i64| outcome(members, &format!(r#""exp":{at}"#));
    assert_eq!(exp(NOW - grace + 1), Ok(()));
    let expired = Error::Expired {
        exp: seconds(NOW - grace),
        now,
        leeway,
    };
    assert_eq!(exp(NOW - grace), Err(expired));
    let nbf = |at: i64| outcome(members, &format!(r#""nbf":{at},"exp":{}"#, NOW + 999));
    assert_eq!(nbf(NOW + grace), Ok(()));
    let early = Error::NotYetValid {
        nbf: seconds(NOW + grace + 1),
        now,
        leeway,
    };
    assert_eq!(nbf(NOW + grace + 1), Err(early));
    let age = |age: i64| {
        let dates = format!(r#""iat":{},"exp":{}"#, NOW - age, NOW + 999);
        outcome(&format!(r#"{members},"max_age":100"#), &dates)
    };
    assert_eq!(age(100 + grace - 1), Ok(()));
    let old = Error::TooOld {
        iat: seconds(NOW - 100 - grace),
        now,
        max_age: 100,
        leeway,
    };
    assert_eq!(age(100 + grace), Err(old));
}

#[test]
fn a_provider_without_a_leeway_has_none() {
    let leeway = |members: &str| one(&format!(r#""issuer":"a"{members}"#))[0].leeway;
    assert_eq!(leeway(""), None);
    assert_eq!(leeway(r#","leeway":0"#), Some(0));
    assert_eq!(leeway(r#","leeway":300"#), Some(300));
}

#[rstest]
fn a_leeway_is_a_number_of_seconds_from_0_to_300(
    #[values("301", "-1", "1.5", "0.0", "4294967296", "null", "true", r#""60""#, "[60]")] value: &str,
) {
    rejected(
        &format!(r#"[{{"issuer":"a","jwks_file":"/f","leeway":{value}}}]"#),
        Some(0),
        "has an invalid \"leeway\": a number of seconds from 0 to 300 is required",
    );
}

#[test]
fn each_provider_has_its_own() {
    let text = r#"[{"issuer":"a","jwks_file":"/f","leeway":5},{"issuer":"b","jwks_file":"/f"}]"#;
    let leeways: Vec<_> = provider::parse(text)
        .unwrap()
        .iter()
        .map(|provider| provider.leeway)
        .collect();
    assert_eq!(leeways, [Some(5), None]);
}
