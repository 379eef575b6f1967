//! `typ`: what else an issuer signs with the keys of its access tokens is no login.

use pg_session_jwt_token::{Error, Excerpt, KeySet, provider, verify_provider_token};
use rstest::rstest;

use crate::providers::{one, rejected, set, verify_now};
use crate::sign::{ED25519, NOW, validity};

/// The outcome for a token with this `typ`, as JSON, by a provider with these further members.
fn outcome(members: &str, typ: &str) -> Result<(), Error> {
    let typ = if typ.is_empty() {
        String::new()
    } else {
        format!(r#","typ":{typ}"#)
    };
    let header = format!(r#"{{"alg":"EdDSA","kid":"k1"{typ}}}"#);
    let payload = format!(r#"{{"iss":"a","exp":{}}}"#, NOW + 60);
    let token = ED25519.token_with_header("EdDSA", header, payload);
    verify_now(&token, &one(&format!(r#""issuer":"a"{members}"#))).map(drop)
}

fn another(typ: &str) -> Result<(), Error> {
    Err(Error::TokenType {
        typ: Some(Excerpt::new(typ)),
    })
}

#[rstest]
fn tokens_of_the_usual_types_are_accepted(
    #[values(
        "",
        r#""JWT""#,
        r#""jwt""#,
        r#""at+jwt""#,
        r#""AT+JWT""#,
        r#""application/at+jwt""#,
        r#""application/jwt""#,
        r#""Application/JWT""#
    )]
    typ: &str,
) {
    assert_eq!(outcome("", typ), Ok(()));
}

/// attack: 16
#[rstest]
fn tokens_for_another_purpose_are_rejected(
    #[values(
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "client-authentication+jwt",
        "oauth-authz-req+jwt",
        "token-introspection+jwt",
        "kb+jwt",
        "JOSE",
        "JWS",
        "",
        " JWT",
        "JWT ",
        "application/x/jwt",
        "application/application/jwt",
        "text/jwt"
    )]
    typ: &str,
) {
    assert_eq!(outcome("", &format!("\"{typ}\"")), another(typ));
}

#[rstest]
fn a_type_that_is_no_string_is_rejected(#[values("1", "null", "true", r#"["JWT"]"#, "{}")] typ: &str) {
    assert_eq!(outcome("", typ), Err(Error::HeaderMember { member: "typ" }));
}

#[test]
fn a_provider_with_types_accepts_exactly_these() {
    let members = r#","token_types":["at+jwt","application/vnd.example+jwt"]"#;
    for typ in [r#""at+jwt""#, r#""application/AT+JWT""#, r#""vnd.example+jwt""#] {
        assert_eq!(outcome(members, typ), Ok(()), "{typ}");
    }
    assert_eq!(outcome(members, r#""JWT""#), another("JWT"));
    assert_eq!(outcome(members, ""), Err(Error::TokenType { typ: None }));
    assert_eq!(outcome(r#","token_types":"logout+jwt""#, r#""logout+jwt""#), Ok(()));
}

/// RFC 8417 §2.2. A provider that names the types decides by them alone.
/// attack: 16
#[rstest]
fn a_security_event_is_no_login(#[values("{}", r#"{"x":{}}"#, "null", "1")] events: &str) {
    let outcome = |members: &str, typ: &str| {
        let header = format!(r#"{{"alg":"EdDSA","kid":"k1","typ":"{typ}"}}"#);
        let payload = format!(r#"{{"iss":"a","exp":{},"events":{events}}}"#, NOW + 60);
        let token = ED25519.token_with_header("EdDSA", header, payload);
        verify_now(&token, &one(&format!(r#""issuer":"a"{members}"#))).map(drop)
    };
    assert_eq!(outcome("", "JWT"), Err(Error::SecurityEvent));
    assert_eq!(outcome(r#","token_types":"secevent+jwt""#, "secevent+jwt"), Ok(()));
}

/// The outcome for a token with this `typ`, as JSON, by a provider whose members are these. Its keys count as found.
fn discovered(members: &str, typ: &str) -> Result<(), Error> {
    let providers = provider::parse(&format!("[{{{members}}}]")).unwrap();
    let set = KeySet::from_jwks(&set(&ED25519, "k1")).unwrap();
    let header = format!(r#"{{"alg":"EdDSA","kid":"k1"{typ}}}"#);
    let payload = format!(r#"{{"iss":"https://a","aud":"x","azp":"x","exp":{}}}"#, NOW + 60);
    let token = ED25519.token_with_header("EdDSA", header, payload);
    verify_provider_token(token.as_bytes(), &providers, |_| Ok(&set), &validity()).map(drop)
}

/// OpenID Connect Core 1.0 §2 gives ID tokens no type, and JARM §2.1 none to authorization responses.
/// attack: 16
#[rstest]
#[case("", None)]
#[case(r#","typ":"JWT""#, Some("JWT"))]
#[case(r#","typ":"logout+jwt""#, Some("logout+jwt"))]
fn an_issuer_alone_accepts_only_access_tokens(#[case] typ: &str, #[case] shown: Option<&str>) {
    let found = r#""issuer":"https://a""#;
    let elsewhere = r#""issuer":"https://a","discovery_url":"https://b/c""#;
    for alone in [found, elsewhere] {
        let typ_shown = shown.map(Excerpt::new);
        assert_eq!(discovered(alone, typ), Err(Error::NotAccessToken { typ: typ_shown }));
        for access in ["at+jwt", "AT+JWT", "application/at+jwt"] {
            assert_eq!(discovered(alone, &format!(r#","typ":"{access}""#)), Ok(()));
        }
    }
    let usual = shown.is_none_or(|typ| typ == "JWT");
    for fence in [r#""audience":"x""#, r#""claims":{"azp":"x"}"#] {
        assert_eq!(discovered(&format!("{found},{fence}"), typ).is_ok(), usual, "{fence}");
    }
    assert_eq!(
        discovered(&format!(r#"{found},"token_types":"JWT""#), typ).is_ok(),
        shown == Some("JWT")
    );
}

#[rstest]
#[case("[]", "has an empty \"token_types\"")]
#[case("1", "has an invalid \"token_types\": a non-empty string is required")]
#[case(r#"[""]"#, "has an invalid \"token_types\": a non-empty string is required")]
fn types_are_a_string_or_a_list(#[case] value: &str, #[case] problem: &str) {
    let text = format!(r#"[{{"issuer":"a","jwks_file":"/f","token_types":{value}}}]"#);
    rejected(&text, Some(0), problem);
}
