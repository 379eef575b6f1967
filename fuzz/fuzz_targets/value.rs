//! Arbitrary text as a value of each kind of type: JSON comes out, and for a text the same text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sql_over_http::json;
use sql_over_http::value::Form;
use serde::de::IgnoredAny;

#[path = "../shapes.rs"]
#[allow(dead_code, reason = "each target has its kind of shapes")]
mod shapes;

fuzz_target!(init: shapes::write(&shapes::values()), |text: &str| {
    for oid in [16, 21, 23, 25, 114, 701, 1000, 1007, 1009, 1020, 1022, 3802, 3807] {
        let mut written = Vec::new();
        Form::of_type(oid).write(&mut written, text);
        serde_json::from_slice::<IgnoredAny>(&written).unwrap();
        // A quote takes six bytes at most.
        assert!(written.len() <= 6 * text.len() + 2);
    }
    let mut written = Vec::new();
    json::string(&mut written, text);
    assert_eq!(serde_json::from_slice::<String>(&written).unwrap(), text);
});
