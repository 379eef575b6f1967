//! The examination of a token has the outcome of its verification, and says which rules are met.

use pg_session_jwt_token::examine::{Examination, Finding, examine, examine_provider_token};
use pg_session_jwt_token::provider::KeySource;
use pg_session_jwt_token::rule::Rule;
use pg_session_jwt_token::validity::TokenId;
use pg_session_jwt_token::{Error, Excerpt, KeySet, NumericDate, Provider, Validity, Verified, verify};
use proptest::collection::vec;
use proptest::sample::select;
use testkit::cases::check;
use testkit::clock::now;
use testkit::forgeries::Victim;

use crate::providers::{list, one, token, verify_now};
use crate::random::mutation;
use crate::sign::{ED25519, NOW, pinned, validity};

fn keys<'a>(providers: &'a [Provider]) -> impl Fn(usize) -> Result<&'a KeySet, Error> {
    |index| match &providers[index].source {
        KeySource::Inline(set) => Ok(set),
        KeySource::File(_) | KeySource::Url(_) | KeySource::Discovery(_) => Err(Error::NoKeys),
    }
}

fn examined(token: &str, providers: &[Provider]) -> Examination<Verified> {
    examine_provider_token(token.as_bytes(), providers, keys(providers), &validity())
}

/// The names of the rules: those that are met, those that are not, and those that were not checked.
fn names(findings: &[Finding]) -> [String; 3] {
    let names = |wanted: fn(&Finding) -> bool| {
        let named = findings.iter().filter(|finding| wanted(finding));
        named.map(|finding| finding.rule.name()).collect::<Vec<_>>().join(" ")
    };
    [
        names(|finding| matches!(finding.result, Some(Ok(_)))),
        names(|finding| matches!(finding.result, Some(Err(_)))),
        names(|finding| finding.result.is_none()),
    ]
}

/// Whether the findings agree with the outcome: no failure and nothing unchecked if it accepts, and else its error first.
#[track_caller]
fn agree<V>(examination: &Examination<V>, token: &[u8]) {
    let first = examination
        .findings
        .iter()
        .find_map(|finding| finding.result.clone()?.err());
    assert_eq!(
        first.as_ref(),
        examination.outcome.as_ref().err(),
        "{}",
        token.escape_ascii()
    );
    let is_complete = examination.findings.iter().all(|finding| finding.result.is_some());
    assert!(is_complete || first.is_some(), "{}", token.escape_ascii());
}

