//! The list of providers, and the selection of the provider that a token identifies.

use pg_session_jwt_token::algorithm::Algorithm;
use pg_session_jwt_token::provider::{self, KeySource};
use pg_session_jwt_token::{Error, Excerpt, KeySet, Provider, Verified, verify_provider_token};
use rstest::rstest;

use crate::sign::{ED25519, NOW, P256, RSA, Signer, validity};

pub fn list(text: &str) -> Vec<Provider> {
    provider::parse(text).unwrap()
}

pub fn set(signer: &Signer, kid: &str) -> String {
    format!(r#"{{"keys":[{}]}}"#, signer.jwk(&format!(r#""kid":"{kid}""#)))
}

/// One provider with the Ed25519 key `k1` and these further members.
pub fn one(members: &str) -> Vec<Provider> {
    list(&format!(r#"[{{"jwks":{},{members}}}]"#, set(&ED25519, "k1")))
}

#[track_caller]
pub fn rejected(text: &str, index: Option<usize>, problem: &str) {
    let expected = Error::Providers {
        index,
        problem: problem.to_owned(),
    };
    assert_eq!(provider::parse(text).map(|list| list.len()), Err(expected), "{text}");
}

pub fn verify_now(token: &str, providers: &[Provider]) -> Result<Verified, Error> {
    let keys = |index: usize| -> Result<&KeySet, Error> {
        match &providers[index].source {
            KeySource::Inline(set) => Ok(set),
            KeySource::File(_) | KeySource::Url(_) | KeySource::Discovery(_) => Err(Error::NoKeys),
        }
    };
    verify_provider_token(token.as_bytes(), providers, keys, &validity())
}

/// A token with this payload, which ends in a minute.
pub fn token(signer: &Signer, alg: &str, kid: &str, payload: &str) -> String {
    let payload = payload.replacen('{', &format!("{{\"exp\":{},", NOW + 60), 1);
    signer.token_with_header(alg, format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#), payload)
}

fn excerpt(text: &str) -> Option<Excerpt> {
    Some(Excerpt::new(text))
}

#[test]
fn all_members_of_a_provider_are_read() {
    let providers = one(
        r#""issuer":"https://a/","audience":["x","y"],"roles":"authenticated","user_id_claim":"oid","algorithms":["EdDSA"]"#,
    );
    let provider = &providers[0];
    assert_eq!(provider.issuer.as_deref(), Some("https://a/"));
    assert_eq!(provider.audience, ["x", "y"]);
    assert_eq!(provider.roles, ["authenticated"]);
    assert_eq!(provider.user_id_claim, "oid");
    assert_eq!(provider.algorithms, [Algorithm::EdDSA]);
}

#[test]
fn the_user_id_claim_is_sub_unless_it_says_otherwise() {
    assert_eq!(one(r#""issuer":"a""#)[0].user_id_claim, "sub");
}

#[test]
fn a_text_that_is_no_list_is_rejected() {
    rejected("{}", None, "is not an array");
    rejected("[]", None, "has 0 providers; 1 to 100 are allowed");
    rejected("[1]", Some(0), "is not an object");
}

#[test]
fn a_hundred_providers_are_possible_and_no_more() {
    let provider = r#"{"issuer":"a","jwks_file":"/f"}"#;
    let text = |count: usize| format!("[{}]", vec![provider; count].join(","));
    assert_eq!(list(&text(100)).len(), 100);
    rejected(&text(101), None, "has 101 providers; 1 to 100 are allowed");
}

#[test]
fn a_list_of_256_kib_is_read_and_a_byte_more_is_not() {
    let provider = r#"[{"issuer":"a","jwks_file":"/f"}]"#;
    let padded = |bytes: usize| format!("{}{provider}", " ".repeat(bytes - provider.len()));
    assert_eq!(list(&padded(262_144)).len(), 1);
    let too_long = "has 262145 bytes; the limit is 262144";
    rejected(&padded(262_145), None, too_long);
}

#[test]
fn a_member_that_is_unknown_is_named() {
    let text = r#"[{"issuer":"a","jwks_file":"/f"},{"issuer":"b","jwks_file":"/f","audiense":"x"}]"#;
    rejected(text, Some(1), r#"has an unknown member "audiense""#);
}

#[test]
fn a_provider_needs_an_issuer_or_an_audience() {
    let neither = "must have \"issuer\" or \"audience\"";
    rejected(r#"[{"jwks_file":"/f"}]"#, Some(0), neither);
    assert_eq!(list(r#"[{"jwks_file":"/f","audience":"x"}]"#).len(), 1);
}

#[rstest]
fn mistyped_members_are_rejected(#[values("issuer", "audience", "roles", "user_id_claim", "algorithms")] member: &str) {
    for value in [r#""""#, "1", "null", r#"[""]"#, "[1]"] {
        let text = format!(r#"[{{"jwks_file":"/f","{member}":{value}}}]"#);
        rejected(
            &text,
            Some(0),
            &format!("has an invalid \"{member}\": a non-empty string is required"),
        );
    }
}

#[test]
fn empty_members_are_rejected() {
    rejected(
        r#"[{"jwks_file":"/f","audience":[]}]"#,
        Some(0),
        "has an empty \"audience\"",
    );
    let none = r#"[{"jwks_file":"/f","issuer":"a","algorithms":"none"}]"#;
    rejected(none, Some(0), "has an unsupported algorithm \"none\"");
    let known = list(r#"[{"jwks_file":"/f","issuer":"a","algorithms":["ES512","HS384"]}]"#);
    assert_eq!(known[0].algorithms, [Algorithm::ES512, Algorithm::HS384]);
}

#[test]
fn keys_come_from_one_source() {
    let problem = "must have at most one of \"jwks\", \"jwks_file\", \"jwks_url\" and \"discovery_url\"";
    rejected(
        r#"[{"issuer":"a","jwks_file":"/f","jwks":{"keys":[]}}]"#,
        Some(0),
        problem,
    );
    rejected(
        r#"[{"issuer":"a","jwks":[]}]"#,
        Some(0),
        "has an invalid \"jwks\": an object is required",
    );
    rejected(
        r#"[{"issuer":"a","jwks":{"keys":[]}}]"#,
        Some(0),
        "has an invalid \"jwks\": key set has no usable key (the set is empty)",
    );
    rejected(
        r#"[{"issuer":"a","jwks":{"keys":[{"kty":"EC","kid":"b","use":"enc"}]}}]"#,
        Some(0),
        "has an invalid \"jwks\": key set has no usable key (key 1, kid \"b\": its \"use\" is not \"sig\")",
    );
}

#[test]
fn the_configured_issuer_is_accepted() {
    let providers = one(r#""issuer":"https://a/""#);
    let of = |iss: &str| token(&ED25519, "EdDSA", "k1", &format!(r#"{{"iss":"{iss}","sub":"u"}}"#));
    assert_eq!(
        verify_now(&of("https://a/"), &providers)
            .unwrap()
            .identity
            .user_id
            .as_deref(),
        Some("u")
    );
}

/// attack: 55
#[rstest]
fn the_issuer_is_compared_exactly(#[values("https://A/", "https://a/ ", "https://a//", "")] iss: &str
) {
    let providers = one(r#""issuer":"https://a/""#);
    let of = |iss: &str| token(&ED25519, "EdDSA", "k1", &format!(r#"{{"iss":"{iss}","sub":"u"}}"#));
    let expected = Err(Error::UnknownIssuer { iss: excerpt(iss) });
    assert_eq!(verify_now(&of(iss), &providers), expected, "{iss}");
}

#[rstest]
fn a_token_without_a_string_as_issuer_is_rejected(
    #[values(r#"{"sub":"u"}"#, r#"{"iss":["https://a/"]}"#, r#"{"iss":null}"#)] payload: &str,
) {
    let providers = one(r#""issuer":"https://a/""#);
    let expected = Err(Error::UnknownIssuer { iss: None });
    assert_eq!(
        verify_now(&token(&ED25519, "EdDSA", "k1", payload), &providers),
        expected,
        "{payload}"
    );
}

/// RFC 7519 §4.1.1: `iss` is a string. Other readers of the token may interpret a list or a number differently.
#[rstest]
fn any_issuer_is_accepted_where_no_provider_has_one(
    #[values("", r#","iss":"https://any/""#, r#","iss":"""#)] members: &str,
) {
    let providers = one(r#""audience":"x""#);
    let of = |members: &str| {
        let payload = format!(r#"{{"aud":"x","sub":"u"{members}}}"#);
        verify_now(&token(&ED25519, "EdDSA", "k1", &payload), &providers)
    };
    assert_eq!(of(members).map(|verified| verified.provider), Ok(0), "{members}");
}

/// attack: 153
#[rstest]
fn an_issuer_that_is_no_string_is_rejected_even_where_no_provider_has_one(
    #[values("1", "null", "true", "{}", "[]", r#"["https://a/"]"#)] iss: &str,
) {
    let providers = one(r#""audience":"x""#);
    let of = |members: &str| {
        let payload = format!(r#"{{"aud":"x","sub":"u"{members}}}"#);
        verify_now(&token(&ED25519, "EdDSA", "k1", &payload), &providers)
    };
    assert_eq!(
        of(&format!(r#","iss":{iss}"#)),
        Err(Error::UnknownIssuer { iss: None }),
        "{iss}"
    );
}

#[rstest]
fn an_audience_among_those_of_the_token_is_accepted(#[values(r#""x""#, r#""y""#, r#"["z","y"]"#)] aud: &str) {
    let providers = one(r#""issuer":"a","audience":["x","y"]"#);
    let of = |aud: &str| token(&ED25519, "EdDSA", "k1", &format!(r#"{{"iss":"a","aud":{aud}}}"#));
    assert!(verify_now(&of(aud), &providers).is_ok(), "{aud}");
}

/// attack: 16, 54
#[rstest]
#[case(r#""X""#, "X")]
#[case(r#""x,y""#, "x,y")]
#[case(r#""""#, "")]
#[case("[]", "")]
#[case(r#"["X","Y"]"#, "X, Y")]
fn the_audience_must_be_among_those_of_the_token(#[case] aud: &str, #[case] shown: &str) {
    let providers = one(r#""issuer":"a","audience":["x","y"]"#);
    let of = |aud: &str| token(&ED25519, "EdDSA", "k1", &format!(r#"{{"iss":"a","aud":{aud}}}"#));
    assert_eq!(
        verify_now(&of(aud), &providers),
        Err(Error::Audience { aud: excerpt(shown) }),
        "{aud}"
    );
}

#[test]
fn a_token_without_an_audience_is_rejected() {
    let providers = one(r#""issuer":"a","audience":["x","y"]"#);
    let without = token(&ED25519, "EdDSA", "k1", r#"{"iss":"a"}"#);
    assert_eq!(verify_now(&without, &providers), Err(Error::Audience { aud: None }));
}

/// attack: 56
#[test]
fn a_key_of_one_issuer_does_not_sign_for_another() {
    let providers = list(&format!(
        r#"[{{"issuer":"a","jwks":{}}},{{"issuer":"b","jwks":{}}}]"#,
        set(&ED25519, "k1"),
        set(&P256, "k2")
    ));
    let payload = |iss: &str| format!(r#"{{"iss":"{iss}","sub":"u"}}"#);
    assert_eq!(
        verify_now(&token(&ED25519, "EdDSA", "k1", &payload("a")), &providers)
            .unwrap()
            .provider,
        0
    );
    assert_eq!(
        verify_now(&token(&P256, "ES256", "k2", &payload("b")), &providers)
            .unwrap()
            .provider,
        1
    );
    let stolen = verify_now(&token(&P256, "ES256", "k2", &payload("a")), &providers);
    assert_eq!(
        stolen,
        Err(Error::UnknownKeyId {
            kid: Excerpt::new("k2")
        })
    );
    let renamed = verify_now(&token(&P256, "ES256", "k1", &payload("a")), &providers);
    assert_eq!(renamed, Err(Error::AlgorithmMismatch { alg: Algorithm::ES256 }));
}

/// attack: 56
#[test]
fn providers_without_an_issuer_are_distinguished_by_kid_and_do_not_serve_a_named_issuer() {
    let providers = list(&format!(
        r#"[{{"issuer":"a","jwks":{}}},{{"audience":"x","jwks":{}}},{{"audience":"x","jwks":{}}}]"#,
        set(&ED25519, "k1"),
        set(&P256, "k2"),
        set(&RSA, "k3")
    ));
    let payload = r#"{"iss":"c","aud":"x","sub":"u"}"#;
    assert_eq!(
        verify_now(&token(&P256, "ES256", "k2", payload), &providers)
            .unwrap()
            .provider,
        1
    );
    assert_eq!(
        verify_now(&token(&RSA, "RS256", "k3", payload), &providers)
            .unwrap()
            .provider,
        2
    );
    let named = verify_now(&token(&P256, "ES256", "k2", r#"{"iss":"a","aud":"x"}"#), &providers);
    assert_eq!(
        named,
        Err(Error::UnknownKeyId {
            kid: Excerpt::new("k2")
        })
    );
}

#[test]
fn providers_that_share_issuer_and_keys_are_distinguished_by_audience() {
    let keys = set(&ED25519, "k1");
    let text = format!(
        r#"[{{"issuer":"a","audience":"x","jwks":{keys}}},{{"issuer":"a","audience":"y","user_id_claim":"oid","jwks":{keys}}}]"#
    );
    let providers = list(&text);
    let of = |aud: &str| {
        let payload = format!(r#"{{"iss":"a","aud":{aud},"sub":"by sub","oid":"by oid"}}"#);
        verify_now(&token(&ED25519, "EdDSA", "k1", &payload), &providers)
    };
    assert_eq!(of(r#""x""#).unwrap().identity.user_id.as_deref(), Some("by sub"));
    assert_eq!(of(r#""y""#).unwrap().identity.user_id.as_deref(), Some("by oid"));
    assert_eq!(
        of(r#"["x","y"]"#),
        Err(Error::AmbiguousProvider { first: 0, second: 1 })
    );
    assert_eq!(of(r#""z""#), Err(Error::Audience { aud: excerpt("z") }));
}

#[test]
fn algorithms_narrow_what_a_key_allows() {
    let text = format!(r#"[{{"issuer":"a","algorithms":"PS256","jwks":{}}}]"#, set(&RSA, "k1"));
    let providers = list(&text);
    let payload = r#"{"iss":"a","sub":"u"}"#;
    assert!(verify_now(&token(&RSA, "PS256", "k1", payload), &providers).is_ok());
    let expected = Err(Error::AlgorithmExcluded { alg: Algorithm::RS256 });
    assert_eq!(verify_now(&token(&RSA, "RS256", "k1", payload), &providers), expected);
}

#[test]
fn a_provider_without_keys_rejects_its_tokens() {
    let providers = list(r#"[{"issuer":"a","jwks_file":"/f"}]"#);
    assert_eq!(
        verify_now(&token(&ED25519, "EdDSA", "k1", r#"{"iss":"a"}"#), &providers),
        Err(Error::NoKeys)
    );
}
