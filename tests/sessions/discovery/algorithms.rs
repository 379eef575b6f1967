//! The algorithms that a document announces narrow those of the keys, and widen nothing.

use testkit::key_server::Answer;
use testkit::messages;
use testkit::session::{init, now, rejects, rows, user_id};
use testkit::signer::Signer;

use crate::support::discovery::{Issuer, OPENID};
use crate::support::jwks_faults::presenting;
use crate::support::jwks_url::server_with;

const ANNOUNCED: &str = r#","id_token_signing_alg_values_supported""#;

#[test]
fn keys_of_other_algorithms_verify_nothing() {
    let (issuer, rsa) = (Issuer::at(""), Signer::rsa());
    let set = format!(r#"{{"keys":[{},{}]}}"#, rsa.jwk(r#""kid":"r""#), issuer.provider.jwk());
    let document = issuer.document(&format!(r#"{ANNOUNCED}:["RS256","HS256","none"]"#));
    issuer.server.answer(Answer::Paths(vec![
        (OPENID.to_owned(), Answer::Body(document)),
        ("/keys".to_owned(), Answer::Body(set)),
    ]));
    let server = server_with(&[issuer.entry("")], "");
    let mut client = server.connect("template1", "postgres", "");
    let payload = format!(r#"{{"iss":"{}","sub":"alice","exp":{}}}"#, issuer.url, now() + 60);
    let of = |alg: &str| rsa.token_with_header(alg, format!(r#"{{"alg":"{alg}","kid":"r","typ":"at+jwt"}}"#), &payload);
    init(&mut client, &of("RS256"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    for alg in ["RS512", "PS256"] {
        rejects(
            &mut client,
            &presenting(&of(alg)),
            "28000",
            messages::ALGORITHM_MISMATCH,
        );
    }
    let edwards = presenting(&issuer.provider.token("mallory"));
    rejects(&mut client, &edwards, "28000", messages::NO_KEY_OF_TOKEN);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    let shown = rows(&mut client, "select kid, usable, reason from auth.providers()");
    let shown: Vec<Vec<&str>> = shown
        .iter()
        .map(|row| row.iter().map(|value| value.as_deref().unwrap_or("-")).collect())
        .collect();
    let reason = "its issuer announces none of its algorithms";
    assert_eq!(shown, [["r", "t", "-"], ["k1", "f", reason]]);
}

#[test]
fn the_entry_s_own_algorithms_stay_the_limit() {
    let issuer = Issuer::at("");
    issuer.publish(OPENID, &format!(r#"{ANNOUNCED}:["RS256","ES256","EdDSA"]"#));
    let server = server_with(&[issuer.entry(r#","algorithms":"ES256""#)], "");
    let mut client = server.connect("template1", "postgres", "");
    let token = presenting(&issuer.provider.token("mallory"));
    rejects(&mut client, &token, "28000", messages::ALGORITHM_MISMATCH);
    assert_eq!(user_id(&mut client), None);
}
