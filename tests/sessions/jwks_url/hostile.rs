//! End users cannot make the server fetch from addresses of their choice.

use testkit::key_server::{Answer, KeyServer};
use testkit::loading::ordinary_user;
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{Proxy, init, now, one, rejection, run, user_id};
use testkit::signer::Signer;

use crate::support::jwks_url::{entry, server_with};
use crate::support::key_fetcher::rejects_init;

/// The SQLSTATEs of the rejected statements.
#[track_caller]
fn all_rejected(client: &mut postgres::Client, expected: &[(&str, String)]) {
    for (sqlstate, sql) in expected {
        assert_eq!(rejection(client, sql).sqlstate, *sqlstate, "{sql}");
        run(client, "rollback");
    }
}

/// Statements that an ordinary user `user` of the database tries.
fn attempts(user: &str, url: &str) -> Vec<(&'static str, String)> {
    let providers = format!("pg_session_jwt.providers = '[{}]'", entry("mallory", url));
    let mut attempts = vec![
        (
            "42501",
            format!(
                "select set_config('pg_session_jwt.providers', '[{}]', false)",
                entry("mallory", url)
            ),
        ),
        ("42501", "select * from auth.providers()".to_owned()),
        ("42501", "select pg_reload_conf()".to_owned()),
        (
            "42501",
            "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()".to_owned(),
        ),
    ];
    for set in [
        "set",
        "set session",
        "begin; set local",
        "alter system set",
        &format!("alter role {user} set"),
        &format!("alter role {user} in database {user} set"),
        "alter role authenticated set",
        &format!("alter database {user} set"),
    ] {
        attempts.push(("42501", format!("{set} {providers}")));
    }
    let function = "create function pg_temp.f() returns text language sql set";
    attempts.push(("42501", format!("{function} {providers} as 'select auth.user_id()'")));
    attempts
}

#[test]
fn end_user_cannot_have_a_url_fetched() {
    let (provider, mallory) = (Provider::new("a"), Provider::new("mallory"));
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let theirs = KeyServer::start(Answer::Body(mallory.key_set()));
    let with_providers = server_with(&[entry("a", &keys.url())], "");
    let without = Server::start("shared_preload_libraries = 'pg_session_jwt'");
    for server in [&with_providers, &without] {
        let database = server.database();
        let user = ordinary_user(server, &database);
        let grant = format!("grant anonymous to {user}");
        run(&mut server.connect(&database, "postgres", ""), &grant);
        for role in [user.as_str(), "authenticated", "anonymous"] {
            let mut client = server.connect(&database, &user, "");
            run(&mut client, &format!("set role {role}"));
            all_rejected(&mut client, &attempts(&user, &theirs.url()));
            // The file of certificate authorities is a setting of the server.
            let ca_file = "pg_session_jwt.ca_file = '/dev/null'";
            assert_eq!(rejection(&mut client, &format!("set {ca_file}")).sqlstate, "55P02");
            let own = if role == user { "55P02" } else { "42501" };
            let alter = format!("alter role {user} set {ca_file}");
            assert_eq!(rejection(&mut client, &alter).sqlstate, own, "{role}");
            assert_eq!(
                rejection(&mut client, &format!("alter system set {ca_file}")).sqlstate,
                "42501"
            );
        }
        let packet = format!(
            "-c pg_session_jwt.providers=[{}]",
            entry("mallory", &theirs.url()).replace(' ', "")
        );
        let error = server.try_connect(&database, &user, &packet).map(drop).unwrap_err();
        assert_eq!(error.code().map(|code| code.code()), Some("42501"), "{error:?}");
    }
    assert_eq!(theirs.requests(), 0);
}

/// attack: 9
#[test]
fn urls_in_tokens_and_claims_are_not_fetched() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let mallory = Signer::ed25519();
    let jwk = mallory.jwk(r#""kid":"k1""#);
    let theirs = KeyServer::start(Answer::Body(format!(r#"{{"keys":[{jwk}]}}"#)));
    let server = server_with(&[entry("a", &keys.url())], "");
    let database = server.database();
    let user = ordinary_user(&server, &database);
    let url = theirs.url();
    let claims = format!(r#"{{"iss":"{url}","jwks_url":"{url}","jku":"{url}","sub":"mallory"}}"#);
    let options = format!("{} -c request.jwt.claims={claims}", Proxy::new().options());
    let mut client = server.connect(&database, &user, &options);
    for setting in [
        "request.jwt.claims",
        "request.jwt.claim.iss",
        "request.jwks_url",
        "request.jwt.jku",
    ] {
        run(
            &mut client,
            &format!("select set_config('{setting}', '{claims}', false)"),
        );
        assert_eq!(user_id(&mut client), None, "{setting}");
    }
    run(&mut client, "set role authenticated");
    let exp = now() + 60;
    for iss in ["a", &url] {
        for header in [
            format!(r#""jku":"{url}","kid":"k1""#),
            format!(r#""x5u":"{url}","kid":"k1""#),
            format!(r#""jwk":{jwk},"kid":"k1""#),
            format!(r#""jku":"{url}","kid":"{url}""#),
        ] {
            let header = format!(r#"{{"alg":"EdDSA",{header}}}"#);
            let payload = format!(r#"{{"iss":"{iss}","sub":"mallory","exp":{exp},"jwks_url":"{url}"}}"#);
            let token = mallory.token_with_header("EdDSA", &header, &payload);
            let message = match iss {
                "a" if header.contains("\"k1\"") => messages::INVALID_SIGNATURE,
                "a" => messages::NO_KEY_OF_TOKEN,
                _ => messages::UNKNOWN_ISSUER,
            };
            rejects_init(&mut client, &token, "28000", message);
        }
    }
    assert_eq!(user_id(&mut client), None);
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(one::<String>(&mut client, "select mode from auth.status()"), "provider");
    assert_eq!(theirs.requests(), 0);
}
