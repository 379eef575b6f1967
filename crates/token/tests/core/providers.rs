//! The list of providers, and which of them a token means.

use jsonwebtoken::Algorithm;
use pg_session_jwt_token::provider::{self, KeySource};
use pg_session_jwt_token::{Error, Excerpt, Identity, KeySet, Provider, verify_provided};

use crate::sign::{ED25519, P256, RSA, Signer, policy};

fn list(text: &str) -> Vec<Provider> {
    provider::parse(text).unwrap()
}

fn set(signer: &Signer, kid: &str) -> String {
    format!(r#"{{"keys":[{}]}}"#, signer.jwk(&format!(r#""kid":"{kid}""#)))
}

/// One provider with the Ed25519 key `k1` and these further members.
fn one(members: &str) -> Vec<Provider> {
    list(&format!(r#"[{{"jwks":{},{members}}}]"#, set(&ED25519, "k1")))
}

#[track_caller]
fn refused(text: &str, place: Option<usize>, problem: &str) {
    let expected = Error::Providers {
        place,
        problem: problem.to_owned(),
    };
    assert_eq!(provider::parse(text).map(|list| list.len()), Err(expected), "{text}");
}

fn judge(token: &str, providers: &[Provider]) -> Result<(Identity, usize), Error> {
    let keys = |place: usize| -> Result<&KeySet, Error> {
        match &providers[place].source {
            KeySource::Inline(set) => Ok(set),
            KeySource::File(_) | KeySource::Url(_) => Err(Error::NoKeys),
        }
    };
    verify_provided(token.as_bytes(), providers, keys, &policy())
}

fn token(signer: &Signer, alg: &str, kid: &str, payload: &str) -> String {
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
fn a_list_that_is_none_is_refused() {
    refused("{}", None, "it is not an array");
    refused("[]", None, "it has 0 providers; 1 to 100 are possible");
    refused("[1]", Some(0), "it is not an object");
}

#[test]
fn a_hundred_providers_are_possible_and_no_more() {
    let provider = r#"{"issuer":"a","jwks_file":"/f"}"#;
    let text = |count: usize| format!("[{}]", vec![provider; count].join(","));
    assert_eq!(list(&text(100)).len(), 100);
    refused(&text(101), None, "it has 101 providers; 1 to 100 are possible");
}

#[test]
fn a_list_of_256_kib_is_read_and_a_byte_more_is_not() {
    let provider = r#"[{"issuer":"a","jwks_file":"/f"}]"#;
    let padded = |bytes: usize| format!("{}{provider}", " ".repeat(bytes - provider.len()));
    assert_eq!(list(&padded(262_144)).len(), 1);
    let too_long = "it has 262145 bytes; at most 262144 are accepted";
    refused(&padded(262_145), None, too_long);
}

#[test]
fn a_member_that_is_unknown_is_named() {
    let text = r#"[{"issuer":"a","jwks_file":"/f"},{"issuer":"b","jwks_file":"/f","audiense":"x"}]"#;
    refused(text, Some(1), r#"it has an unknown member "audiense""#);
}

#[test]
fn a_provider_needs_an_issuer_or_an_audience() {
    let neither = "it has neither \"issuer\" nor \"audience\"; at least one is required";
    refused(r#"[{"jwks_file":"/f"}]"#, Some(0), neither);
    assert_eq!(list(r#"[{"jwks_file":"/f","audience":"x"}]"#).len(), 1);
}

#[test]
fn empty_and_mistyped_members_are_refused() {
    for member in ["issuer", "audience", "roles", "user_id_claim", "algorithms"] {
        for value in [r#""""#, "1", "null", r#"[""]"#, "[1]"] {
            let text = format!(r#"[{{"jwks_file":"/f","{member}":{value}}}]"#);
            refused(&text, Some(0), &format!("its \"{member}\" is not a string, or empty"));
        }
    }
    refused(
        r#"[{"jwks_file":"/f","audience":[]}]"#,
        Some(0),
        "its \"audience\" is empty",
    );
    let none = r#"[{"jwks_file":"/f","issuer":"a","algorithms":"none"}]"#;
    refused(none, Some(0), "its algorithm \"none\" is not supported");
}

#[test]
fn keys_come_from_exactly_one_place() {
    let problem = "it must have exactly one of \"jwks\", \"jwks_file\" and \"jwks_url\"";
    refused(r#"[{"issuer":"a"}]"#, Some(0), problem);
    refused(
        r#"[{"issuer":"a","jwks_file":"/f","jwks":{"keys":[]}}]"#,
        Some(0),
        problem,
    );
    refused(
        r#"[{"issuer":"a","jwks":[]}]"#,
        Some(0),
        "its \"jwks\" is not an object",
    );
    refused(
        r#"[{"issuer":"a","jwks":{"keys":[]}}]"#,
        Some(0),
        "the key set has no usable key (it is empty)",
    );
    refused(
        r#"[{"issuer":"a","jwks":{"keys":[{"kty":"EC","kid":"b","use":"enc"}]}}]"#,
        Some(0),
        "the key set has no usable key (key 1, kid \"b\": its \"use\" is not \"sig\")",
    );
}

/// attack: 55
#[test]
fn the_issuer_is_compared_exactly() {
    let providers = one(r#""issuer":"https://a/""#);
    let of = |iss: &str| token(&ED25519, "EdDSA", "k1", &format!(r#"{{"iss":"{iss}","sub":"u"}}"#));
    assert_eq!(
        judge(&of("https://a/"), &providers).unwrap().0.user_id.as_deref(),
        Some("u")
    );
    for iss in ["https://a", "https://A/", "https://a/ ", "https://a//", ""] {
        let expected = Err(Error::UnknownIssuer { iss: excerpt(iss) });
        assert_eq!(judge(&of(iss), &providers), expected, "{iss}");
    }
    for payload in [r#"{"sub":"u"}"#, r#"{"iss":["https://a/"]}"#, r#"{"iss":null}"#] {
        let expected = Err(Error::UnknownIssuer { iss: None });
        assert_eq!(
            judge(&token(&ED25519, "EdDSA", "k1", payload), &providers),
            expected,
            "{payload}"
        );
    }
}

/// RFC 7519 §4.1.1: it is a string. What another reader of the token makes of a list or a number nobody can say.
/// attack: 153
#[test]
fn an_issuer_that_is_no_string_is_refused_also_where_no_provider_names_one() {
    let providers = one(r#""audience":"x""#);
    let of = |members: &str| {
        let payload = format!(r#"{{"aud":"x","sub":"u"{members}}}"#);
        judge(&token(&ED25519, "EdDSA", "k1", &payload), &providers)
    };
    for members in ["", r#","iss":"https://any/""#, r#","iss":"""#] {
        assert_eq!(of(members).map(|(_, place)| place), Ok(0), "{members}");
    }
    for iss in ["1", "null", "true", "{}", "[]", r#"["https://a/"]"#] {
        assert_eq!(
            of(&format!(r#","iss":{iss}"#)),
            Err(Error::UnknownIssuer { iss: None }),
            "{iss}"
        );
    }
}

/// attack: 16, 54
#[test]
fn the_audience_must_be_among_those_of_the_token() {
    let providers = one(r#""issuer":"a","audience":["x","y"]"#);
    let of = |aud: &str| token(&ED25519, "EdDSA", "k1", &format!(r#"{{"iss":"a","aud":{aud}}}"#));
    for aud in [r#""x""#, r#""y""#, r#"["z","y"]"#] {
        assert!(judge(&of(aud), &providers).is_ok(), "{aud}");
    }
    for (aud, shown) in [
        (r#""X""#, "X"),
        (r#""x,y""#, "x,y"),
        (r#""""#, ""),
        ("[]", ""),
        (r#"["x",1]"#, "x"),
        (r#"[["x"]]"#, ""),
        ("null", "not a string"),
        ("1", "not a string"),
    ] {
        assert_eq!(
            judge(&of(aud), &providers),
            Err(Error::Audience { aud: excerpt(shown) }),
            "{aud}"
        );
    }
    let without = token(&ED25519, "EdDSA", "k1", r#"{"iss":"a"}"#);
    assert_eq!(judge(&without, &providers), Err(Error::Audience { aud: None }));
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
        judge(&token(&ED25519, "EdDSA", "k1", &payload("a")), &providers)
            .unwrap()
            .1,
        0
    );
    assert_eq!(
        judge(&token(&P256, "ES256", "k2", &payload("b")), &providers)
            .unwrap()
            .1,
        1
    );
    let stolen = judge(&token(&P256, "ES256", "k2", &payload("a")), &providers);
    assert_eq!(
        stolen,
        Err(Error::UnknownKeyId {
            kid: Excerpt::new("k2")
        })
    );
    let renamed = judge(&token(&P256, "ES256", "k1", &payload("a")), &providers);
    assert_eq!(renamed, Err(Error::AlgorithmMismatch { alg: Algorithm::ES256 }));
}

/// attack: 56
#[test]
fn providers_without_an_issuer_are_told_apart_by_kid_and_do_not_serve_a_named_issuer() {
    let providers = list(&format!(
        r#"[{{"issuer":"a","jwks":{}}},{{"audience":"x","jwks":{}}},{{"audience":"x","jwks":{}}}]"#,
        set(&ED25519, "k1"),
        set(&P256, "k2"),
        set(&RSA, "k3")
    ));
    let payload = r#"{"iss":"c","aud":"x","sub":"u"}"#;
    assert_eq!(judge(&token(&P256, "ES256", "k2", payload), &providers).unwrap().1, 1);
    assert_eq!(judge(&token(&RSA, "RS256", "k3", payload), &providers).unwrap().1, 2);
    let named = judge(&token(&P256, "ES256", "k2", r#"{"iss":"a","aud":"x"}"#), &providers);
    assert_eq!(
        named,
        Err(Error::UnknownKeyId {
            kid: Excerpt::new("k2")
        })
    );
}

#[test]
fn providers_that_share_issuer_and_keys_are_told_apart_by_audience() {
    let keys = set(&ED25519, "k1");
    let text = format!(
        r#"[{{"issuer":"a","audience":"x","jwks":{keys}}},{{"issuer":"a","audience":"y","user_id_claim":"oid","jwks":{keys}}}]"#
    );
    let providers = list(&text);
    let of = |aud: &str| {
        let payload = format!(r#"{{"iss":"a","aud":{aud},"sub":"by sub","oid":"by oid"}}"#);
        judge(&token(&ED25519, "EdDSA", "k1", &payload), &providers)
    };
    assert_eq!(of(r#""x""#).unwrap().0.user_id.as_deref(), Some("by sub"));
    assert_eq!(of(r#""y""#).unwrap().0.user_id.as_deref(), Some("by oid"));
    assert_eq!(of(r#"["x","y"]"#), Err(Error::AmbiguousKey { candidates: 2 }));
    assert_eq!(of(r#""z""#), Err(Error::Audience { aud: excerpt("z") }));
}

#[test]
fn algorithms_narrow_what_a_key_allows() {
    let text = format!(r#"[{{"issuer":"a","algorithms":"PS256","jwks":{}}}]"#, set(&RSA, "k1"));
    let providers = list(&text);
    let payload = r#"{"iss":"a","sub":"u"}"#;
    assert!(judge(&token(&RSA, "PS256", "k1", payload), &providers).is_ok());
    let expected = Err(Error::AlgorithmMismatch { alg: Algorithm::RS256 });
    assert_eq!(judge(&token(&RSA, "RS256", "k1", payload), &providers), expected);
}

#[test]
fn a_provider_whose_keys_are_not_there_refuses_its_tokens() {
    let providers = list(r#"[{"issuer":"a","jwks_file":"/f"}]"#);
    assert_eq!(
        judge(&token(&ED25519, "EdDSA", "k1", r#"{"iss":"a"}"#), &providers),
        Err(Error::NoKeys)
    );
}
