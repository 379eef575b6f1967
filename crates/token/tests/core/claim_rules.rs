//! The rules of a provider for claims: `claims` and `sender_constrained`.

use pg_session_jwt_token::{Error, Excerpt, Part};
use rstest::rstest;

use crate::providers::{one, rejected, verify_now};
use crate::sign::{ED25519, NOW, is_not_json};

/// The outcome for a token with these further claims, by a provider with these further members.
fn outcome(members: &str, claims: &str) -> Result<(), Error> {
    let payload = format!(r#"{{"iss":"a","exp":{}{claims}}}"#, NOW + 60);
    let token = ED25519.token_with_header("EdDSA", r#"{"alg":"EdDSA","kid":"k1"}"#, payload);
    verify_now(&token, &one(&format!(r#""issuer":"a",{members}"#))).map(drop)
}

fn rule_of(claim: &str, is_absent: bool) -> Result<(), Error> {
    Err(Error::ClaimRule {
        claim: Excerpt::new(claim),
        is_absent,
    })
}

#[rstest]
#[case(r#""x""#, r#""x""#)]
#[case(r#""x""#, r#"["y","x"]"#)]
#[case(r#"["x","y"]"#, r#""y""#)]
#[case(r#"["x","y"]"#, r#"["z","y"]"#)]
#[case(r#"["x",1,true]"#, "1")]
#[case("1", "1")]
#[case("true", "true")]
#[case("false", "false")]
#[case(r#""""#, r#""""#)]
#[case(r#"{"present":true}"#, r#""x""#)]
#[case(r#"{"present":true}"#, "false")]
#[case(r#"{"present":true}"#, "[]")]
#[case(r#"{"present":true}"#, "{}")]
fn a_claim_that_fulfils_its_rule(#[case] rule: &str, #[case] claim: &str) {
    let members = format!(r#""claims":{{"c":{rule}}}"#);
    assert_eq!(outcome(&members, &format!(r#","c":{claim}"#)), Ok(()));
}

/// attack: 16, 54, 59
#[rstest]
#[case(r#""x""#, r#""X""#)]
#[case(r#""x""#, r#""x ""#)]
#[case(r#""x""#, r#"["xx","X"]"#)]
#[case(r#""x""#, r#"[["x"]]"#)]
#[case(r#""x""#, r#"{"x":"x"}"#)]
#[case(r#"["x","y"]"#, r#""x,y""#)]
#[case(r#"["x","y"]"#, "[]")]
#[case(r#""1""#, "1")]
#[case("1", r#""1""#)]
#[case("1", "1.0")]
#[case("1", "true")]
#[case("true", "1")]
#[case("true", r#""true""#)]
#[case("true", "false")]
fn a_claim_that_does_not_fulfil_its_rule(#[case] rule: &str, #[case] claim: &str) {
    let members = format!(r#""claims":{{"c":{rule}}}"#);
    assert_eq!(outcome(&members, &format!(r#","c":{claim}"#)), rule_of("c", false));
}

#[rstest]
fn a_claim_that_is_absent_fulfils_no_rule(
    #[values(r#""x""#, "true", "false", r#"["x"]"#, r#"{"present":true}"#)] rule: &str,
    #[values("", r#","c":null"#, r#","C":"x""#)] claims: &str,
) {
    let members = format!(r#""claims":{{"c":{rule}}}"#);
    assert_eq!(outcome(&members, claims), rule_of("c", true));
}

#[test]
fn each_rule_counts() {
    let members = r#""claims":{"a":"1","b":"2"}"#;
    assert_eq!(outcome(members, r#","a":"1","b":"2""#), Ok(()));
    assert_eq!(outcome(members, r#","a":"1","b":"1""#), rule_of("b", false));
    assert_eq!(outcome(members, r#","b":"2""#), rule_of("a", true));
}

#[rstest]
fn a_rule_that_cannot_be_compared_is_rejected(
    #[values(
        "null",
        "1.5",
        "9223372036854775808",
        "[null]",
        r#"[["x"]]"#,
        r#"[1.5]"#,
        "{}",
        r#"{"present":false}"#,
        r#"{"present":1}"#,
        r#"{"present":true,"x":1}"#
    )]
    rule: &str,
) {
    rejected(
        &format!(r#"[{{"issuer":"a","jwks_file":"/f","claims":{{"c":{rule}}}}}]"#),
        Some(0),
        "has an invalid rule for claim \"c\": a string, an integer, a boolean, a list of these or {\"present\": true} is \
         required",
    );
}

#[test]
fn a_rule_has_1_to_100_values_and_a_provider_1_to_100_rules() {
    let list = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    let rules = |count: usize| {
        let rules: Vec<String> = (0..count).map(|number| format!(r#""c{number}":1"#)).collect();
        format!("{{{}}}", rules.join(","))
    };
    let provider = |claims: &str| format!(r#"[{{"issuer":"a","jwks_file":"/f","claims":{claims}}}]"#);
    assert_eq!(
        outcome(&format!(r#""claims":{{"c":{}}}"#, list(100)), r#","c":1"#),
        Ok(())
    );
    assert_eq!(outcome(&format!(r#""claims":{}"#, rules(100)), ""), rule_of("c0", true));
    for count in [0, 101, 1000] {
        let problem = format!("has an invalid rule for claim \"c\": the list has {count} values; 1 to 100 are allowed");
        rejected(&provider(&format!(r#"{{"c":{}}}"#, list(count))), Some(0), &problem);
        let problem = format!("has {count} rules in \"claims\"; 1 to 100 are allowed");
        rejected(&provider(&rules(count)), Some(0), &problem);
    }
    for claims in ["[]", "1", r#""x""#, "null"] {
        rejected(
            &provider(claims),
            Some(0),
            "has an invalid \"claims\": an object is required",
        );
    }
}

/// The parser of the setting rejects duplicate members anywhere.
#[test]
fn a_rule_that_is_there_twice_is_rejected() {
    let text = r#"[{"issuer":"a","jwks_file":"/f","claims":{"c":1,"c":2}}]"#;
    let Err(Error::Providers { index: None, problem }) = pg_session_jwt_token::provider::parse(text) else {
        panic!("accepted");
    };
    assert!(problem.contains("an object has the same member twice"), "{problem}");
}

#[test]
fn each_kind_of_duplicate_in_rules_is_rejected() {
    for members in [
        r#""claims":{"c":1},"claims":{"c":1}"#,
        r#""claims":{"c":{"present":true,"present":true}}"#,
        r#""claims":{"c":1,"\u0063":2}"#,
    ] {
        let text = format!(r#"[{{"issuer":"a","jwks_file":"/f",{members}}}]"#);
        let Err(Error::Providers { index: None, problem }) = pg_session_jwt_token::provider::parse(&text) else {
            panic!("accepted: {members}");
        };
        assert!(problem.contains("an object has the same member twice"), "{problem}");
    }
    // A value of a list may be there twice.
    assert_eq!(outcome(r#""claims":{"c":["x","x"]}"#, r#","c":"x""#), Ok(()));
}

/// Which of the two would count is not left to the reader.
/// attack: 16
#[rstest]
fn a_claim_that_is_there_twice_rejects_its_token(#[values(r#","c":"x","c":"y""#, r#","c":"y","c":"x""#)] claims: &str) {
    let rejected = outcome(r#""claims":{"c":"x"}"#, claims).err();
    assert!(is_not_json(rejected.clone(), Part::Payload), "{rejected:?}");
}

#[test]
fn a_claim_of_1000_values_is_searched_to_its_end() {
    let list = |last: &str| {
        let others: Vec<String> = (0..999).map(|number| format!(r#""g{number}""#)).collect();
        format!(r#","c":[{},{last}]"#, others.join(","))
    };
    let members = r#""claims":{"c":["x",1]}"#;
    assert_eq!(outcome(members, &list(r#""x""#)), Ok(()));
    assert_eq!(outcome(members, &list("1")), Ok(()));
    for last in [r#""y""#, r#""1""#, r#"["x"]"#, r#"{"x":1}"#, "null", "true", "1.0"] {
        assert_eq!(outcome(members, &list(last)), rule_of("c", false), "{last}");
    }
}

/// RFC 7800 §3.1: the session proves no possession of the key that `cnf` names.
#[rstest]
fn a_token_that_is_bound_to_a_key_is_rejected(#[values(r#"{"jkt":"x"}"#, "{}", "null", "1")] cnf: &str) {
    let claims = format!(r#","cnf":{cnf}"#);
    assert_eq!(
        outcome(r#""audience":"x""#, &format!(r#"{claims},"aud":"x""#)),
        Err(Error::SenderConstrained)
    );
    assert_eq!(outcome(r#""sender_constrained":"accept""#, &claims), Ok(()));
}

#[rstest]
fn sender_constrained_is_accept_or_absent(#[values(r#""Accept""#, "true", "null", r#""reject""#)] value: &str) {
    rejected(
        &format!(r#"[{{"issuer":"a","jwks_file":"/f","sender_constrained":{value}}}]"#),
        Some(0),
        "has an invalid \"sender_constrained\": \"accept\" is required",
    );
}
