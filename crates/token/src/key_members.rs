//! The members of a key as values: absent ones, texts and base64.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::json::{Json, Members};
use crate::key_problem::KeyProblem;

/// The value of `member`. Some libraries write `null` or an empty list for what is not set: these are no value.
pub fn value<'a, 'b>(jwk: &'b Members<'a>, member: &str) -> Option<&'b Json<'a>> {
    jwk.get(member).filter(|value| match value {
        Json::Null => false,
        Json::Array(list) => !list.is_empty(),
        _ => true,
    })
}

/// The string `member`.
pub fn text<'a>(jwk: &'a Members, member: &'static str) -> Result<&'a str, KeyProblem> {
    optional_text(jwk, member)?.ok_or(KeyProblem::Member(member))
}

/// The string `member`, if it is present.
pub fn optional_text<'a>(jwk: &'a Members, member: &'static str) -> Result<Option<&'a str>, KeyProblem> {
    match value(jwk, member) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(KeyProblem::NotText(member)),
    }
}

/// The bytes of `member`. The alphabet of base64 and its padding (RFC 4648 §4) are accepted, too: the text of a key is its
/// provider's, and the bytes are the same.
pub fn bytes(jwk: &Members, member: &'static str) -> Result<Vec<u8>, KeyProblem> {
    base64(text(jwk, member)?).ok_or(KeyProblem::NotBase64Url(member))
}

/// The bytes of a text in base64url or base64, with or without padding.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    URL_SAFE_NO_PAD.decode(text).ok()
}
