//! The last `jti` of a session only grows: an accepted token is never accepted again.

use testkit::messages;
use testkit::session::{Proxy, READERS, init, one, rejection, rejects_token, run, user_id};

/// attack: 67
#[test]
fn replayed_token_is_rejected_and_changes_nothing() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    let first = proxy.token_of("alice");
    init(&mut client, &first);
    init(&mut client, &proxy.token_of("bob"));
    rejects_token(&mut client, &first, "28000", messages::TOKEN_ID_REPLAYED);
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

/// attack: 83
#[test]
fn the_same_token_twice_is_a_replay() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    let token = proxy.token_of("alice");
    init(&mut client, &token);
    rejects_token(&mut client, &token, "28000", messages::TOKEN_ID_REPLAYED);
    let rejected = rejection(&mut client, &format!("select auth.jwt_session_init('{token}')"));
    assert_eq!(rejected.detail.as_deref(), Some("jti=1, last=1"));
}

/// attack: 31
#[test]
fn another_token_with_the_same_jti_is_a_replay() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let same = proxy.token_with_jti(1, r#""sub":"bob""#);
    rejects_token(&mut client, &same, "28000", messages::TOKEN_ID_REPLAYED);
}

#[test]
fn token_undone_by_a_rollback_is_a_replay() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let token = proxy.token_of("bob");
    run(&mut client, "begin");
    init(&mut client, &token);
    run(&mut client, "rollback");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    rejects_token(&mut client, &token, "28000", messages::TOKEN_ID_REPLAYED);
}

#[test]
fn a_rollback_to_an_older_token_is_no_replay() {
    // A rolled-back token must not make later calls fail.
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(&mut client, "begin");
    for user in ["bob", "carol"] {
        run(&mut client, "savepoint before");
        init(&mut client, &proxy.token_of(user));
    }
    run(&mut client, "rollback to before");
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    run(&mut client, "rollback");
    for read in READERS {
        run(&mut client, &format!("select auth.{read}()"));
    }
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    init(&mut client, &proxy.token_of("dave"));
    assert_eq!(user_id(&mut client).as_deref(), Some("dave"));
}

#[test]
fn older_jti_after_a_logout_is_rejected() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    let older = proxy.token_of("alice");
    for logout in [
        "reset all",
        "discard all",
        "reset pg_session_jwt.jwt",
        "set pg_session_jwt.jwt = ''",
    ] {
        init(&mut client, &proxy.token_of("bob"));
        run(&mut client, logout);
        assert_eq!(user_id(&mut client), None, "{logout}");
        rejects_token(&mut client, &older, "28000", messages::TOKEN_ID_REPLAYED);
        assert_eq!(user_id(&mut client), None, "{logout}");
    }
}

#[test]
fn local_identity_advances_the_last_jti() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    let token = proxy.token_of("alice");
    run(
        &mut client,
        &format!("begin; select auth.jwt_session_init('{token}', true); commit"),
    );
    rejects_token(&mut client, &token, "28000", messages::TOKEN_ID_REPLAYED);
}

#[test]
fn rejected_token_does_not_advance_the_last_jti() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let expired = proxy.token_with_jti(100, r#""sub":"bob","exp":1"#);
    let foreign = Proxy::new().token_with_jti(200, r#""sub":"bob""#);
    rejects_token(&mut client, &expired, "28000", messages::EXPIRED);
    rejects_token(&mut client, &foreign, "28000", messages::INVALID_SIGNATURE);
    init(&mut client, &proxy.token_with_jti(2, r#""sub":"carol""#));
    assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
}

#[test]
fn any_increasing_integers_are_accepted() {
    let proxy = Proxy::new();
    let mut client = proxy.session();
    for jti in [i64::MIN, -7, 0, 1, 1_000_000_000_000_000, i64::MAX] {
        init(&mut client, &proxy.token_with_jti(jti, &format!(r#""sub":"u{jti}""#)));
        assert_eq!(user_id(&mut client), Some(format!("u{jti}")));
        let shown: String = one(&mut client, "select auth.session() ->> 'jti'");
        assert_eq!(shown, jti.to_string());
    }
    rejects_token(
        &mut client,
        &proxy.token_with_jti(i64::MIN, ""),
        "28000",
        messages::TOKEN_ID_REPLAYED,
    );
}
