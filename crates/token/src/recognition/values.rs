//! The values of the names in patterns: from a URL, and from the person who calls the function.

use crate::excerpt::Excerpt;
use crate::json::{self, Json};
use crate::placeholder;
use crate::recognition::known::{FillIn, Kind};
use crate::uuid;

/// The maximum number of bytes of the values that a person gives.
pub const MAX_BYTES: usize = 16 * 1024;

/// The maximum number of texts of a list, which is that of the rules for claims.
const MAX_TEXTS: usize = 100;

/// The maximum number of bytes of a part of a URL.
const MAX_WORD_BYTES: usize = 128;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    One(String),
    /// A list of texts.
    Many(Vec<String>),
    /// The member or rule is left out.
    LeftOut,
}

/// Names, and what they stand for.
#[derive(Debug, Default)]
pub struct Values(Vec<(&'static str, Value)>);

impl Values {
    /// Adds a name.
    pub fn add(&mut self, name: &'static str, value: Value) {
        self.0.push((name, value));
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find_map(|(known, value)| (*known == name).then_some(value))
    }

    /// The value of a name that is one text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Value::One(text)) => Some(text),
            _ => None,
        }
    }

    /// Adds the members of a JSON object, whose names must be among those that are missing.
    ///
    /// # Errors
    /// What is wrong with the object, as the predicate of a sentence.
    pub fn add_all(&mut self, object: &str, missing: &[&'static FillIn]) -> Result<(), String> {
        if object.len() > MAX_BYTES {
            return Err(format!("have {} bytes; the limit is {MAX_BYTES}", object.len()));
        }
        let members = json::parse_object(object).map_err(|problem| format!("were rejected: {problem}"))?;
        for (name, value) in members.iter() {
            let Some(fill_in) = missing.iter().find(|missing| missing.name == name) else {
                let names: Vec<&str> = missing.iter().map(|missing| missing.name).collect();
                return Err(format!(
                    "have a member \"{}\"; those to fill in here are: {}",
                    Excerpt::new(name),
                    if names.is_empty() {
                        "none".to_owned()
                    } else {
                        names.join(", ")
                    }
                ));
            };
            let value = read(value, fill_in).ok_or_else(|| requirement(fill_in))?;
            self.add(fill_in.name, value);
        }
        Ok(())
    }
}

/// Whether a URL has such a value.
pub fn is_word(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Guid => uuid::parse(text).is_some(),
        Kind::Word | Kind::Texts => true,
    }
}

fn read(value: &Json<'_>, fill_in: &FillIn) -> Option<Value> {
    match (value, fill_in.kind) {
        (Json::Null, _) if fill_in.may_be_left_out => Some(Value::LeftOut),
        (Json::Array(list), Kind::Texts) if (1..=MAX_TEXTS).contains(&list.len()) => list
            .iter()
            .map(|element| one(element, Kind::Texts))
            .collect::<Option<_>>()
            .map(Value::Many),
        (value, kind) => one(value, kind).map(Value::One),
    }
}

/// A text of this kind. A placeholder would be a forgotten one.
fn one(value: &Json<'_>, kind: Kind) -> Option<String> {
    let text = value.as_str()?;
    let fits = match kind {
        Kind::Texts => !text.is_empty() && placeholder::find(text).is_none(),
        Kind::Guid => uuid::parse(text).is_some(),
        Kind::Word => {
            text.len() <= MAX_WORD_BYTES
                && text.bytes().any(|byte| byte.is_ascii_alphanumeric())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~'))
        }
    };
    fits.then(|| text.to_owned())
}

/// What the value must be.
fn requirement(fill_in: &FillIn) -> String {
    let required = match fill_in.kind {
        Kind::Texts if fill_in.may_be_left_out => "a text, a list of texts or null",
        Kind::Texts => "a text or a list of texts",
        Kind::Word => "letters, digits, hyphens, dots and underscores",
        Kind::Guid => "a GUID in lower case",
    };
    format!("have an invalid \"{}\": {required} is required", fill_in.name)
}
