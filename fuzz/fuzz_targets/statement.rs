//! Arbitrary text as a statement and as a connection string: no panic, nothing that white space and comments change, and
//! no error that contains a password.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sql_over_http::{connection_string, statement};

#[path = "../shapes.rs"]
#[allow(dead_code, reason = "each target has its kind of shapes")]
mod shapes;

fuzz_target!(init: shapes::write(&shapes::statements()), |text: &str| {
    let rejection = statement::rejection(text);
    for before in [" \t\u{b}\n", ";;", "-- commit\n", "/* /* rollback */ -- */"] {
        assert_eq!(statement::rejection(&format!("{before}{text}")), rejection);
    }
    assert_eq!(statement::rejection(&format!("select {text}")), None);
    assert!(statement::rejection(&format!("commit/**/{text}")).is_some());

    if let Ok(address) = connection_string::parse(text) {
        assert!(!address.user.is_empty() && !address.user.contains('\0'));
    }
    let secret = "5d1c7e";
    let string = format!("postgresql://user:{secret}@{text}");
    let shown = match connection_string::parse(&string) {
        Ok(address) => format!("{address:?}"),
        Err(failure) => format!("{failure:?}"),
    };
    assert!(text.contains(secret) || text.contains('@') || !shown.contains(secret));
});
