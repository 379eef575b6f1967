//! The values that a person fills in, and entries that lack some.

use pg_session_jwt_token::recognition::values::MAX_BYTES;
use pg_session_jwt_token::recognition::{Problem, recognize, table};
use pg_session_jwt_token::{Error, provider};

use super::recognized;

const AUTH0: &str = "https://shop.eu.auth0.com/";
const ENTRA: &str = "https://login.microsoftonline.com/common/v2.0";
const NEON: &str = "https://ep-a.aws.neon.tech";

#[track_caller]
fn problem(url: &str, fill_in: &str) -> String {
    match recognize(url, fill_in) {
        Err(Problem::FillIn(problem)) => problem,
        other => panic!("{fill_in}: {other:?}"),
    }
}

#[test]
fn entry_with_a_placeholder_is_rejected_by_the_setting() {
    for (url, missing, problem) in [
        (
            AUTH0,
            vec!["audience"],
            r#"has the placeholder "<audience>" in "audience": replace it"#,
        ),
        (
            "https://a.clerk.accounts.dev",
            vec!["azp"],
            r#"has the placeholder "<azp>" in its rules for claims: replace it"#,
        ),
        (
            ENTRA,
            vec!["tenant_id", "audience"],
            r#"has the placeholder "<tenant_id>" in "issuer": replace it"#,
        ),
        (
            NEON,
            vec!["database"],
            r#"has the placeholder "<database>" in "jwks_url": replace it"#,
        ),
    ] {
        let (_, entries, found) = recognized(url, "{}");
        assert_eq!(found, missing, "{url}");
        let expected = Error::Providers {
            index: Some(0),
            problem: problem.to_owned(),
        };
        assert_eq!(provider::parse(&format!("[{}]", entries[0])).unwrap_err(), expected);
    }
}

#[test]
fn texts_that_only_resemble_placeholders_are_accepted() {
    for audience in ["<", ">", "<>", "a<b", "a > b", "<1>", "<a/b>", "><", "urn:<é>"] {
        let list = format!(r#"[{{"issuer": "a", "audience": "{audience}", "jwks_url": "https://a.example/keys"}}]"#);
        assert_eq!(provider::parse(&list).unwrap()[0].audience, [audience]);
    }
}

#[test]
fn values_become_members() {
    let audience = |fill_in: &str| recognized(AUTH0, fill_in).1.remove(0);
    let entry = |audience: &str| {
        format!(
            r#"{{"issuer": "https://shop.eu.auth0.com/", "audience": {audience}, "jwks_url": "https://shop.eu.auth0.com/.well-known/jwks.json", "roles": ["authenticated"]}}"#
        )
    };
    assert_eq!(audience(r#"{"audience": ["a", "b"]}"#), entry(r#"["a", "b"]"#));
    let quoted = r#""it's \"quoted\" \\ \u00e4\ud83d\ude00""#;
    assert_eq!(audience(r#"{"audience": "it's \"quoted\" \\ ä😀"}"#), entry(quoted));
}

#[test]
fn unknown_names_and_unfit_values_are_rejected() {
    let one = "have an invalid \"audience\": a text or a list of texts is required";
    for value in [
        "null",
        "1",
        "true",
        r#""""#,
        "[]",
        r#"[""]"#,
        "[1]",
        "{}",
        r#""<audience>""#,
        r#"["<a b>"]"#,
    ] {
        assert_eq!(problem(AUTH0, &format!(r#"{{"audience": {value}}}"#)), one, "{value}");
    }
    assert_eq!(
        problem(AUTH0, r#"{"issuer": "https://evil.example"}"#),
        "have a member \"issuer\"; those to fill in here are: audience"
    );
    assert_eq!(
        problem("https://a.supabase.co", r#"{"audience": "x"}"#),
        "have a member \"audience\"; those to fill in here are: none"
    );
    let guid = "have an invalid \"tenant_id\": a GUID in lower case is required";
    for value in [
        "common",
        "9122040D-6C67-4C5B-B112-36A304B66DAD",
        "9122040d-6c67-4c5b-b112-36a304b66da/",
    ] {
        assert_eq!(
            problem(ENTRA, &format!(r#"{{"tenant_id": "{value}"}}"#)),
            guid,
            "{value}"
        );
    }
    let word = "have an invalid \"database\": letters, digits, hyphens, dots and underscores is required";
    for value in ["a/b", "..", ".", "a b", "é", "a?b", "a#b", "@", "%2e", &"a".repeat(129)] {
        assert_eq!(problem(NEON, &format!(r#"{{"database": "{value}"}}"#)), word, "{value}");
    }
    assert!(recognize(NEON, &format!(r#"{{"database": "{}"}}"#, "a".repeat(128))).is_ok());
}

#[test]
fn values_have_limits() {
    let texts = |count: usize| format!(r#"{{"audience": [{}]}}"#, vec![r#""a""#; count].join(","));
    assert!(recognize(AUTH0, &texts(100)).is_ok());
    assert_eq!(
        problem(AUTH0, &texts(101)),
        "have an invalid \"audience\": a text or a list of texts is required"
    );
    let of_length = |bytes: usize| format!(r#"{{"audience": "{}"}}"#, "a".repeat(bytes - 16));
    assert_eq!(of_length(MAX_BYTES).len(), MAX_BYTES);
    assert!(recognize(AUTH0, &of_length(MAX_BYTES)).is_ok());
    assert_eq!(
        problem(AUTH0, &of_length(MAX_BYTES + 1)),
        "have 16385 bytes; the limit is 16384"
    );
    assert_eq!(problem(AUTH0, "[]"), "were rejected: it is not an object");
}

#[test]
fn every_name_in_the_table_has_a_value_or_is_to_fill_in() {
    use pg_session_jwt_token::recognition::{entry, pattern};
    for known in table::providers().chain([&table::OTHER]) {
        for form in known.forms {
            for url in form.urls {
                for name in form.entries.iter().flat_map(entry::patterns).flat_map(pattern::names) {
                    let is_known = pattern::names(url).contains(&name);
                    let is_asked = form.to_fill_in.iter().any(|fill_in| fill_in.name == name);
                    assert!(is_known || is_asked, "{} {url}: {name}", known.name);
                }
            }
        }
    }
}
