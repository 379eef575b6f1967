//! The parameters of a statement: read from JSON straight into the form of a Bind message.
//!
//! No tree of JSON values is made, so the memory that a body takes is bounded by its size.

use std::borrow::Cow;
use std::fmt;

use bytes::BufMut as _;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// What one Bind message can have (PostgreSQL manual, "Message Formats": an Int16).
pub const MOST: usize = 65_535;

/// What an array of PostgreSQL can have (MAXDIM of src/include/utils/array.h).
const MAX_DIMENSIONS: usize = 6;

/// The driver sends strings and null only. Other clients may send any JSON: booleans, numbers and objects become their JSON
/// text as it is, so numbers keep their digits; arrays become PostgreSQL's array literals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    pub count: u16,
    /// For each parameter its length as Int32 and its text; -1 for NULL.
    pub encoded: Vec<u8>,
}

impl Parameters {
    fn push(&mut self, json: &str) -> Result<(), String> {
        self.count = self
            .count
            .checked_add(1)
            .ok_or_else(|| format!("a statement can have at most {MOST} parameters"))?;
        if json == "null" {
            self.encoded.put_i32(-1);
            return Ok(());
        }
        let length_at = self.encoded.len();
        self.encoded.put_i32(0);
        let text_at = self.encoded.len();
        match json.as_bytes().first() {
            Some(b'"') => self.encoded.extend_from_slice(string(json)?.as_bytes()),
            Some(b'[') => array(&mut self.encoded, json, 1)?,
            _ => self.encoded.extend_from_slice(json.as_bytes()),
        }
        let text = self.encoded.get(text_at..).unwrap_or_default();
        if text.contains(&0) {
            return Err("a parameter contains a null character".to_owned());
        }
        let length = i32::try_from(text.len()).map_err(|_| "a parameter is too long")?;
        if let Some(place) = self.encoded.get_mut(length_at..text_at) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Parameters, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Parameters;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array of parameters")
            }

            fn visit_unit<E>(self) -> Result<Parameters, E> {
                Ok(Parameters::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Parameters, A::Error> {
                let mut parameters = Parameters::default();
                while let Some(value) = list.next_element::<&RawValue>()? {
                    parameters.push(value.get()).map_err(A::Error::custom)?;
                }
                // A vector that has grown can be twice as large as what it holds.
                parameters.encoded.shrink_to_fit();
                Ok(parameters)
            }
        }
        deserializer.deserialize_any(List)
    }
}

/// The text of a JSON string.
fn string(json: &str) -> Result<Cow<'_, str>, &'static str> {
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(text) if !text.contains('\\') => Ok(Cow::Borrowed(text)),
        _ => serde_json::from_str(json)
            .map(Cow::Owned)
            .map_err(|_| "a parameter contains an invalid escape sequence"),
    }
}

/// Writes a JSON array as an array literal (PostgreSQL manual, "Array Input and Output Syntax").
fn array(into: &mut Vec<u8>, json: &str, dimensions: usize) -> Result<(), &'static str> {
    // Each dimension is scanned once more than the one around it, so the limit bounds the time, too.
    if dimensions > MAX_DIMENSIONS {
        return Err("a parameter contains an array of more than 6 dimensions");
    }
    let mut problem = None;
    let elements = Elements {
        into,
        dimensions,
        problem: &mut problem,
    };
    let read = serde_json::Deserializer::from_str(json).deserialize_seq(elements);
    match problem {
        Some(problem) => Err(problem),
        None => read.map_err(|_| "a parameter contains an invalid array"),
    }
}

struct Elements<'a> {
    into: &'a mut Vec<u8>,
    dimensions: usize,
    /// What is wrong with an element. An error of serde_json holds it only as a part of a text.
    problem: &'a mut Option<&'static str>,
}

impl Elements<'_> {
    fn element(&mut self, json: &str) -> Result<(), &'static str> {
        match json.as_bytes().first() {
            Some(b'n') => self.into.extend_from_slice(b"NULL"),
            Some(b'"') => quote(self.into, string(json)?.as_bytes()),
            Some(b'[') => array(self.into, json, self.dimensions + 1)?,
            Some(b'{') => quote(self.into, json.as_bytes()),
            _ => self.into.extend_from_slice(json.as_bytes()),
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.into.push(b'{');
        let mut first = true;
        while let Some(value) = list.next_element::<&RawValue>()? {
            if !first {
                self.into.push(b',');
            }
            first = false;
            self.element(value.get()).map_err(|problem| {
                *self.problem = Some(problem);
                A::Error::custom(problem)
            })?;
        }
        self.into.push(b'}');
        Ok(())
    }
}

