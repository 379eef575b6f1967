//! After an OAuth login the session belongs to its user: what replaces the token, what resets it, and what cannot.

use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{now, run, ways_to_present};
use testkit::signer::ED25519;
use testkit::wire::Wire;

use crate::support::oauth_server::{
    ISSUER, alter, conf, login, login_to, server_with, token, token_of, token_with, usual_entry, usual_server,
};

fn user_and_email(client: &mut Wire) -> String {
    client
        .one("select concat_ws(' ', auth.user_id(), auth.email())")
        .unwrap()
}

/// Another token of the same user, issued after the login.
fn refreshed(user: &str) -> String {
    token_of(user, r#""email":"new""#)
}

#[test]
fn resets_restore_the_identity_of_the_login() {
    let Some(server) = usual_server("") else { return };
    let mut client = login(&server, &token_of("alice", r#""email":"old""#)).unwrap();
    for reset in [
        "reset pg_session_jwt.jwt",
        "set pg_session_jwt.jwt to default",
        "reset all",
        "discard all",
    ] {
        client.run(&format!("set pg_session_jwt.jwt = '{}'", refreshed("alice")));
        assert_eq!(user_and_email(&mut client), "alice new");
        client.run(reset);
        assert_eq!(user_and_email(&mut client), "alice old", "{reset}");
    }
}

#[test]
fn token_of_the_same_user_replaces_that_of_the_login() {
    let Some(server) = usual_server("") else { return };
    let mut client = login(&server, &token_of("alice", r#""email":"old""#)).unwrap();
    for sql in ways_to_present(&refreshed("alice")) {
        client.run("begin");
        client.run(&sql);
        assert_eq!(user_and_email(&mut client), "alice new", "{sql}");
        client.run("rollback");
        assert_eq!(user_and_email(&mut client), "alice old", "{sql}");
    }
    client.run("begin");
    client.run(&format!("set local pg_session_jwt.jwt = '{}'", refreshed("alice")));
    client.run("savepoint one");
    client.rejects(
        &format!("select auth.jwt_session_init('{}', true)", token("bob")),
        "28000",
        messages::OTHER_USER,
    );
    client.run("rollback to one");
    assert_eq!(user_and_email(&mut client), "alice new");
    client.run("commit");
    assert_eq!(user_and_email(&mut client), "alice old");
    client.run(&format!("select auth.jwt_session_init('{}')", refreshed("alice")));
    assert_eq!(user_and_email(&mut client), "alice new");
}

#[test]
fn token_of_another_user_is_rejected() {
    let other = Provider::new("https://b.example/");
    let entries = [usual_entry(), other.entry("")];
    let Some(server) = server_with(&conf(&entries, "pg_session_jwt.audit_log = on")) else {
        return;
    };
    let mut client = login(&server, &token("alice")).unwrap();
    let bob = token("bob");
    // The same user id at another provider is another user.
    for token in [&bob, &other.token("alice")] {
        for sql in ways_to_present(token) {
            client.rejects(&sql, "28000", messages::OTHER_USER);
            assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()));
        }
    }
    let rejection = client.query(&format!("set pg_session_jwt.jwt = '{bob}'")).unwrap_err();
    assert_eq!(
        rejection.detail.as_deref(),
        Some("Only a token with the same issuer and user id can replace the one of the OAuth login.")
    );
    assert_eq!(
        rejection.hint.as_deref(),
        Some("RESET restores the token of the login. Reconnect to authenticate as a different user.")
    );
    // An invalid token is rejected for its fault.
    let expired = token_with(&format!(r#""sub":"alice","aud":"api","exp":{}"#, now() - 3600));
    for sql in ways_to_present(&expired) {
        client.rejects(&sql, "28000", messages::EXPIRED);
    }
    let log = server.log();
    let audited = format!(r#""reason":"{}","sqlstate":"28000","sub":"bob""#, messages::OTHER_USER);
    assert!(log.contains(&audited), "{log}");
    assert!(
        bob.split('.').all(|part| part.len() < 60 || !log.contains(part)),
        "{log}"
    );
}

#[test]
fn empty_token_is_rejected_after_an_oauth_login() {
    let Some(server) = usual_server("") else { return };
    let mut admin = server.connect("app", "postgres", "");
    run(
        &mut admin,
        "create function anonymous() returns text language sql set pg_session_jwt.jwt = '' as 'select auth.user_id()'",
    );
    let mut client = login(&server, &token("alice")).unwrap();
    for sql in [
        "set pg_session_jwt.jwt = ''",
        "begin; set local pg_session_jwt.jwt = ''",
        "select set_config('pg_session_jwt.jwt', '', false)",
        "select anonymous()",
    ] {
        client.rejects(sql, "28000", messages::OTHER_USER);
        client.run("rollback");
        assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()), "{sql}");
    }
    // NULL is a reset.
    client.run("select set_config('pg_session_jwt.jwt', null, false)");
    assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()));
}

#[test]
fn superuser_can_disable_the_binding() {
    let Some(server) = usual_server("") else { return };
    let mut bound = login(&server, &token("alice")).unwrap();
    let sql = "set pg_session_jwt.bind_login_identity = off";
    let message = "permission denied to set parameter \"pg_session_jwt.bind_login_identity\"";
    bound.rejects(sql, "42501", message);
    let off = ("options", "-c pg_session_jwt.bind_login_identity=off");
    let parameters = [("database", "app"), off];
    let rejection = Wire::login(server.port(), "authenticated", &parameters, &token("alice")).err();
    assert_eq!(rejection.unwrap().message, message);

    alter(
        &server,
        "alter database app set pg_session_jwt.bind_login_identity = off",
    );
    let mut client = login(&server, &token("alice")).unwrap();
    for sql in ways_to_present(&token("bob")) {
        client.run(&format!("begin; {sql}"));
        assert_eq!(client.one("select auth.user_id()"), Some("bob".to_owned()), "{sql}");
        client.run("commit");
        client.run("reset all");
        assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()), "{sql}");
    }
    client.run("set pg_session_jwt.jwt = ''");
    assert_eq!(client.one("select auth.user_id()"), None);
    // An open session does not change to another user; it must be opened again.
    bound.rejects(
        &format!("set pg_session_jwt.jwt = '{}'", token("bob")),
        "55000",
        &messages::stored_changed("bind_login_identity"),
    );
}

