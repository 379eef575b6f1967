//! Arbitrary bytes as a token, against one key of each kind: no panic and no identity.
#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use pg_session_jwt_token::NumericDate;
use pg_session_jwt_token::validity::TokenId;
use pg_session_jwt_token::{KeySet, Validity, verify};

#[path = "../shapes.rs"]
#[allow(dead_code, reason = "each target has its kind of shapes")]
mod shapes;

/// Public keys whose private keys are discarded, so no input can be a valid token.
static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let ed25519 = Ed25519KeyPair::generate().unwrap();
    let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let (x, y) = p256.public_key().as_ref()[1..].split_at(32);
    let (ed25519, x, y, n) = (
        part(ed25519.public_key().as_ref()),
        part(x),
        part(y),
        part(&[0xA5; 256]),
    );
    let jwks = format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{ed25519}","kid":"o"}},{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}","kid":"e"}},{{"kty":"RSA","n":"{n}","e":"AQAB","kid":"r"}}]}}"#
    );
    KeySet::from_jwks(&jwks).unwrap()
});

fuzz_target!(init: shapes::write(&shapes::tokens()), |token: &[u8]| {
    let now = NumericDate::from_micros(1_800_000_000_000_000);
    let validity = Validity {
        now,
        leeway: 60,
        jti: TokenId::GreaterThan(7),
    };
    assert!(verify(token, &KEYS, &validity).is_err());
});
