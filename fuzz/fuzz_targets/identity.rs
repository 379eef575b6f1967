//! Arbitrary bytes as a flat identity: the readers stay within them. Arbitrary texts as an identity: they are read back.
#![no_main]

use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use pg_session_jwt_token::Identity;
use pg_session_jwt_token::identity::{FlatIdentity, IdentityText};

#[path = "../shapes.rs"]
#[allow(dead_code, reason = "each target has its kind of shapes")]
mod shapes;

fuzz_target!(init: shapes::write(&shapes::payloads()), |bytes: &[u8]| {
    let flat = FlatIdentity::new(bytes);
    let _ = (
        flat.uid(),
        flat.organization_id(),
        flat.expires(),
        flat.not_before(),
        flat.jti(),
    );
    for text in [
        IdentityText::UserId,
        IdentityText::Issuer,
        IdentityText::KeyId,
        IdentityText::Role,
        IdentityText::Email,
        IdentityText::Claims,
    ] {
        assert!(flat.text(text).is_none_or(|text| text.len() <= bytes.len()));
    }
    let mut input = Unstructured::new(bytes);
    let Ok((user_id, kid, claims, jti)) = input.arbitrary::<(Option<String>, Option<String>, String, Option<i64>)>()
    else {
        return;
    };
    let identity = Identity {
        user_id,
        kid,
        claims,
        jti,
        ..Identity::default()
    };
    let bytes = identity.to_bytes(|text| Some(text.as_bytes().into())).unwrap();
    let flat = FlatIdentity::new(&bytes);
    assert_eq!(flat.text(IdentityText::UserId), identity.user_id.as_deref().map(str::as_bytes));
    assert_eq!(flat.text(IdentityText::KeyId), identity.kid.as_deref().map(str::as_bytes));
    assert_eq!(flat.text(IdentityText::Issuer), None);
    assert_eq!(flat.text(IdentityText::Claims), Some(identity.claims.as_bytes()));
    assert_eq!((flat.uid(), flat.jti()), (identity.uid(), identity.jti));
});
