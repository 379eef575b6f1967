//! Arbitrary text as a key and as a key set: no panic, and a valid key is also valid in a set.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pg_session_jwt_token::KeySet;
use pg_session_jwt_token::json::parse;
use pg_session_jwt_token::keys::Key;
use pg_session_jwt_token::limits::MAX_KEY_SET_BYTES;

#[path = "../shapes.rs"]
#[allow(dead_code, reason = "each target has its kind of shapes")]
mod shapes;

fuzz_target!(init: shapes::write(&shapes::jwks()), |text: &str| {
    let _ = KeySet::from_jwks(text);
    let alone = Key::from_public_jwk(text).is_ok();
    let set = format!(r#"{{"keys":[{text}]}}"#);
    // In a set it is nested two levels deeper and is twelve bytes longer.
    if alone && set.len() <= MAX_KEY_SET_BYTES && parse(&set).is_ok() {
        KeySet::from_public_jwks(&set).unwrap();
    }
});
