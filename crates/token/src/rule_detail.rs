//! What met a rule, in the words of a report: numbers and names, as in the errors, and nothing else of the token.

use crate::claims::Claims;
use crate::compact::Header;
use crate::excerpt::Excerpt;
use crate::json::Json;
use crate::keys::Key;
use crate::rule::Rule;
use crate::time::NumericDate;
use crate::validity::Validity;

/// The size of a token.
pub(crate) fn size(token: &[u8]) -> String {
    format!("{} bytes", token.len())
}

/// The members of a header.
pub(crate) fn header_detail(header: &Header) -> String {
    let text = |name, value: &Option<String>| value.as_deref().map_or_else(String::new, |value| quoted(name, value));
    format!(
        "alg=\"{:?}\"{}{}",
        header.algorithm,
        text("kid", &header.kid),
        text("typ", &header.typ)
    )
}

/// The name of a key.
pub(crate) fn key_detail(key: &Key) -> String {
    match &key.kid {
        Some(kid) => format!("kid=\"{}\"", Excerpt::new(kid)),
        None => "the key has no kid".to_owned(),
    }
}

/// What met a rule of the provider.
pub(crate) fn detail(rule: Rule, header: &Header, claims: &Claims) -> String {
    match rule {
        Rule::Algorithms => format!("alg=\"{:?}\"", header.algorithm),
        Rule::TokenTypes => match &header.typ {
            Some(typ) => format!("typ=\"{}\"", Excerpt::new(typ)),
            None => "no typ".to_owned(),
        },
        Rule::Audience => match claims.get("aud") {
            Some(Json::Array(list)) => {
                let all: Vec<_> = list.iter().filter_map(Json::as_str).collect();
                format!("aud=\"{}\"", Excerpt::new(&all.join(", ")))
            }
            Some(aud) => format!("aud=\"{}\"", Excerpt::new(aud.as_str().unwrap_or_default())),
            None => "no aud".to_owned(),
        },
        Rule::SenderConstrained if claims.get("cnf").is_none() => "no cnf".to_owned(),
        _ => String::new(),
    }
}

/// A date, and what it was compared with.
pub(crate) fn date(name: &str, date: Option<NumericDate>, validity: &Validity) -> String {
    let Validity { now, leeway, .. } = validity;
    match date {
        Some(date) => format!("{name}={date}, now={now}, leeway={leeway}"),
        None => format!("no {name}"),
    }
}

/// A further name and its text.
pub(crate) fn quoted(name: &str, text: &str) -> String {
    format!(", {name}=\"{}\"", Excerpt::new(text))
}
