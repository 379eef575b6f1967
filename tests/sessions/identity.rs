//! The identity belongs to the setting: it follows transactions, savepoints, functions and resets.

use crate::session::{Proxy, init, refuses, run, user_id};

#[test]
fn a_rollback_gives_the_identity_before_it_back() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    init(&mut client, &proxy.token(r#""sub":"alice""#));
    run(&mut client, "begin");
    init(&mut client, &proxy.token(r#""sub":"bob""#));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    run(&mut client, "rollback");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn a_replayed_token_is_refused_and_changes_nothing() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    let first = proxy.token(r#""sub":"alice""#);
    init(&mut client, &first);
    init(&mut client, &proxy.token(r#""sub":"bob""#));
    let replay = format!("select auth.jwt_session_init('{first}')");
    refuses(
        &mut client,
        &replay,
        "28000",
        "Token ID must be strictly monotonically increasing.",
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}