/// An element of an array literal.
fn quote(into: &mut Vec<u8>, text: &[u8]) {
    into.push(b'"');
    for &byte in text {
        if matches!(byte, b'"' | b'\\') {
            into.push(b'\\');
        }
        into.push(byte);
    }
    into.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    /// Reads the encoded parameters again.
    fn texts(parameters: &Parameters) -> Vec<Option<String>> {
        let mut rest = parameters.encoded.as_slice();
        let mut texts = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = i32::from_be_bytes(*length);
            let (text, after) = after.split_at(usize::try_from(length).unwrap_or(0));
            texts.push((length >= 0).then(|| String::from_utf8(text.to_vec()).unwrap()));
            rest = after;
        }
        assert_eq!((rest.len(), texts.len()), (0, usize::from(parameters.count)));
        texts
    }

    #[rstest]
    #[case("null", None)]
    #[case(r#""""#, Some(""))]
    #[case(r#""a\"b\\cä\ud83d\ude00""#, Some("a\"b\\c\u{e4}\u{1f600}"))]
    #[case("true", Some("true"))]
    #[case("-1", Some("-1"))]
    #[case("18446744073709551615", Some("18446744073709551615"))]
    #[case("1.5", Some("1.5"))]
    #[case("[]", Some("{}"))]
    #[case(r#"[1, null, "null", true, "a\"b\\"]"#, Some(r#"{1,NULL,"null",true,"a\"b\\"}"#))]
    #[case("[[1,2],[3,4]]", Some("{{1,2},{3,4}}"))]
    #[case(
        r#"{"a": [1, {"b": "c\"d"}], "a": null}"#,
        Some(r#"{"a": [1, {"b": "c\"d"}], "a": null}"#)
    )]
    #[case(r#"[{"a": "b"}]"#, Some(r#"{"{\"a\": \"b\"}"}"#))]
    #[case(r#"["a\nb", ""]"#, Some("{\"a\nb\",\"\"}"))]
    #[case(r#"{"a": "\u0000"}"#, Some(r#"{"a": "\u0000"}"#))]
    #[case("0.10000000000000000000000000001", Some("0.10000000000000000000000000001"))]
    #[case("1E400", Some("1E400"))]
    #[case("[1E400, 0.10]", Some("{1E400,0.10}"))]
    fn one_value(#[case] json: &str, #[case] text: Option<&str>) {
        let parameters: Parameters = serde_json::from_str(&format!("[{json}]")).unwrap();
        assert_eq!(texts(&parameters), [text.map(str::to_owned)]);
    }

    #[test]
    fn none_by_null() {
        assert_eq!(
            serde_json::from_str::<Parameters>("null").unwrap(),
            Parameters::default()
        );
    }

    #[test]
    fn as_many_as_a_message_holds() {
        let list = |count: usize| format!("[{}]", vec!["1"; count].join(","));
        let most: Parameters = serde_json::from_str(&list(MOST)).unwrap();
        assert_eq!(usize::from(most.count), MOST);
        let error = serde_json::from_str::<Parameters>(&list(MOST + 1))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("a statement can have at most 65535 parameters"),
            "{error}"
        );
    }

    #[rstest]
    #[case(r#""a\u0000b""#)]
    #[case(r#"["a\u0000b"]"#)]
    fn no_null_character(#[case] json: &str) {
        let error = serde_json::from_str::<Parameters>(&format!("[{json}]"))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("a parameter contains a null character"), "{error}");
    }

    #[test]
    fn lone_surrogates_are_no_text() {
        let error = serde_json::from_str::<Parameters>(r#"["\ud800"]"#)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("a parameter contains an invalid escape sequence"),
            "{error}"
        );
    }

    #[test]
    fn dimensions_are_limited() {
        let nested = |depth: usize| format!("[{}1{}]", "[".repeat(depth), "]".repeat(depth));
        let parameters: Parameters = serde_json::from_str(&nested(6)).unwrap();
        assert_eq!(texts(&parameters), [Some("{{{{{{1}}}}}}".to_owned())]);
        for depth in [7, 1_000_000] {
            let error = serde_json::from_str::<Parameters>(&nested(depth))
                .unwrap_err()
                .to_string();
            assert!(
                error.starts_with("a parameter contains an array of more than 6 dimensions"),
                "{error}"
            );
        }
    }

    #[test]
    fn objects_have_any_depth() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
        let parameters: Parameters = serde_json::from_str(&format!("[{deep}]")).unwrap();
        assert_eq!(texts(&parameters), [Some(deep)]);
    }

    proptest! {
        #[test]
        fn any_strings_are_sent_as_they_are(strings in prop::collection::vec(prop::option::of("[^\\x00]{0,12}"), 0..6)) {
            let parameters: Parameters = serde_json::from_str(&serde_json::to_string(&strings).unwrap()).unwrap();
            prop_assert_eq!(texts(&parameters), strings);
        }
    }
}
