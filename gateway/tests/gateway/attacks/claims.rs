//! Unusual tokens that the provider has signed: they mean what they say, and nothing else.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::forgeries::HEADER;
use testkit::malleable::negated_p256;
use testkit::messages;
use testkit::session::now;
use testkit::signer::{HMAC, P256, RSA, part};

use super::scene::{MALLORY, Scene, WHO, victim};
use super::tokens::answers;
use crate::BOB;

/// attack: 7, 11, 16, 46
#[rstest]
#[case(r#"{"alg":"Ed25519","kid":"k1"}"#)]
#[case(r#"{"alg":"EdDSA"}"#)]
#[case(r#"{"alg":"EdDSA","kid":"k1","typ":"at+jwt"}"#)]
#[case(r#"{"alg":"EdDSA","kid":"k1","cty":"JWT","zip":"DEF","enc":"A256GCM"}"#)]
fn another_header_is_the_same_user(#[case] header: &str) {
    let scene = Scene::shared();
    let claims = victim().payload(&format!(r#""sub":"{MALLORY}""#));
    let token = victim().signed(header, claims);
    assert_eq!(scene.gateway.with(&token).rows(WHO), json!([[MALLORY, "own"]]));
    scene.unharmed();
}

/// attack: 31
#[test]
fn one_signature_in_two_encodings() {
    let scene = Scene::shared();
    let claims = victim().payload(&format!(r#""sub":"{MALLORY}""#));
    let good = P256.token_with_header("ES256", r#"{"alg":"ES256","kid":"k3"}"#, claims);
    let (input, _) = good.rsplit_once('.').unwrap();
    let signature = P256.sign("ES256", input.as_bytes());
    let mut changed = negated_p256(&signature);
    let twin = format!("{input}.{}", part(&changed));
    for token in [&good, &twin, &good] {
        assert_eq!(scene.gateway.with(token).rows(WHO), json!([[MALLORY, "own"]]));
    }
    changed[63] ^= 1;
    let changed = format!("{input}.{}", part(changed));
    for (status, body) in answers(&scene, &changed) {
        assert_eq!((status, &body["message"]), (400, &json!(messages::INVALID_SIGNATURE)));
    }
}

/// All keys of the server are keys: a rejection is not for want of one.
/// attack: 1
#[test]
fn every_key_verifies() {
    let scene = Scene::shared();
    for (signer, alg, kid) in [(&*RSA, "PS512", "k2"), (&*P256, "ES256", "k3"), (&*HMAC, "HS512", "k4")] {
        let header = format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
        let token = signer.token_with_header(alg, header, victim().payload(&format!(r#""sub":"{MALLORY}""#)));
        assert_eq!(scene.gateway.with(&token).rows(WHO), json!([[MALLORY, "own"]]), "{alg}");
    }
}

/// What the provider signs about her is what the functions return, and nothing else.
/// attack: 25, 57, 58, 59
#[rstest]
#[case(r#""sub":7"#, "select auth.user_id()", json!("28000"))]
#[case(r#""sub":["{bob}"]"#, "select auth.user_id()", json!("28000"))]
#[case(r#""sub":{"id":"{bob}"}"#, "select count(*) from public.todos", json!("28000"))]
#[case(r#""sub":null"#, "select auth.uid(), auth.organization()", json!([[null, null]]))]
#[case(r#""user_id":"{bob}""#, WHO, json!([[null, null]]))]
#[case(r#""sub":"{mallory}","role":"postgres""#, "select auth.role(), current_user", json!([["postgres", "authenticated"]]))]
#[case(r#""sub":"{mallory}","role":"pg_read_all_data""#, WHO, json!([[MALLORY, "own"]]))]
#[case(r#""sub":"{mallory}","role":["postgres"],"email":{},"o":7"#, "select auth.role(), auth.email(), auth.organization()", json!([[null, null, null]]))]
#[case(r#""sub":"{mallory}","o":{"id":"acme"}"#, "select auth.organization_id()", json!([[null]]))]
#[case(r#""sub":"{mallory}","n":12345678901234567890123"#, "select auth.session() ->> 'n'", json!([["12345678901234567890123"]]))]
#[case(r#""sub":"{mallory}","n":9007199254740993"#, "select auth.jwt() ->> 'n'", json!([["9007199254740993"]]))]
#[case(r#""sub":"{mallory}","n":0.1000000000000000055511151231257827"#, "select auth.session() ->> 'n'", json!([["0.1000000000000000055511151231257827"]]))]
fn unusual_claims(#[case] members: &str, #[case] sql: &str, #[case] expected: Value) {
    let scene = Scene::shared();
    let token = victim().token_with(&scene.sql(members));
    let client = scene.gateway.with(&token);
    assert_eq!(scene.answer(&client, &[sql]), expected);
}

/// A user id that only resembles bob's is another user.
/// attack: 153
#[rstest]
#[case(&BOB.to_uppercase())]
#[case(&BOB.replace('-', ""))]
#[case(&format!("{{{BOB}}}"))]
#[case(&format!(" {BOB}"))]
#[case(&format!("{BOB} "))]
#[case(&format!("{BOB}\u{a0}"))]
#[case(&format!("\u{202e}{BOB}"))]
#[case(&format!("{BOB}\u{200b}"))]
#[case(&format!("urn:uuid:{BOB}"))]
fn another_spelling_of_a_user_id(#[case] user: &str) {
    let scene = Scene::shared();
    let token = victim().token(user);
    let asked = "select auth.user_id(), auth.uid(), (select count(*) from public.todos)";
    let client = scene.gateway.with(&token);
    assert_eq!(scene.answer(&client, &[asked]), json!([[user, null, "0"]]));
}

/// attack: 49, 51
#[test]
fn lifetimes() {
    let scene = Scene::shared();
    let token = |dates: &str| victim().signed(HEADER, victim().payload_of(&format!(r#""sub":"{MALLORY}"{dates}"#)));
    let exp = format!(r#","exp":{}"#, now() + 600);
    // The leeway is a minute.
    for dates in [
        format!(r#","exp":{}"#, now() - 50),
        format!(r#"{exp},"nbf":{}"#, now() + 50),
    ] {
        let client = scene.gateway.with(&token(&dates));
        assert_eq!(scene.answer(&client, &[WHO]), json!([[MALLORY, "own"]]), "{dates}");
    }
    for (dates, message) in [
        (format!(r#","exp":{}"#, now() - 60), messages::EXPIRED),
        (format!(r#"{exp},"nbf":{}"#, now() + 70), messages::NOT_YET_VALID),
        (String::new(), messages::NO_EXPIRY),
    ] {
        for (status, body) in answers(&scene, &token(&dates)) {
            assert_eq!(
                (status, &body["code"], &body["message"]),
                (400, &json!("28000"), &json!(message))
            );
        }
    }
}