#[test]
fn startup_packet_may_contain_only_the_logins_token() {
    let Some(server) = usual_server("") else { return };
    let alice = token("alice");
    let start = |of_packet: &str, as_option: bool| {
        let option = format!("-c pg_session_jwt.jwt={of_packet}");
        let parameter = if as_option {
            ("options", option.as_str())
        } else {
            ("pg_session_jwt.jwt", of_packet)
        };
        Wire::login(
            server.port(),
            "authenticated",
            &[("database", "app"), parameter],
            &alice,
        )
    };
    for as_option in [true, false] {
        let mut client = start(&alice, as_option).unwrap();
        assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()));
        client.run("discard all");
        assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()));
        for other in [token("bob"), refreshed("alice"), String::new(), "garbage".to_owned()] {
            let rejection = start(&other, as_option).err().expect("a rejection");
            assert_eq!(
                (rejection.sqlstate.as_str(), rejection.message.as_str()),
                ("28000", messages::OTHER_USER)
            );
        }
    }
}

#[test]
fn expired_identity_is_rejected_at_its_next_use() {
    let Some(server) = usual_server("") else { return };
    let strict = server.database();
    alter(
        &server,
        &format!("alter database {strict} set pg_session_jwt.leeway = 0"),
    );
    let ended = token_with(&format!(r#""sub":"alice","aud":"api","exp":{}"#, now() - 2));
    let mut client = login_to(&server, &strict, &ended).unwrap();
    for sql in ["select auth.user_id()", "select * from notes", "select auth.session()"] {
        client.rejects(sql, "28000", messages::EXPIRED);
    }
    // A newer token of the same user is accepted, and its expiry ends the identity again.
    client.run(&format!("select auth.jwt_session_init('{}')", token("alice")));
    assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()));
    client.run("reset all");
    client.rejects("select auth.user_id()", "28000", messages::EXPIRED);
}

