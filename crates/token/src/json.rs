//! JSON text to a tree, by the common rules for headers, payloads, keys and settings.
//!
//! serde_json parses (strict RFC 8259, UTF-8, no lone surrogates). This module adds the rules that serde_json leaves open:
//! - a member name occurs once in an object (RFC 7515 §4, RFC 7519 §4);
//! - nesting is bounded before it is entered;
//! - no string contains U+0000;
//! - a double and PostgreSQL's numeric can hold every number.
//!
//! An accepted text can therefore be stored as jsonb. The text that was checked is also the text that is used, so no second
//! parser can disagree.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::json_numbers;

/// The maximum nesting of arrays and objects. 64 is far beyond any provider's token and far below every stack in use.
pub const MAX_DEPTH: usize = 64;

/// One JSON value. Strings without escapes are borrowed from the text.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number without a fraction or exponent that fits i64.
    Integer(i64),
    /// Any other number, rounded to a double. The text retains the exact digits.
    Number(f64),
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object; names are unique.
    Object(Members<'a>),
}

impl Json<'_> {
    /// The string, if the value is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Json::String(text) = self {
            Some(text)
        } else {
            None
        }
    }
}

/// The members of an object in the order of the text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Members<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Members<'a> {
    /// The value of the member `name`.
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.0.iter().find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The names and values in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }
}

/// Parses one JSON text.
///
/// # Errors
/// A text that says what is wrong, mostly with the line and column, and never quotes the input.
pub fn parse(text: &str) -> Result<Json<'_>, String> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let tree = Value { depth: 0 }
        .deserialize(&mut deserializer)
        .map_err(|error| describe(&error))?;
    deserializer.end().map_err(|error| describe(&error))?;
    // A number that was not rounded has 20 characters at most. Without others, the second pass is left out.
    if has_rounded_number(&tree) {
        json_numbers::check(text)?;
    }
    Ok(tree)
}

/// Whether a tree, which has at most [`MAX_DEPTH`] levels, has a number that does not fit i64.
fn has_rounded_number(tree: &Json<'_>) -> bool {
    match tree {
        Json::Null | Json::Bool(_) | Json::Integer(_) | Json::String(_) => false,
        Json::Number(_) => true,
        Json::Array(elements) => elements.iter().any(has_rounded_number),
        Json::Object(members) => members.iter().any(|(_, value)| has_rounded_number(value)),
    }
}

/// Like [`parse`], for a text that must be an object.
///
/// # Errors
/// Those of [`parse`], and one for any other value.
pub fn parse_object(text: &str) -> Result<Members<'_>, String> {
    match parse(text)? {
        Json::Object(members) => Ok(members),
        _ => Err("it is not an object".to_owned()),
    }
}

/// The text of an error: one of the messages below, or one of serde_json. The latter name a type or a character class, but
/// never quote the input.
fn describe(error: &serde_json::Error) -> String {
    error.to_string()
}

#[derive(Clone, Copy)]
struct Value {
    depth: usize,
}

impl Value {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_add(1) {
            Some(depth) if depth <= MAX_DEPTH => Ok(Value { depth }),
            _ => Err(E::custom(format_args!("nested more than {MAX_DEPTH} levels deep"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        #[expect(
            clippy::as_conversions,
            reason = "there is no From<u64> for f64, and rounding is intended"
        )]
        Ok(i64::try_from(value).map_or(Json::Number(value as f64), Json::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value))
    }

    /// A string without escapes. It contains no U+0000, because serde_json rejects control characters that are not escaped.
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Borrowed(text)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Json<'de>, E> {
        if text.contains('\0') {
            return Err(E::custom("a string contains U+0000"));
        }
        Ok(Json::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(inner)? {
            array.push(element);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut members = Vec::new();
        while let Some(name) = entries.next_key_seed(Value { depth: self.depth })? {
            let Json::String(name) = name else {
                return Err(A::Error::custom("a member name is not a string"));
            };
            members.push((name, entries.next_value_seed(inner)?));
        }
        let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(A::Error::custom("an object has the same member twice"));
        }
        Ok(Json::Object(Members(members)))
    }
}

/// Returns the same JSON with every `\uXXXX` escape of a non-ASCII character replaced by the character itself.
///
/// A database whose encoding is not UTF-8 converts the text as a whole. Escapes in it would be converted later, by jsonb's
/// parser, which raises an error for characters that the encoding lacks (and in SQL_ASCII for all).
/// [`parse`] must have accepted `text`.
pub fn unescape_non_ascii(text: &str) -> Cow<'_, str> {
    if !text.contains("\\u") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        // A surrogate pair is twelve characters, any other \u escape six, all others two.
        let (length, character) = match unicode_escape(escape) {
            Some(high @ 0xD800..=0xDBFF) => {
                let low = escape.get(6..).and_then(unicode_escape).unwrap_or(0);
                let pair = char::decode_utf16([high, low]).next().and_then(Result::ok);
                (12, pair)
            }
            Some(unit) => (
                6,
                char::from_u32(u32::from(unit)).filter(|character| !character.is_ascii()),
            ),
            None => (2, None),
        };
        let (escape, tail) = escape.split_at_checked(length).unwrap_or((escape, ""));
        match character {
            Some(character) => out.push(character),
            None => out.push_str(escape),
        }
        rest = tail;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn unicode_escape(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}
