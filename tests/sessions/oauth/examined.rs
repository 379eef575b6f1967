//! `auth.verify()` after an OAuth login: only tokens of its user can be presented.

use testkit::messages;
use testkit::wire::Wire;

use crate::support::oauth_server::{alter, login, token, token_of, usual_server};

/// The results that depend on the login.
fn verified(client: &mut Wire, token: &str) -> Option<String> {
    client.one(&format!(
        "select string_agg(concat_ws(' ', rule, passed, detail), '; ')
           from auth.verify('{token}') where rule in ('login', 'outcome') or not passed"
    ))
}

#[test]
fn tokens_of_other_users_fail_and_none_is_adopted() {
    let Some(server) = usual_server("") else { return };
    alter(&server, "grant pg_read_all_settings to authenticated");
    let mut client = login(&server, &token("alice")).unwrap();
    let refreshed = token_of("alice", r#""email":"new""#);
    assert_eq!(verified(&mut client, &refreshed), Some("login t; outcome t".to_owned()));
    let bob = token("bob");
    let rejected = client.query(&format!("set pg_session_jwt.jwt = '{bob}'")).unwrap_err();
    assert_eq!(rejected.message, messages::OTHER_USER);
    let line = format!("{} ({})", rejected.message, rejected.detail.unwrap());
    assert_eq!(
        verified(&mut client, &bob),
        Some(format!("login f {line}; outcome f 28000: {line}"))
    );
    let status = "select concat_ws(' ', identity, user_id, auth.email()) from auth.status()";
    assert_eq!(client.one(status), Some("t alice".to_owned()));
}
