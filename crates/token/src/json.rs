//! JSON text to a tree, under the rules that a token's header, a payload and a key share.
//!
//! serde_json parses (strict RFC 8259, UTF-8, no lone surrogates); what it leaves open is decided here:
//! a member name may occur once (RFC 7515 §4, RFC 7519 §4), nesting is bounded before it is entered, no string
//! holds U+0000, and a number is one that both a double and PostgreSQL's numeric can hold. So whatever passes can be
//! stored as jsonb, and the text that was checked is the text that is used: there is no second parser to disagree.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Nesting of arrays and objects. 64 is far beyond any provider's token and far below every stack in use.
pub const MAX_DEPTH: usize = 64;

/// Characters of one number. A double needs 309 digits at most (RFC 8259 §6 sets this as the interoperable range);
/// PostgreSQL's numeric takes 131072 before and 16383 after the point ("Numeric Types" in its documentation).
pub const MAX_NUMBER_CHARS: usize = 400;

/// Decimal exponent of a number, either way: serde_json refuses what overflows a double but reads 1e-999999 as 0,
/// which numeric refuses, and each such number would be as long as its exponent when printed.
pub const MAX_EXPONENT: u32 = 400;

/// One JSON value. Strings without escapes are borrowed from the text.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number without fraction and exponent that fits i64.
    Integer(i64),
    /// Any other number, rounded to a double. The exact digits stay in the text.
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
/// What is wrong, in words, with the line and column; never a piece of the text.
pub fn parse(text: &str) -> Result<Json<'_>, String> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let tree = Value { depth: 0 }
        .deserialize(&mut deserializer)
        .map_err(|error| describe(&error))?;
    deserializer.end().map_err(|error| describe(&error))?;
    check_numbers(text)?;
    Ok(tree)
}

/// As [`parse`], for a text that must be an object.
///
/// # Errors
/// As [`parse`], and for any other value.
pub fn parse_object(text: &str) -> Result<Members<'_>, String> {
    match parse(text)? {
        Json::Object(members) => Ok(members),
        _ => Err("it is not an object".to_owned()),
    }
}

/// serde_json's own messages name a type or a character class, never the input; ours are written below.
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
            _ => Err(E::custom(format_args!("nested more than {MAX_DEPTH} deep"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

fn without_nul<'a, E: serde::de::Error>(text: Cow<'a, str>) -> Result<Cow<'a, str>, E> {
    if text.contains('\0') {
        Err(E::custom("a string holds U+0000"))
    } else {
        Ok(text)
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
            reason = "there is no From<u64> for f64; rounding is what is wanted"
        )]
        Ok(i64::try_from(value).map_or(Json::Number(value as f64), Json::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value))
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Json<'de>, E> {
        without_nul(Cow::Borrowed(text)).map(Json::String)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Json<'de>, E> {
        without_nul(Cow::Owned(text.to_owned())).map(Json::String)
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

/// Looks at the digits of every number of a text that is already known to be valid JSON.
fn check_numbers(text: &str) -> Result<(), String> {
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        match first {
            b'"' => rest = after_string(tail),
            b'-' | b'0'..=b'9' => {
                let end = rest
                    .iter()
                    .position(|byte| !matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
                let (number, tail) = rest.split_at(end.unwrap_or(rest.len()));
                check_number(number)?;
                rest = tail;
            }
            _ => rest = tail,
        }
    }
    Ok(())
}

/// What follows the string whose opening quote is before `rest`.
fn after_string(mut rest: &[u8]) -> &[u8] {
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match byte {
            b'"' => return tail,
            b'\\' => tail.split_first().map_or(tail, |(_, after)| after),
            _ => tail,
        };
    }
    rest
}

fn check_number(number: &[u8]) -> Result<(), String> {
    let exponent = number
        .iter()
        .position(|byte| byte.eq_ignore_ascii_case(&b'e'))
        .map_or(Ok(0), |at| {
            let digits = number
                .iter()
                .skip(at)
                .copied()
                .filter(u8::is_ascii_digit)
                .map(char::from)
                .collect::<String>();
            digits.parse::<u32>()
        });
    if number.len() <= MAX_NUMBER_CHARS && exponent.is_ok_and(|exponent| exponent <= MAX_EXPONENT) {
        Ok(())
    } else {
        Err(format!(
            "a number has more than {MAX_NUMBER_CHARS} characters or an exponent beyond {MAX_EXPONENT}"
        ))
    }
}

/// The same JSON with every `\uXXXX` escape of a non-ASCII character replaced by the character itself.
///
/// A database whose encoding is not UTF-8 converts the text as a whole; escapes in it would be converted later, by
/// jsonb's parser, which raises an error for those that the encoding does not have (and in SQL_ASCII for all).
/// `text` must have passed [`parse`].
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
