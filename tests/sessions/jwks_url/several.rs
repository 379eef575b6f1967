//! Several URLs of one issuer: a token waits for the URL that has not been fetched yet, whatever the others contain.

use std::time::Duration;

use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::loading::PRELOADED;
use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{init, now, one, rejection, run, user_id};
use testkit::signer::{P256, Signer};

use crate::support::jwks_faults::presenting;
use crate::support::jwks_url::server_with;
use crate::support::key_fetcher::rejects_init;

/// Two providers of one issuer, for the audiences `x` and `y`.
fn entries(first: &KeyServer, second: &KeyServer) -> [String; 2] {
    [("x", first), ("y", second)].map(|(audience, keys)| {
        format!(
            r#"{{"issuer":"a","audience":"{audience}","jwks_url":"{}"}}"#,
            keys.url()
        )
    })
}

fn for_audience(audience: &str) -> String {
    format!(r#""sub":"of {audience}","aud":"{audience}","exp":{}"#, now() + 60)
}

/// Presents a token of the second URL while only the first one has been fetched.
#[track_caller]
fn is_accepted(first_set: String, second_set: String, first_token: &str, second_token: &str) {
    let first = KeyServer::start(Answer::Body(first_set));
    let second = KeyServer::start(Answer::Later(Duration::from_secs(2), second_set));
    let mut client = PRELOADED.connect(&PRELOADED.database(), "postgres", "");
    let [of_first, of_second] = entries(&first, &second);
    run(&mut client, &format!("set pg_session_jwt.providers = '[{of_first}]'"));
    init(&mut client, first_token);
    run(
        &mut client,
        &format!("set pg_session_jwt.providers = '[{of_first},{of_second}]'"),
    );
    init(&mut client, second_token);
    assert_eq!(user_id(&mut client).as_deref(), Some("of y"));
    let place = "select provider from auth.status()";
    assert_eq!(one::<i32>(&mut client, place), 2);
    init(&mut client, first_token);
    assert_eq!(one::<i32>(&mut client, place), 1);
    assert_eq!(second.requests(), 1);
}

#[test]
fn kid_missing_in_the_first_set_waits_for_the_second() {
    let (first, second) = (Provider::new("a"), Provider::with_kid("a", "k2"));
    is_accepted(
        first.key_set(),
        second.key_set(),
        &first.token_with(&for_audience("x")),
        &second.token_with(&for_audience("y")),
    );
}

#[test]
fn kid_of_an_unsuitable_key_waits_for_the_second_set() {
    let (first, second) = (Provider::new("a"), Provider::new("a"));
    is_accepted(
        first.key_set(),
        second.key_set(),
        &first.token_with(&for_audience("x")),
        &second.token_with(&for_audience("y")),
    );
}

#[test]
fn shared_key_waits_for_the_second_set_by_audience() {
    let both = Provider::new("a");
    is_accepted(
        both.key_set(),
        both.key_set(),
        &both.token_with(&for_audience("x")),
        &both.token_with(&for_audience("y")),
    );
}

#[test]
fn a_token_without_kid_waits_for_the_second() {
    let (first, second) = (Signer::ed25519(), Signer::ed25519());
    let set = |signer: &Signer| format!(r#"{{"keys":[{}]}}"#, signer.jwk(""));
    let payload = |audience: &str| format!(r#"{{"iss":"a",{}}}"#, for_audience(audience));
    let of_first = first.token("EdDSA", payload("x"));
    // The first set has a suitable key for one of the tokens, and none for the other.
    for (set_of_second, of_second) in [
        (set(&second), second.token("EdDSA", payload("y"))),
        (set(&P256), P256.token("ES256", payload("y"))),
    ] {
        is_accepted(set(&first), set_of_second, &of_first, &of_second);
    }
}

#[test]
fn rejection_message_is_the_same_after_the_wait() {
    let (first, mallory) = (Provider::new("a"), Provider::new("a"));
    let known = KeyServer::start(Answer::Body(first.key_set()));
    let down = KeyServer::start(Answer::Status(500));
    let mut client = PRELOADED.connect(&PRELOADED.database(), "postgres", "");
    run(
        &mut client,
        &format!(
            "set pg_session_jwt.providers = '[{}]'",
            entries(&known, &down).join(",")
        ),
    );
    for _ in 0..2 {
        let forged = rejection(&mut client, &presenting(&mallory.token_with(&for_audience("x"))));
        assert_eq!(
            (forged.sqlstate.as_str(), forged.message.as_str()),
            ("28000", messages::INVALID_SIGNATURE)
        );
    }
    // A valid token needs no other set, and an expired one is rejected with any.
    init(&mut client, &first.token_with(&for_audience("x")));
    assert_eq!(user_id(&mut client).as_deref(), Some("of x"));
    let late = first.token_with(r#""sub":"alice","aud":"x","exp":1"#);
    rejects_init(&mut client, &late, "28000", messages::EXPIRED);
}

#[test]
fn rotation_is_noticed_beside_an_unfetched_url() {
    let (old, new) = (Provider::new("a"), Provider::with_kid("a", "k2"));
    let down = KeyServer::start(Answer::Status(500));
    let keys = KeyServer::start(Answer::Body(old.key_set()));
    let server = server_with(&entries(&down, &keys), "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &old.token_with(&for_audience("y")));
    let failed = "select min(last_error) = 'server returned HTTP status 500' from auth.providers() where provider = 1";
    wait_until("the fault", || one(&mut client, failed));
    keys.answer(Answer::Body(new.key_set()));
    init(&mut client, &new.token_with(&for_audience("y")));
    assert_eq!(user_id(&mut client).as_deref(), Some("of y"));
    assert_eq!(keys.requests(), 2);
}
