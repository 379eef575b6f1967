//! Writes an entry of the list of providers as JSON, in ASCII: the same text is then right in each database encoding.

use crate::recognition::known::Entry;
use crate::recognition::pattern;
use crate::recognition::values::{Value, Values};

/// The entry with these values. Names without a value stay in it as placeholders.
pub fn write(entry: &'static Entry, values: &Values) -> String {
    let mut members = vec![("issuer", text(entry.issuer, values))];
    members.extend(
        entry
            .audience
            .and_then(|audience| Some(("audience", member(audience, values)?))),
    );
    members.extend(entry.jwks_url.map(|url| ("jwks_url", text(url, values))));
    let rules: Vec<(&str, String)> = entry
        .claims
        .iter()
        .filter_map(|(claim, value)| Some((*claim, member(value, values)?)))
        .collect();
    if !rules.is_empty() {
        members.push(("claims", object(&rules)));
    }
    members.extend(entry.user_id_claim.map(|claim| ("user_id_claim", quoted(claim))));
    members.extend(entry.algorithms.map(|name| ("algorithms", list(&[name]))));
    members.push(("roles", list(&[entry.roles])));
    object(&members)
}

/// All patterns of an entry.
pub fn patterns(entry: &'static Entry) -> impl Iterator<Item = &'static str> {
    [Some(entry.issuer), entry.jwks_url, entry.audience]
        .into_iter()
        .flatten()
        .chain(entry.claims.iter().map(|(_, value)| *value))
}

/// `jwks_url` with these values.
pub fn key_set_url(entry: &'static Entry, values: &Values) -> Option<String> {
    entry.jwks_url.map(|url| pattern::filled(url, |name| values.text(name)))
}

/// The value of a member; None where it is left out.
fn member(pattern: &'static str, values: &Values) -> Option<String> {
    match pattern::only_name(pattern).and_then(|name| values.get(name)) {
        Some(Value::LeftOut) => None,
        Some(Value::Many(texts)) => Some(list(texts)),
        Some(Value::One(_)) | None => Some(text(pattern, values)),
    }
}

fn text(pattern: &'static str, values: &Values) -> String {
    quoted(&pattern::filled(pattern, |name| values.text(name)))
}

/// A JSON object of these members, whose values are JSON.
pub fn object(members: &[(&str, String)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{}: {value}", quoted(name)))
        .collect();
    format!("{{{}}}", members.join(", "))
}

fn list(texts: &[impl AsRef<str>]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

/// A text as a JSON string.
pub fn quoted(text: &str) -> String {
    ascii(&serde_json::Value::from(text).to_string())
}

/// The same JSON with an escape for each character beyond ASCII, which only strings can contain.
pub fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}
