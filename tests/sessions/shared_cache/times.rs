//! Times are compared at each use, also of a token that another session has verified.

use std::thread::sleep;
use std::time::Duration;

use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{Rejection, now, rejection, rejects, rejects_token, run, user_id};

use crate::shared_cache::support::{CACHED, ELSEWHERE, NEW, Session, database, origin, trusted};

fn present(token: &str) -> String {
    format!("select auth.jwt_session_init('{token}')")
}

#[test]
fn a_token_that_has_expired_meanwhile_is_rejected() {
    let (provider, database) = trusted(&CACHED);
    let token = provider.token_with(&format!(r#""sub":"alice","exp":{}"#, now() - 57));
    assert_eq!(origin(&CACHED, &database, &token), NEW);
    let mut session = Session::new(&CACHED, &database);
    assert_eq!(session.origin(&token), ELSEWHERE);
    sleep(Duration::from_millis(3500));
    rejects(&mut session.client, "select auth.user_id()", "28000", messages::EXPIRED);
    run(&mut session.client, "reset pg_session_jwt.jwt");
    rejects_token(&mut session.client, &token, "28000", messages::EXPIRED);
    let mut fresh = Session::new(&CACHED, &database);
    rejects_token(&mut fresh.client, &token, "28000", messages::EXPIRED);
    assert_eq!(fresh.origins(), [""; 0]);
}

#[test]
fn the_leeway_of_the_session_counts() {
    let (provider, database) = trusted(&CACHED);
    let old = provider.token_with(&format!(r#""sub":"alice","exp":{}"#, now() - 30));
    let early = provider.token_with(&format!(r#""sub":"alice","nbf":{}"#, now() + 30));
    for (token, message) in [(old, messages::EXPIRED), (early, messages::NOT_YET_VALID)] {
        assert_eq!(origin(&CACHED, &database, &token), NEW);
        let mut session = Session::with(&CACHED, &database, "postgres", "-c pg_session_jwt.leeway=0");
        rejects_token(&mut session.client, &token, "28000", message);
        assert_eq!(origin(&CACHED, &database, &token), ELSEWHERE);
    }
}

/// The error does not depend on whether another session has verified the token.
#[test]
fn a_token_over_its_max_age_is_rejected_like_a_new_one() {
    let provider = Provider::new("a");
    let database = database(&CACHED, &[provider.entry(r#","max_age":60"#)], "");
    let iat = now() - 117;
    let token = |sub: &str| provider.token_with(&format!(r#""sub":"{sub}","iat":{iat},"exp":{}"#, iat + 3600));
    let (shared, never) = (token("alice"), token("bob"));
    assert_eq!(origin(&CACHED, &database, &shared), NEW);
    let mut open = Session::new(&CACHED, &database);
    assert_eq!(open.origin(&shared), ELSEWHERE);
    assert_eq!(user_id(&mut open.client).as_deref(), Some("alice"));
    sleep(Duration::from_millis(3500));
    rejects(&mut open.client, "select auth.user_id()", "28000", messages::EXPIRED);
    let rejection_of = |token: &str| {
        let mut session = Session::new(&CACHED, &database);
        let rejection = rejection(&mut session.client, &format!("begin; {}", present(token)));
        Rejection {
            // It has the current time.
            detail: rejection
                .detail
                .map(|detail| detail.split("now=").next().unwrap().to_owned()),
            ..rejection
        }
    };
    let expected = rejection_of(&never);
    assert_eq!(expected.message, messages::TOO_OLD);
    assert_eq!(rejection_of(&shared), expected);
}