#[test]
fn a_valid_token_meets_all_rules_and_the_details_name_what_met_them() {
    let providers = one(r#""issuer":"a","audience":"x","max_age":3600,"claims":{"tenant":"t"}"#);
    let payload = format!(r#"{{"iss":"a","aud":["x","y"],"iat":{NOW},"tenant":"t"}}"#);
    let token = token(&ED25519, "EdDSA", "k1", &payload);
    let examination = examined(&token, &providers);
    assert!(examination.outcome.is_ok());
    let shown: Vec<_> = examination
        .findings
        .iter()
        .map(|finding| format!("{}: {}", finding.rule.name(), finding.result.clone().unwrap().unwrap()))
        .collect();
    let expected = [
        format!("form: {} bytes", token.len()),
        r#"header: alg="EdDSA", kid="k1""#.to_owned(),
        "payload: ".to_owned(),
        r#"provider: provider 1, iss="a""#.to_owned(),
        r#"key: kid="k1""#.to_owned(),
        "signature: ".to_owned(),
        r#"algorithms: alg="EdDSA""#.to_owned(),
        "token_types: no typ".to_owned(),
        r#"audience: aud="x, y""#.to_owned(),
        "claims: ".to_owned(),
        "sender_constrained: no cnf".to_owned(),
        "nbf: no nbf".to_owned(),
        format!("exp: exp={}, now={NOW}, leeway=60", NOW + 60),
        "expiry: ".to_owned(),
        format!("max_age: iat={NOW}, now={NOW}, leeway=60"),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn each_failure_is_found_and_the_first_is_the_outcome() {
    let providers = one(r#""issuer":"a","audience":"x","max_age":3600"#);
    let claims = format!(r#"{{"iss":"a","aud":"y","cnf":{{}},"nbf":{},"iat":1}}"#, NOW + 100);
    let of = |kid: &str, claims: &str| examined(&token(&ED25519, "EdDSA", kid, claims), &providers);
    let wrong = of("k1", &claims);
    assert_eq!(
        wrong.outcome,
        Err(Error::Audience {
            aud: Some(Excerpt::new("y"))
        })
    );
    assert_eq!(
        names(&wrong.findings),
        [
            "form header payload provider key signature algorithms token_types claims exp expiry",
            "audience sender_constrained nbf max_age",
            ""
        ]
    );
    let unknown = Error::UnknownKeyId {
        kid: Excerpt::new("k2"),
    };
    let wrong = of("k2", &claims);
    assert_eq!(wrong.outcome, Err(unknown));
    assert_eq!(
        names(&wrong.findings),
        [
            "form header payload provider algorithms token_types claims exp expiry",
            "key audience sender_constrained nbf max_age",
            "signature"
        ]
    );
    let foreign = of("k1", r#"{"iss":"b"}"#);
    assert_eq!(
        names(&foreign.findings),
        [
            "form header payload",
            "provider",
            "key signature algorithms token_types audience claims sender_constrained nbf exp expiry max_age"
        ]
    );
    let opaque = examined("opaque", &providers);
    assert_eq!(opaque.outcome, Err(Error::NotCompact { parts: 1 }));
    assert_eq!(opaque.findings[0].rule, Rule::Form);
    assert!(opaque.findings[1..].iter().all(|finding| finding.result.is_none()));
}

#[test]
fn a_token_of_proxy_mode_is_examined_by_its_key() {
    let validity = Validity {
        jti: TokenId::GreaterThan(7),
        ..validity()
    };
    let of = |claims: &str| examine(ED25519.token("EdDSA", claims).as_bytes(), &pinned(&ED25519), &validity);
    let good = of(r#"{"jti":8}"#);
    assert!(good.outcome.is_ok());
    assert_eq!(
        names(&good.findings),
        ["form header key signature payload nbf exp jti", "", ""]
    );
    let late = of(r#"{"jti":7,"exp":1}"#);
    assert_eq!(
        names(&late.findings),
        ["form header key signature payload nbf", "exp jti", ""]
    );
    assert!(matches!(late.outcome, Err(Error::Expired { .. })));
}

/// attack: 1, 13
#[test]
fn forgeries_have_the_outcome_of_their_verification() {
    let victim = Victim {
        key: &ED25519,
        issuer: "https://id.example/",
        claims: r#""aud":"todos""#,
        user: "alice",
        attacker: "mallory",
    };
    let entry = format!(
        r#"[{{"issuer":"https://id.example/","audience":"todos","jwks":{{"keys":[{},{}]}}}}]"#,
        victim.public_keys(),
        victim.secret_key()
    );
    let providers = list(&entry);
    let validity = Validity {
        now: NumericDate::from_micros(now() * 1_000_000),
        ..validity()
    };
    let examined = |token: &str| examine_provider_token(token.as_bytes(), &providers, keys(&providers), &validity);
    let forged = victim.not_signed().into_iter().chain(victim.no_tokens());
    let tokens: Vec<String> = forged.map(|forgery| forgery.token).chain(victim.bombs()).collect();
    assert!(tokens.len() > 60, "{}", tokens.len());
    for token in tokens {
        let examination = examined(&token);
        assert!(examination.outcome.is_err(), "{token:.200}");
        agree(&examination, token.as_bytes());
    }
    let good = examined(&victim.token("alice"));
    assert!(good.outcome.is_ok());
    agree(&good, b"");
}

/// attack: 48
#[test]
fn changed_tokens_have_the_outcome_of_their_verification() {
    let providers = one(r#""issuer":"a","audience":"x""#);
    let tokens = [
        r#"{"iss":"a","aud":"x"}"#,
        r#"{"iss":"a","aud":"y"}"#,
        r#"{"iss":"b","aud":"x","nbf":1900000000}"#,
    ]
    .map(|claims| token(&ED25519, "EdDSA", "k1", claims));
    let mut accepted = 0;
    let changed = (select(tokens.to_vec()), vec(mutation(), 0..=2));
    check(0x5eed_0021, 4_000, &changed, |(original, mutations)| {
        let mut bytes = original.into_bytes();
        mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
        let validity = validity();
        let examination = examine_provider_token(&bytes, &providers, keys(&providers), &validity);
        agree(&examination, &bytes);
        if let Ok(text) = std::str::from_utf8(&bytes) {
            assert_eq!(examination.outcome, verify_now(text, &providers));
        }
        accepted += u32::from(examination.outcome.is_ok());
        let examination = examine(&bytes, &pinned(&ED25519), &validity);
        agree(&examination, &bytes);
        assert_eq!(examination.outcome, verify(&bytes, &pinned(&ED25519), &validity));
    });
    assert!((300..1_500).contains(&accepted), "{accepted}");
}
