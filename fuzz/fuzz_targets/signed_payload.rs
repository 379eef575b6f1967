//! Arbitrary bytes as the payload of a validly signed token: the claims of every identity are JSON that can be stored.
#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::{Corpus, fuzz_target};
use pg_session_jwt_token::NumericDate;
use pg_session_jwt_token::identity::{FlatIdentity, IdentityText};
use pg_session_jwt_token::json::{parse, unescape_non_ascii};
use pg_session_jwt_token::validity::TokenId;
use pg_session_jwt_token::{KeySet, Validity, verify};
use serde_json::Value;

#[path = "../shapes.rs"]
#[allow(dead_code, reason = "each target has its kind of shapes")]
mod shapes;

const SECRET: [u8; 32] = [7; 32];

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let k = URL_SAFE_NO_PAD.encode(SECRET);
    KeySet::from_jwks(&format!(r#"{{"keys":[{{"kty":"oct","k":"{k}"}}]}}"#)).unwrap()
});

fuzz_target!(init: shapes::write(&shapes::payloads()), |payload: &[u8]| -> Corpus {
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let signing_input = format!("{}.{}", part(br#"{"alg":"HS256"}"#), part(payload));
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &SECRET), signing_input.as_bytes());
    let token = format!("{signing_input}.{}", part(mac.as_ref()));
    let now = NumericDate::from_micros(1_800_000_000_000_000);
    let validity = Validity {
        now,
        leeway: 60,
        jti: TokenId::Any,
    };
    let Ok(identity) = verify(token.as_bytes(), &KEYS, &validity) else {
        return Corpus::Keep;
    };
    assert_eq!(identity.claims.as_bytes(), payload);
    let claims: Value = serde_json::from_str(&identity.claims).unwrap();
    assert!(claims.is_object());
    // serde_json escapes U+0000, and writes a backslash as two.
    assert!(!claims.to_string().replace(r"\\", "").contains(r"\u0000"));
    assert_eq!(identity.user_id.as_deref(), claims.get("sub").and_then(Value::as_str));
    assert_eq!(parse(&unescape_non_ascii(&identity.claims)), parse(&identity.claims));
    let bytes = identity.to_bytes(|text| Some(text.as_bytes().into())).unwrap();
    let flat = FlatIdentity::new(&bytes);
    assert_eq!(flat.text(IdentityText::Claims), Some(payload));
    assert_eq!(flat.text(IdentityText::UserId), identity.user_id.as_deref().map(str::as_bytes));
    assert_eq!(
        (flat.expires(), flat.not_before(), flat.jti()),
        (identity.expires, identity.not_before, identity.jti)
    );
    Corpus::Keep
});
