//! Values as JSON, for a client that does not ask for PostgreSQL's text (Neon-Raw-Text-Output).
//!
//! Booleans, numbers that JavaScript holds exactly, floating-point numbers, JSON and arrays of these become JSON's. Everything
//! else stays a string.

use serde::de::IgnoredAny;

use crate::json;

/// How the values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    One(Scalar),
    Array {
        element: Scalar,
        /// `typdelim` of the element's type.
        delimiter: u8,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    String,
    Bool,
    /// A number where the text is one of JSON's; not `NaN` and `Infinity`.
    Number,
    Json,
}

impl Form {
    /// The form of a built-in type (PostgreSQL, src/include/catalog/pg_type.dat). OIDs of other types differ between
    /// databases, so their values stay strings.
    pub fn of_type(oid: u32) -> Form {
        let scalar = |oid| match oid {
            16 => Scalar::Bool,
            // int2, int4, float4, float8
            21 | 23 | 700 | 701 => Scalar::Number,
            114 | 3802 => Scalar::Json,
            _ => Scalar::String,
        };
        let element = match oid {
            1000 => Scalar::Bool,
            1005 | 1007 | 1021 | 1022 => Scalar::Number,
            199 | 3807 => Scalar::Json,
            _ if ARRAYS_OF_STRINGS.binary_search(&oid).is_ok() => Scalar::String,
            _ => return Form::One(scalar(oid)),
        };
        // box is the only type with another delimiter.
        Form::Array {
            element,
            delimiter: if oid == 1020 { b';' } else { b',' },
        }
    }

    /// Writes a value. A text that is not what the type promises becomes a string.
    pub fn write(self, into: &mut Vec<u8>, text: &str) {
        match self {
            Form::One(scalar) => scalar.write(into, text),
            Form::Array { element, delimiter } => {
                let start = into.len();
                if write_array(into, text, element, delimiter).is_none() {
                    into.truncate(start);
                    json::string(into, text);
                }
            }
        }
    }
}

impl Scalar {
    fn write(self, into: &mut Vec<u8>, text: &str) {
        match (self, text) {
            (Scalar::Bool, "t") => into.extend_from_slice(b"true"),
            (Scalar::Bool, "f") => into.extend_from_slice(b"false"),
            (Scalar::Number, _) if json::is_number(text.as_bytes()) => into.extend_from_slice(text.as_bytes()),
            // Without recursion, so at any depth.
            (Scalar::Json, _) if serde_json::from_str::<IgnoredAny>(text).is_ok() => {
                into.extend_from_slice(text.as_bytes());
            }
            _ => json::string(into, text),
        }
    }
}

/// Writes the output of array_out() as JSON, without its bounds. `None` if it is not that.
fn write_array(into: &mut Vec<u8>, text: &str, element: Scalar, delimiter: u8) -> Option<()> {
    let mut rest = text;
    if rest.starts_with('[') {
        rest = rest.split_once('=')?.1;
    }
    let mut depth = 0_usize;
    let mut unescaped = String::new();
    loop {
        // An element, or an array that begins.
        match rest.as_bytes().first()? {
            b'{' => {
                into.push(b'[');
                rest = rest.get(1..)?;
                depth += 1;
                if !rest.starts_with('}') {
                    continue;
                }
            }
            _ if depth == 0 => return None,
            b'"' => {
                rest = unquote(rest.get(1..)?, &mut unescaped)?;
                element.write(into, &unescaped);
            }
            _ => {
                let end = rest
                    .bytes()
                    .position(|byte| byte == delimiter || matches!(byte, b'{' | b'}' | b'"' | b'\\'))?;
                let (value, after) = rest.split_at(end);
                match value {
                    "" => return None,
                    "NULL" => into.extend_from_slice(b"null"),
                    value => element.write(into, value),
                }
                rest = after;
            }
        }
        // What follows it: the ends of arrays, then a delimiter or nothing.
        while let Some(after) = rest.strip_prefix('}') {
            into.push(b']');
            depth = depth.checked_sub(1)?;
            rest = after;
        }
        if depth == 0 {
            return rest.is_empty().then_some(());
        }
        if rest.as_bytes().first() != Some(&delimiter) {
            return None;
        }
        into.push(b',');
        rest = rest.get(1..)?;
    }
}

/// Reads a quoted element, behind its first quote, and returns the text behind its last.
fn unquote<'a>(mut rest: &'a str, into: &mut String) -> Option<&'a str> {
    into.clear();
    loop {
        let end = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\'))?;
        into.push_str(rest.get(..end)?);
        let is_end = rest.as_bytes().get(end) == Some(&b'"');
        rest = rest.get(end + 1..)?;
        if is_end {
            return Some(rest);
        }
        let escaped = rest.chars().next()?;
        into.push(escaped);
        rest = rest.get(escaped.len_utf8()..)?;
    }
}

