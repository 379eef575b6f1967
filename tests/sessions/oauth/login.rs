//! OAuth logins (since PostgreSQL 18): who may log in, the identity of the session, and the messages.

use testkit::messages;
use testkit::provider::Provider;
use testkit::session::now;
use testkit::wire::{Wire, discovery};

use crate::support::oauth_server::{
    alter, conf, entry, is_rejected, log_since, login, server_with, signers, token, token_by, token_with, usual_server,
};

#[test]
fn oauth_login_sets_the_identity_with_each_algorithm() {
    let Some(server) = usual_server("") else { return };
    for (_, alg) in signers() {
        let user = format!("user-{alg}");
        let token = token_by(alg, &format!(r#""sub":"{user}","aud":"api","exp":{}"#, now() + 60));
        let mut client = login(&server, &token).unwrap();
        assert_eq!(client.one("select auth.user_id()"), Some(user.clone()));
        assert_eq!(client.one("select current_user"), Some("authenticated".to_owned()));
        client.run("insert into notes (note) values ('mine')");
        let rows = client.query("select owner, note from notes").unwrap();
        assert_eq!(rows, [[Some(user), Some("mine".to_owned())]]);
        let status = "select concat_ws(' ', mode, identity, provider, issuer, kid, reason) from auth.status()";
        assert_eq!(
            client.one(status).unwrap(),
            format!("provider t 1 https://a.example/ {alg}")
        );
        assert_eq!(client.one("show pg_session_jwt.jwt").unwrap(), "***");
    }
}

#[test]
fn invalid_token_is_rejected_with_the_reason_in_the_log() {
    let other = Provider::new("https://b.example/");
    let Some(server) = usual_server("pg_session_jwt.audit_log = on") else {
        return;
    };
    let of = |members: &str| token_with(&format!("{members},\"exp\":{}", now() + 60));
    let long_past = now() - 3600;
    let good = token("mallory");
    let cases = [
        (
            "garbage".to_owned(),
            messages::INVALID_ENCODING,
            "A JWT has three parts with dots between them; this token has one part: an opaque token.",
        ),
        ("a.b.c".to_owned(), messages::SIGNATURE_NOT_BASE64URL, ""),
        (
            good[..good.len() - 8].to_owned() + "AAAAAAAA",
            messages::INVALID_SIGNATURE,
            "",
        ),
        (
            token_with(&format!(r#""sub":"mallory","aud":"api","exp":{long_past}"#)),
            messages::EXPIRED,
            "exp=",
        ),
        (
            of(r#""sub":"mallory","aud":"web""#),
            messages::OTHER_AUDIENCE,
            "aud=\"web\"",
        ),
        (
            of(r#""sub":"mallory""#),
            messages::OTHER_AUDIENCE,
            "The JWT has no \"aud\".",
        ),
        (
            other.token("mallory"),
            messages::UNKNOWN_ISSUER,
            "iss=\"https://b.example/\"",
        ),
        (
            of(r#""aud":"api""#),
            messages::NAMES_NO_USER,
            "Its \"sub\" is not a string",
        ),
        (of(r#""sub":"","aud":"api""#), messages::NAMES_NO_USER, "is empty"),
        (of(r#""sub":7,"aud":"api""#), messages::NAMES_NO_USER, "is not a string"),
        (
            of(r#""sub":"root\nroot","aud":"api""#),
            messages::NAMES_NO_USER,
            "or has invisible characters or surrounding blanks",
        ),
        (
            of(r#""sub":"root\u2028x","aud":"api""#),
            messages::NAMES_NO_USER,
            "or has invisible characters or surrounding blanks",
        ),
        (
            of(r#""sub":"alice ","aud":"api""#),
            messages::NAMES_NO_USER,
            "or has invisible characters or surrounding blanks",
        ),
    ];
    for (token, reason, detail) in &cases {
        let before = server.log().len();
        is_rejected(login(&server, token), "authenticated");
        let log = log_since(&server, before);
        assert!(
            log.contains(&messages::login_rejected("authenticated", reason)),
            "{reason}: {log}"
        );
        assert!(log.contains(detail), "{log}");
        let audited = log
            .lines()
            .find(|line| line.contains("pg_session_jwt audit: "))
            .unwrap();
        assert!(audited.contains(r#""event":"rejected""#), "{audited}");
        assert!(audited.contains(r#""login":"authenticated""#), "{audited}");
        assert!(!log.contains("connection authenticated"), "{log}");
    }
    let log = server.log();
    for (token, ..) in cases.iter().filter(|(token, ..)| token.len() > 100) {
        for part in token.split('.') {
            assert!(!log.contains(part), "{part} in {log}");
        }
    }
    assert!(
        !log.contains("panic") && !log.contains("OAuth validation failed"),
        "{log}"
    );
}

#[test]
fn login_without_a_token_is_rejected() {
    let Some(server) = usual_server("") else { return };
    let parameters = [("database", "app")];
    for first in [discovery(), "n,,\u{1}auth=Bearer \u{1}\u{1}".to_owned()] {
        let rejected = Wire::login_with(server.port(), "authenticated", &parameters, &first);
        is_rejected(rejected, "authenticated");
    }
    let basic = format!("n,,\u{1}auth=Basic {}\u{1}\u{1}", token("mallory"));
    is_rejected(
        Wire::login_with(server.port(), "authenticated", &parameters, &basic),
        "authenticated",
    );
}

#[test]
fn role_not_named_by_the_provider_is_rejected() {
    let Some(server) = usual_server("") else { return };
    let parameters = [("database", "app")];
    let before = server.log().len();
    is_rejected(
        Wire::login(server.port(), "anonymous", &parameters, &token("mallory")),
        "anonymous",
    );
    // The message does not reveal whether the role exists.
    is_rejected(
        Wire::login(server.port(), "no\none\"", &parameters, &token("mallory")),
        "no\none\"",
    );
    let log = log_since(&server, before);
    for role in ["anonymous", r#"no\none\""#] {
        let line = messages::login_rejected(role, messages::ROLE);
        assert!(log.contains(&line), "{log}");
    }
}

#[test]
fn provider_without_roles_admits_no_privileged_role() {
    let Some(server) = server_with(&conf(&[entry("")], "")) else {
        return;
    };
    alter(
        &server,
        "create role boss login superuser; create role maker login createrole; create role reader login bypassrls",
    );
    let log_in_as = |user: &str| {
        Wire::login(
            server.port(),
            user,
            &[("database", "app")],
            &token_with(r#""sub":"alice""#),
        )
    };
    for user in ["boss", "maker", "reader", "replicator"] {
        is_rejected(log_in_as(user), user);
    }
    let log = server.log();
    for user in ["boss", "maker", "reader", "replicator"] {
        let line = messages::login_rejected(user, messages::ROLE);
        assert_eq!(log.matches(&line).count(), 1, "{user}");
    }
    for user in ["authenticated", "anonymous"] {
        assert_eq!(log_in_as(user).unwrap().one("select current_user").unwrap(), user);
    }
    assert_eq!(
        log_in_as("missing").err().unwrap().message,
        "role \"missing\" does not exist"
    );
}

#[test]
fn provider_without_roles_admits_roles_of_the_map() {
    let Some(server) = server_with(&conf(&[entry("")], "")) else {
        return;
    };
    let alice = token("alice@example.com");
    let mut client = Wire::login(server.port(), "alice", &[("database", "app")], &alice).unwrap();
    assert_eq!(client.one("select current_user"), Some("alice".to_owned()));
    assert_eq!(
        client.one("select auth.user_id()"),
        Some("alice@example.com".to_owned())
    );
    assert_eq!(
        client.one("select system_user"),
        Some("oauth:alice@example.com".to_owned())
    );
    // The token is valid, but the map gives its user another role.
    is_rejected(Wire::login(server.port(), "bob", &[("database", "app")], &alice), "bob");
    is_rejected(
        Wire::login(
            server.port(),
            "alice",
            &[("database", "app")],
            &token("alice@example.org"),
        ),
        "alice",
    );
    assert!(
        server
            .log()
            .contains("no match in usermap \"people\" for user \"bob\" authenticated as \"alice@example.com\"")
    );
}

#[test]
fn the_user_id_is_the_system_user_and_is_logged() {
    let entry = entry(r#","user_id_claim":"oid""#);
    let Some(server) = server_with(&conf(&[entry], "pg_session_jwt.audit_log = on")) else {
        return;
    };
    let token = token_with(&format!(r#""sub":"pairwise","oid":"älice","exp":{}"#, now() + 60));
    let mut client = login(&server, &token).unwrap();
    assert_eq!(client.one("select system_user"), Some("oauth:älice".to_owned()));
    assert_eq!(client.one("select auth.user_id()"), Some("älice".to_owned()));
    let log = server.log();
    assert!(
        log.contains("connection authenticated: identity=\"älice\" method=oauth"),
        "{log}"
    );
    let accepted: Vec<_> = log
        .lines()
        .filter(|line| line.contains(r#""event":"accepted""#) || line.contains(r#""event":"verified""#))
        .collect();
    // At the login, and under the session's own settings at its first use.
    assert_eq!(accepted.len(), 2, "{log}");
    assert!(accepted[0].contains(r#""event":"verified""#) && accepted[0].contains(r#""login":"authenticated""#));
    assert!(accepted[1].contains(r#""event":"accepted""#) && !accepted[1].contains("login"));
    for part in token.split('.') {
        assert!(!log.contains(part), "{log}");
    }
}

#[test]
fn token_that_exceeds_a_message_is_rejected() {
    let Some(server) = usual_server("") else { return };
    let sized = |padding: usize| {
        let padding = "x".repeat(padding);
        token_with(&format!(
            r#""sub":"alice","aud":"api","exp":{},"pad":"{padding}""#,
            now() + 60
        ))
    };
    // PostgreSQL accepts 65535 bytes in one message (PG_MAX_AUTH_TOKEN_LENGTH), less than the extension's limit.
    let fits = sized(48_500);
    assert!((64_900..65_400).contains(&fits.len()), "{}", fits.len());
    let mut client = login(&server, &fits).unwrap();
    assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()));
    for padding in [49_200, 200_000] {
        // The server stops reading, so the client may not receive the answer.
        let rejection = login(&server, &sized(padding)).err().expect("a rejection");
        assert!(
            ["28000", "closed"].contains(&rejection.sqlstate.as_str()),
            "{rejection:?}"
        );
    }
    assert_eq!(
        login(&server, &token("bob")).unwrap().one("select auth.user_id()"),
        Some("bob".to_owned())
    );
}
