//! `leeway` of a provider: when a token is presented, when it is repeated, and at each use of its identity.

use testkit::messages;
use testkit::provider::{Provider, database};
use testkit::server::SHARED;
use testkit::session::{init, now, one, rejection, rejects, rejects_token, run, user_id};

#[test]
fn a_provider_s_leeway_replaces_the_setting() {
    let (strict, usual, generous) = (Provider::new("a"), Provider::new("b"), Provider::new("c"));
    let entries = [
        strict.entry(r#","leeway":0"#),
        usual.entry(""),
        generous.entry(r#","leeway":300"#),
    ];
    let mut client = SHARED.connect(&database(&entries), "postgres", "");
    let expired =
        |provider: &Provider, ago: i64| provider.token_with(&format!(r#""sub":"alice","exp":{}"#, now() - ago));
    for (provider, accepted, rejected) in [(&strict, -30, 1), (&usual, 30, 61), (&generous, 270, 301)] {
        rejects_token(&mut client, &expired(provider, rejected), "28000", messages::EXPIRED);
        init(&mut client, &expired(provider, accepted));
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    }
    // The setting does not count for the provider's identity, nor for its token presented again.
    let token = expired(&generous, 200);
    init(&mut client, &token);
    run(&mut client, "set pg_session_jwt.leeway = 0");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    init(&mut client, &token);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    rejects_token(&mut client, &expired(&usual, 1), "28000", messages::EXPIRED);
    let early = generous.token_with(&format!(r#""sub":"bob","nbf":{}"#, now() + 200));
    init(&mut client, &early);
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[test]
fn an_identity_ends_after_the_leeway_of_its_provider() {
    let strict = Provider::new("a");
    let mut client = SHARED.connect(&database(&[strict.entry(r#","leeway":0"#)]), "postgres", "");
    run(&mut client, "set pg_session_jwt.leeway = 300");
    init(
        &mut client,
        &strict.token_with(&format!(r#""sub":"alice","exp":{}"#, now() + 3)),
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    run(&mut client, "select pg_sleep(3.5)");
    rejects(&mut client, "select auth.user_id()", "28000", messages::EXPIRED);
    let detail = rejection(&mut client, "select auth.user_id()").detail.unwrap();
    assert!(detail.ends_with(", leeway=0"), "{detail}");
    assert!(!one::<bool>(&mut client, "select identity from auth.status()"));
}