/// The arrays of built-in types, in the order of their OIDs. The last two are new in PostgreSQL 19: oid8 and regdatabase.
#[rustfmt::skip]
const ARRAYS_OF_STRINGS: [u32; 77] = [
    143, 210, 270, 271, 272, 273, 629, 651, 719, 775, 791, 1001, 1002, 1003, 1006, 1008, 1009, 1010, 1011, 1012, 1013,
    1014, 1015, 1016, 1017, 1018, 1019, 1020, 1027, 1028, 1034, 1040, 1041, 1115, 1182, 1183, 1185, 1187, 1231, 1263,
    1270, 1561, 1563, 2201, 2207, 2208, 2209, 2210, 2211, 2287, 2949, 2951, 3221, 3643, 3644, 3645, 3735, 3770, 3905,
    3907, 3909, 3911, 3913, 3927, 4073, 4090, 4097, 4192, 5039, 6150, 6151, 6152, 6153, 6155, 6157,
    6442, 6491,
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn written(oid: u32, text: &str) -> String {
        let mut json = Vec::new();
        Form::of_type(oid).write(&mut json, text);
        String::from_utf8(json).unwrap()
    }

    #[rstest]
    #[case(16, "t", "true")]
    #[case(16, "f", "false")]
    #[case(21, "-32768", "-32768")]
    #[case(23, "2147483647", "2147483647")]
    #[case(20, "9223372036854775807", "\"9223372036854775807\"")]
    #[case(26, "16384", "\"16384\"")]
    #[case(1700, "0.10", "\"0.10\"")]
    #[case(700, "-0", "-0")]
    #[case(701, "0.1", "0.1")]
    #[case(701, "1e+30", "1e+30")]
    #[case(701, "NaN", "\"NaN\"")]
    #[case(701, "-Infinity", "\"-Infinity\"")]
    #[case(114, " {\"a\":\n[1]} ", " {\"a\":\n[1]} ")]
    #[case(114, "{\"a\": 1} , {}", "\"{\\\"a\\\": 1} , {}\"")]
    #[case(114, "", "\"\"")]
    #[case(3802, "null", "null")]
    #[case(3802, "1e400", "1e400")]
    #[case(25, "a\"b\\c\n\u{1}\u{e4}", "\"a\\\"b\\\\c\\n\\u0001\u{e4}\"")]
    #[case(22, "1 2", "\"1 2\"")]
    fn scalars(#[case] oid: u32, #[case] text: &str, #[case] json: &str) {
        assert_eq!(written(oid, text), json);
    }

    #[rstest]
    #[case(1007, "{1,NULL,3}", "[1,null,3]")]
    #[case(1007, "{}", "[]")]
    #[case(1007, "[0:1]={1,2}", "[1,2]")]
    #[case(1007, "[1:1][-2:-1]={{1,2}}", "[[1,2]]")]
    #[case(1007, "{{1,2},{3,4}}", "[[1,2],[3,4]]")]
    #[case(1000, "{t,f}", "[true,false]")]
    #[case(1009, r#"{a,"b,c","NULL",NULL,"\"\\",""}"#, r#"["a","b,c","NULL",null,"\"\\",""]"#)]
    #[case(1009, "{\"a b\",a;b,[1],\u{e4}}", "[\"a b\",\"a;b\",\"[1]\",\"\u{e4}\"]")]
    #[case(1009, "{\"{a}\",\"\n\"}", "[\"{a}\",\"\\n\"]")]
    #[case(1020, "{(1,1),(0,0);(2,2),(0,0)}", "[\"(1,1),(0,0)\",\"(2,2),(0,0)\"]")]
    #[case(3807, r#"{"{\"a\": 1}",null,NULL,"\"x\""}"#, r#"[{"a": 1},null,null,"x"]"#)]
    #[case(1022, "{1.5,NaN}", "[1.5,\"NaN\"]")]
    #[case(1016, "{1}", "[\"1\"]")]
    #[case(6442, "{18446744073709551615}", "[\"18446744073709551615\"]")]
    #[case(6491, "{postgres,NULL}", "[\"postgres\",null]")]
    #[case(2287, "{\"(1,a)\"}", "[\"(1,a)\"]")]
    fn arrays(#[case] oid: u32, #[case] text: &str, #[case] json: &str) {
        assert_eq!(written(oid, text), json);
    }

    #[rstest]
    #[case("")]
    #[case("1")]
    #[case("{")]
    #[case("{1")]
    #[case("{1}}")]
    #[case("{1},2")]
    #[case("{1,}")]
    #[case("{,1}")]
    #[case("{,}")]
    #[case("{1 {2}}")]
    #[case("{{1}2}")]
    #[case("{a{b}}")]
    #[case("[1:1]{1}")]
    fn what_is_no_array_stays_a_string(#[case] text: &str) {
        assert_eq!(written(1007, text), serde_json::to_string(text).unwrap());
    }

    #[test]
    fn arrays_of_users_types_stay_strings() {
        assert_eq!(written(90_000, "{1,2}"), "\"{1,2}\"");
    }

    #[test]
    fn arrays_are_in_order_and_known_once() {
        assert!(ARRAYS_OF_STRINGS.is_sorted_by(|one, next| one < next));
        for oid in [199, 1000, 1005, 1007, 1021, 1022, 3807] {
            assert!(ARRAYS_OF_STRINGS.binary_search(&oid).is_err(), "{oid}");
        }
    }

    #[test]
    fn any_depth_is_written() {
        let deep = format!("{}1{}", "{".repeat(100_000), "}".repeat(100_000));
        assert_eq!(written(1007, &deep), deep.replace('{', "[").replace('}', "]"));
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(written(114, &deep), deep);
    }

    proptest! {
        #[test]
        fn any_text_of_any_type_becomes_json(
            oid in prop::sample::select(vec![16_u32, 21, 114, 701, 1000, 1007, 1009, 1020, 3802, 3807]),
            text in "[a-z0-9{},;\"\\\\\\[\\]:=. -]{0,20}",
        ) {
            let json = written(oid, &text);
            prop_assert!(serde_json::from_str::<IgnoredAny>(&json).is_ok(), "{json}");
        }

        /// array_out() may quote any element.
        #[test]
        fn texts_of_an_array_are_read_as_they_were(texts in prop::collection::vec(".{0,10}", 1..5)) {
            let quoted = |text: &String| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            let literal = format!("{{{}}}", texts.iter().map(quoted).collect::<Vec<_>>().join(","));
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&written(1009, &literal)).unwrap(), texts);
        }
    }
}
