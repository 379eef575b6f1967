//! Unusable values of `pg_session_jwt.providers`, each with a different fault.

use testkit::provider::Provider;

pub struct Malformed {
    pub value: String,
    /// The beginning of the DETAIL.
    pub problem: &'static str,
}

/// All of them; `provider` is a usable one.
pub fn values(provider: &Provider) -> Vec<Malformed> {
    let (entry, keys) = (provider.entry(""), provider.key_set());
    let nothings = |count: usize| vec!["{}"; count].join(",");
    [
        (" ".to_owned(), "The list was rejected: "),
        ("not JSON".to_owned(), "The list was rejected: "),
        ("null".to_owned(), "The list is not an array."),
        ("{}".to_owned(), "The list is not an array."),
        ("[]".to_owned(), "The list has 0 providers; 1 to 100 are allowed."),
        (format!("[{entry}] {entry}"), "The list was rejected: "),
        (
            format!(r#"[{{"issuer":"a","issuer":"b","jwks":{keys}}}]"#),
            "The list was rejected: an object has the same member twice",
        ),
        (
            format!("{}{}", "[".repeat(65), "]".repeat(65)),
            "The list was rejected: nested more than 64 levels deep",
        ),
        (
            format!("[{}]", nothings(101)),
            "The list has 101 providers; 1 to 100 are allowed.",
        ),
        (
            format!(r#"[{{"issuer":"a","jwks":{{"keys":[{}]}}}}]"#, nothings(101)),
            "Provider 1 has an invalid \"jwks\": text is not a JSON Web Key",
        ),
        (
            format!(r#"[{{"issuer":"a","audiences":"b","jwks":{keys}}}]"#),
            "Provider 1 has an unknown member \"audiences\".",
        ),
        (
            format!(r#"[{{"jwks":{keys}}}]"#),
            "Provider 1 must have \"issuer\" or \"audience\".",
        ),
        (
            format!(r#"[{{"issuer":"a","jwks":{keys},"jwks_file":"/keys.json"}}]"#),
            "Provider 1 must have at most one of \"jwks\", \"jwks_file\", \"jwks_url\" and \"discovery_url\".",
        ),
        (
            format!(r#"[{entry},{{"issuer":"b","jwks":{{"keys":[{{"kty":"RSA","n":"AQAB","e":"AQAB"}}]}}}}]"#),
            "Provider 2 has an invalid \"jwks\": key set has no usable key",
        ),
    ]
    .map(|(value, problem)| Malformed { value, problem })
    .into()
}
