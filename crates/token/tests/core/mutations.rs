//! Tokens, payloads and keys changed at random: none is accepted, none is half read, none makes the verifier panic.
//!
//! A small, repeatable share of what the fuzz targets do for longer.

use pg_session_jwt_token::{Error, KeySet};
use proptest::collection::vec;
use proptest::prelude::{Just, prop_oneof};
use proptest::sample::select;
use serde_json::Value;
use testkit::cases::check;

use crate::flat_identity::assert_round_trip;
use crate::random::{mutation, object};
use crate::sign::{ED25519, HMAC, P256, RSA, set, verify_now};

const CLAIMS: &str = r#"{"sub":"alice","exp":1900000000.5,"jti":7,"o":{"id":"x"},"list":[1,"\u00e4",null]}"#;

/// attack: 48
#[test]
fn a_changed_token_is_never_trusted() {
    let signers = [
        ("EdDSA", &*ED25519),
        ("ES256", &*P256),
        ("HS256", &*HMAC),
        ("RS256", &*RSA),
    ];
    let keys = set(&signers.map(|(alg, signer)| signer.jwk(&format!(r#""kid":"{alg}""#)))).unwrap();
    let tokens = signers.map(|(alg, signer)| {
        signer
            .token_with_header(alg, format!(r#"{{"alg":"{alg}","kid":"{alg}"}}"#), CLAIMS)
            .into_bytes()
    });
    let (mut same, mut wrong_signatures) = (0, 0);
    let changed = (select(tokens.to_vec()), vec(mutation(), 1..=3));
    check(0x5eed_0004, 12_000, &changed, |(original, mutations)| {
        let mut token = original.clone();
        mutations.iter().for_each(|mutation| mutation.apply(&mut token));
        let outcome = verify_now(&token, &keys);
        assert_eq!(outcome.is_ok(), token == original, "{}", token.escape_ascii());
        same += usize::from(outcome.is_ok());
        wrong_signatures += usize::from(outcome == Err(Error::Signature));
    });
    assert!(
        same < 1_000 && wrong_signatures > 2_000,
        "{same} unchanged, {wrong_signatures} got as far as the signature"
    );
}

/// attack: 48
#[test]
fn a_signed_payload_is_read_as_a_whole_or_rejected() {
    let keys = set(&[HMAC.jwk("")]).unwrap();
    let (mut kept, mut rejected) = (0, 0);
    let text = prop_oneof![Just(CLAIMS.to_owned()), object(4)];
    check(
        0x5eed_0005,
        6_000,
        &(text, vec(mutation(), 0..4)),
        |(text, mutations)| {
            let mut payload = text.into_bytes();
            mutations.iter().for_each(|mutation| mutation.apply(&mut payload));
            match verify_now(HMAC.token("HS256", &payload), &keys) {
                Ok(identity) => {
                    kept += 1;
                    assert_eq!(identity.claims.as_bytes(), payload);
                    let claims: Value = serde_json::from_str(&identity.claims).unwrap();
                    // serde_json writes U+0000 as an escape, and a backslash as two.
                    let nul = claims.to_string().replace(r"\\", "").contains(r"\u0000");
                    assert!(claims.is_object() && !nul, "{}", identity.claims);
                    assert_eq!(identity.user_id.as_deref(), claims.get("sub").and_then(Value::as_str));
                    assert_round_trip(&identity, |text| Some(text.as_bytes().into()));
                }
                Err(Error::NotJson { .. } | Error::ClaimDate { .. } | Error::Expired { .. }) => rejected += 1,
                Err(other) => panic!("{other:?}: {}", payload.escape_ascii()),
            }
        },
    );
    assert!(kept > 1_000 && rejected > 1_000, "{kept} kept, {rejected} rejected");
}

#[test]
fn a_changed_key_is_another_key_or_none() {
    let (mut loaded, mut rejected) = (0, 0);
    for (alg, signer, member) in [("EdDSA", &*ED25519, "x"), ("ES256", &*P256, "x"), ("RS256", &*RSA, "n")] {
        let jwks = format!(r#"{{"keys":[{}]}}"#, signer.jwk(r#""use":"sig""#));
        let (token, value) = (signer.token(alg, "{}"), material(&jwks, member));
        check(0x5eed_0006, 1_500, &mutation(), |mutation| {
            let mut text = jwks.clone().into_bytes();
            mutation.apply(&mut text);
            let Ok(text) = String::from_utf8(text) else { return };
            match KeySet::from_jwks(&text) {
                Ok(keys) => {
                    loaded += 1;
                    let same = material(&text, member) == value;
                    assert!(same || verify_now(&token, &keys) == Err(Error::Signature), "{text}");
                }
                Err(_) => rejected += 1,
            }
        });
    }
    assert!(loaded > 200 && rejected > 200, "{loaded} loaded, {rejected} rejected");
}

/// What the one key of a set is made of, in base64url: standard base64 and padding are accepted in keys.
fn material(jwks: &str, member: &str) -> Option<String> {
    let set: Value = serde_json::from_str(jwks).unwrap();
    let text = set["keys"][0][member].as_str()?;
    Some(text.trim_end_matches('=').replace('+', "-").replace('/', "_"))
}
