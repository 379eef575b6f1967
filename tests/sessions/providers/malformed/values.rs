//! Values of `pg_session_jwt.providers` that cannot be used, each for another reason.

use testkit::provider::Provider;

pub struct Malformed {
    pub value: String,
    /// How the DETAIL begins.
    pub problem: &'static str,
}

/// All of them; `provider` is one that could be used.
pub fn values(provider: &Provider) -> Vec<Malformed> {
    let (entry, keys) = (provider.entry(""), provider.key_set());
    let nothings = |count: usize| vec!["{}"; count].join(",");
    [
        (" ".to_owned(), "The problem: EOF while parsing a value"),
        ("not JSON".to_owned(), "The problem: expected ident"),
        ("null".to_owned(), "The problem: it is not an array."),
        ("{}".to_owned(), "The problem: it is not an array."),
        (
            "[]".to_owned(),
            "The problem: it has 0 providers; 1 to 100 are possible.",
        ),
        (format!("[{entry}] {entry}"), "The problem: trailing characters"),
        (
            format!(r#"[{{"issuer":"a","issuer":"b","jwks":{keys}}}]"#),
            "The problem: an object has the same member twice",
        ),
        (
            format!("{}{}", "[".repeat(65), "]".repeat(65)),
            "The problem: nested more than 64 deep",
        ),
        (
            format!("[{}]", nothings(101)),
            "The problem: it has 101 providers; 1 to 100 are possible.",
        ),
        (
            format!(r#"[{{"issuer":"a","jwks":{{"keys":[{}]}}}}]"#, nothings(101)),
            "Provider 1: the text is not a JSON Web Key",
        ),
        (
            format!(r#"[{{"issuer":"a","audiences":"b","jwks":{keys}}}]"#),
            "Provider 1: it has an unknown member \"audiences\".",
        ),
        (
            format!(r#"[{{"jwks":{keys}}}]"#),
            "Provider 1: it has neither \"issuer\" nor \"audience\"; at least one is required.",
        ),
        (
            format!(r#"[{{"issuer":"a","jwks":{keys},"jwks_file":"/keys.json"}}]"#),
            "Provider 1: it must have exactly one of \"jwks\", \"jwks_file\" and \"jwks_url\".",
        ),
        (
            format!(r#"[{entry},{{"issuer":"b","jwks":{{"keys":[{{"kty":"RSA","n":"AQAB","e":"AQAB"}}]}}}}]"#),
            "Provider 2: the key set has no usable key",
        ),
    ]
    .map(|(value, problem)| Malformed { value, problem })
    .into()
}
