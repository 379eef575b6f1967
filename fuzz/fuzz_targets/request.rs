//! Arbitrary bytes as the body of a request: no panic, and the same statements as an independent parser reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sql_over_http::parameters::Parameters;
use sql_over_http::request::{Body, Statement, parse_body};
use serde_json::Value;

#[path = "../shapes.rs"]
#[allow(dead_code, reason = "each target has its kind of shapes")]
mod shapes;

const MAX_STATEMENTS: usize = 8;

fuzz_target!(init: shapes::write(&shapes::bodies()), |body: &[u8]| {
    let Ok(read) = parse_body(body, MAX_STATEMENTS) else { return };
    // serde_json::Value reads no number that is too large for f64, and no string in an ignored member that is not UTF-8.
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return };
    match read {
        Body::Single(statement) => compare(&statement, &value),
        Body::Batch(statements) => {
            assert!(statements.len() <= MAX_STATEMENTS);
            let values = value["queries"].as_array().unwrap();
            assert_eq!(statements.len(), values.len());
            statements.iter().zip(values).for_each(|(statement, value)| compare(statement, value));
        }
    }
});

fn compare(statement: &Statement, value: &Value) {
    assert_eq!(Some(statement.sql.as_str()), value["query"].as_str());
    assert!(!statement.sql.contains('\0'));
    assert_eq!(statement.array_mode, value.get("arrayMode").and_then(Value::as_bool));
    let none = Vec::new();
    let values = value.get("params").and_then(Value::as_array).unwrap_or(&none);
    let texts = texts(&statement.parameters);
    assert_eq!(texts.len(), values.len());
    for (text, value) in texts.iter().zip(values) {
        match value {
            Value::Null => assert_eq!(*text, None),
            Value::String(string) => assert_eq!(*text, Some(string.as_str())),
            Value::Array(_) => assert!(text.is_some_and(|text| text.starts_with('{') && text.ends_with('}'))),
            value => assert_eq!(serde_json::from_str::<Value>(text.unwrap()).unwrap(), *value),
        }
    }
}

/// Reads the values of a Bind message.
fn texts(parameters: &Parameters) -> Vec<Option<&str>> {
    let mut rest = parameters.encoded.as_slice();
    let mut texts = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = i32::from_be_bytes(*length);
        assert!(length >= -1);
        let (text, after) = after.split_at(usize::try_from(length).unwrap_or(0));
        let text = std::str::from_utf8(text).unwrap();
        assert!(!text.contains('\0'));
        texts.push((length >= 0).then_some(text));
        rest = after;
    }
    assert!(rest.is_empty());
    assert_eq!(texts.len(), usize::from(parameters.count));
    texts
}
