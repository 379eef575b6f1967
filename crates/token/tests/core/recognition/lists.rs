//! The list that is set, with an entry more.

use pg_session_jwt_token::recognition::list::List;
use pg_session_jwt_token::{Error, provider};
use rstest::rstest;

use crate::sign::{ED25519, HMAC, P256};

const FIRST: &str = r#"{"issuer": "https://a.example", "jwks_url": "https://a.example/keys"}"#;
const SECOND: &str = r#"{"issuer": "https://b.example", "audience": "x", "jwks_url": "https://b.example/keys"}"#;

fn list(text: &str) -> List {
    List::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

#[test]
fn entry_is_added_and_none_is_dropped() {
    for (before, after) in [
        (String::new(), format!("[{SECOND}]")),
        (" \n".to_owned(), format!("[{SECOND}]")),
        (format!("[{FIRST}]"), format!("[{FIRST}, {SECOND}]")),
        (format!("\n[ {FIRST}\n ]\n"), format!("[ {FIRST}, {SECOND}]")),
        (
            r#"[{"audience": "ä😀", "jwks_url": "https://a.example/keys"}]"#.to_owned(),
            format!(r#"[{{"audience": "\u00e4\ud83d\ude00", "jwks_url": "https://a.example/keys"}}, {SECOND}]"#),
        ),
    ] {
        let mut list = list(&before);
        list.add(SECOND);
        assert_eq!(list.text(), after);
        let added = provider::parse(&after).unwrap();
        let count = provider::parse(&before).map_or(0, |list| list.len());
        assert_eq!(added.len(), count + 1);
    }
    let mut two = list("");
    two.add(FIRST);
    two.add(SECOND);
    assert_eq!(two.text(), format!("[{FIRST}, {SECOND}]"));
}

#[test]
fn unusable_lists_and_secrets_are_rejected() {
    for (text, index, problem) in [
        ("[]", None, "has 0 providers; 1 to 100 are allowed"),
        ("{}", None, "is not an array"),
        (
            r#"[{"issuer": "a", "jwks": {"keys": [{"kty": "oct", "alg": "HS256", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}}]"#,
            Some(0),
            "has a symmetric key where others can read it",
        ),
    ] {
        let expected = Error::Providers {
            index,
            problem: problem.to_owned(),
        };
        assert_eq!(List::parse(text).map(|_| ()), Err(expected), "{text}");
    }
}

/// Others could read the text of a key that is not even used.
#[rstest]
#[case::private(P256.jwk(r#""kid":"2","d":"AA""#))]
#[case::encryption(HMAC.jwk(r#""kid":"2","use":"enc""#))]
#[case::unknown_algorithm(HMAC.jwk(r#""kid":"2","alg":"A256KW""#))]
#[case::too_short(r#"{"kty":"oct","kid":"2","alg":"HS256","k":"AA"}"#.to_owned())]
fn unused_private_keys_are_rejected(#[case] unused: String) {
    let with = |more: &str| {
        let key = ED25519.jwk(r#""kid":"1""#);
        format!(r#"[{{"issuer":"a","jwks":{{"keys":[{key}{more}]}}}}]"#)
    };
    assert!(List::parse(&with("")).is_ok());
    let text = with(&format!(",{unused}"));
    assert!(provider::parse_public(&text).is_ok(), "{text}");
    let expected = Error::Providers {
        index: Some(0),
        problem: "has a private or symmetric key, which others must not read".to_owned(),
    };
    assert_eq!(List::parse(&text).map(|_| ()), Err(expected), "{text}");
}

/// A token that fits two providers is ambiguous, and rejected.
#[rstest]
#[case::same("", "", true)]
#[case::same_audience(r#","audience":"x""#, r#","audience":["y","x"]"#, true)]
#[case::other_audience(r#","audience":"x""#, r#","audience":"y""#, false)]
#[case::any_audience("", r#","audience":"y""#, true)]
#[case::same_claim(r#","claims":{"azp":"x"}"#, r#","claims":{"azp":["x","y"]}"#, true)]
#[case::other_claim(r#","claims":{"azp":"x"}"#, r#","claims":{"azp":"y"}"#, false)]
#[case::another_claim(r#","claims":{"azp":"x"}"#, r#","claims":{"org":"x"}"#, true)]
#[case::present_claim(r#","claims":{"azp":{"present":true}}"#, r#","claims":{"azp":"x"}"#, true)]
#[case::any_claim("", r#","claims":{"azp":"x"}"#, true)]
fn provider_that_accepts_the_same_tokens(#[case] present: &str, #[case] new: &str, #[case] expected: bool) {
    let entry = |issuer: &str, url: &str, more: &str| {
        format!(r#"{{"issuer":"{issuer}","jwks_url":"https://a.example/{url}"{more}}}"#)
    };
    let list = list(&format!("[{FIRST},{}]", entry("i", "keys", present)));
    assert_eq!(list.provider_like(&entry("i", "keys", new)), expected.then_some(1));
    assert_eq!(list.provider_like(&entry("j", "keys", new)), None);
    assert_eq!(list.provider_like(&entry("i", "other", new)), None);
}