#[test]
fn token_without_iss_cannot_be_replaced() {
    let keys = ED25519.jwk(r#""kid":"a""#);
    let entry = format!(r#"{{"audience":"api","jwks":{{"keys":[{keys}]}}}}"#);
    let Some(server) = server_with(&conf(&[entry], "")) else {
        return;
    };
    let exp = now() + 600;
    let of = |more: &str| {
        let payload = format!(r#"{{"sub":"alice","aud":"api","exp":{exp}{more}}}"#);
        ED25519.token_with_header("EdDSA", r#"{"alg":"EdDSA","kid":"a"}"#, payload)
    };
    let mut client = login(&server, &of("")).unwrap();
    assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()));
    client.run(&format!("set pg_session_jwt.jwt = '{}'", of("")));
    for other in [of(r#","jti":2"#), of(&format!(r#","iss":"{ISSUER}""#))] {
        client.rejects(
            &format!("set pg_session_jwt.jwt = '{other}'"),
            "28000",
            messages::OTHER_USER,
        );
    }
}

#[test]
fn parallel_workers_have_the_same_user() {
    let more = "max_parallel_workers = 100\nmax_worker_processes = 100\ndebug_parallel_query = on\n\
                log_parameter_max_length = 0";
    let Some(server) = usual_server(more) else { return };
    let mut admin = server.connect("app", "postgres", "");
    // The library is not loaded in this session, so the value is not checked.
    run(
        &mut admin,
        &format!(
            "create function pid() returns int language plpgsql parallel safe as 'begin return pg_backend_pid(); end';
             create function as_bob() returns text language sql parallel safe set pg_session_jwt.jwt = '{}'
                 as 'select auth.user_id() || pg_backend_pid()'",
            token("bob")
        ),
    );
    let mut client = login(&server, &token_of("alice", r#""email":"old""#)).unwrap();
    let leader = client.one("select current_setting('debug_parallel_query')");
    assert_eq!(leader.as_deref(), Some("on"));
    client.run("set debug_parallel_query = off");
    let leader = client.one("select pg_backend_pid()").unwrap();
    client.run("set debug_parallel_query = on");
    let who = format!("select concat_ws(' ', auth.user_id(), auth.email(), pid() <> {leader}, system_user)");
    assert_eq!(client.one(&who).unwrap(), "alice old t oauth:alice");
    client.run(&format!("set pg_session_jwt.jwt = '{}'", refreshed("alice")));
    assert_eq!(client.one(&who).unwrap(), "alice new t oauth:alice");
    // A value in a SET clause is rejected in a worker as in its leader.
    client.rejects("select as_bob()", "28000", messages::OTHER_USER);
    client.run("set debug_parallel_query = off");
    client.rejects("select as_bob()", "28000", messages::OTHER_USER);

    alter(
        &server,
        "alter database app set pg_session_jwt.bind_login_identity = off",
    );
    let mut client = login(&server, &token("alice")).unwrap();
    let leader = client
        .one("set debug_parallel_query = off; select pg_backend_pid()")
        .unwrap();
    assert_eq!(client.one("select as_bob()"), Some(format!("bob{leader}")));
    client.run("set debug_parallel_query = on");
    let in_worker = client.one("select as_bob()").unwrap();
    assert!(
        in_worker.starts_with("bob") && !in_worker.ends_with(&leader),
        "{in_worker}"
    );
}
