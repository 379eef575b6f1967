//! After an OAuth login a session stays with its user, whatever settings its database has. The login's provider
//! determines the user of a token, not the token alone.

use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{Proxy, READERS, now, run, ways_to_present};
use testkit::wire::Wire;

use crate::support::oauth_server::{
    ISSUER, alter, entry, log_since, login, login_to, token, token_of, token_with, usual_server,
};

/// A database without providers, whose clients may have keys.
fn without_providers(server: &Server) -> String {
    let database = server.database();
    alter(
        server,
        &format!("alter database {database} set pg_session_jwt.providers = ''"),
    );
    database
}

#[track_caller]
fn every_reader_rejects(client: &mut Wire, sqlstate: &str, message: &str) {
    for call in READERS {
        client.rejects(&format!("select auth.{call}()"), sqlstate, message);
    }
}

/// A token that an attacker signs: with their own issuer and user id, and claims of others.
fn forged(proxy: &Proxy) -> String {
    proxy.token_with_jti(1, &format!(r#""iss":"{ISSUER}","sub":"alice","org":"victim-org""#))
}

/// attack: 144
#[test]
fn client_key_verifies_nothing_after_an_oauth_login() {
    let Some(server) = usual_server("") else { return };
    let database = without_providers(&server);
    let proxy = Proxy::new();
    let (jwk, options, forged) = (proxy.jwk(), proxy.options(), forged(&proxy));
    for key in [("pg_session_jwt.jwk", jwk.as_str()), ("options", options.as_str())] {
        let parameters = [("database", database.as_str()), key];
        let mut client = Wire::login(server.port(), "authenticated", &parameters, &token("alice")).unwrap();
        for sql in ways_to_present(&forged) {
            client.rejects(&sql, "55000", messages::NO_PROVIDER_OF_LOGIN);
            client.rejects(&format!("begin; {sql}"), "55000", messages::NO_PROVIDER_OF_LOGIN);
            client.run("rollback");
        }
        every_reader_rejects(&mut client, "55000", messages::NO_PROVIDER_OF_LOGIN);
        for reset in ["reset all", "discard all", "reset pg_session_jwt.jwt"] {
            client.run(reset);
            every_reader_rejects(&mut client, "55000", messages::NO_PROVIDER_OF_LOGIN);
        }
        // Nor in the SET clause of a function that was created before the library could check it.
        let mut admin = server.connect(&database, "postgres", "");
        run(
            &mut admin,
            &format!(
                "create or replace function forged() returns jsonb language sql set pg_session_jwt.jwt = '{forged}'
                     as 'select auth.session()'"
            ),
        );
        client.rejects("select forged()", "55000", messages::NO_PROVIDER_OF_LOGIN);
    }
}

#[test]
fn server_key_is_not_a_provider_of_the_login() {
    let proxy = Proxy::new();
    let Some(server) = usual_server(&format!("pg_session_jwt.jwk = '{}'", proxy.jwk())) else {
        return;
    };
    let database = without_providers(&server);
    let mut client = login_to(&server, &database, &token("alice")).unwrap();
    for sql in ways_to_present(&forged(&proxy)) {
        client.rejects(&sql, "55000", messages::NO_PROVIDER_OF_LOGIN);
    }
    every_reader_rejects(&mut client, "55000", messages::NO_PROVIDER_OF_LOGIN);
}

#[test]
fn removed_providers_do_not_enable_the_client_key() {
    let Some(server) = usual_server("") else { return };
    let proxy = Proxy::new();
    let (jwk, forged) = (proxy.jwk(), forged(&proxy));
    let parameters = [("database", "app"), ("pg_session_jwt.jwk", jwk.as_str())];
    let mut client = Wire::login(server.port(), "authenticated", &parameters, &token("alice")).unwrap();
    run(
        &mut server.connect("app", "postgres", ""),
        "create function weaken(value text) returns void language sql security definer
             as $$ select set_config('pg_session_jwt.providers', value, false) $$",
    );
    client.run("select weaken('')");
    for sql in ways_to_present(&forged) {
        assert_eq!(client.query(&sql).unwrap_err().sqlstate, "55000", "{sql}");
    }
    assert_eq!(client.query("select auth.session()").unwrap_err().sqlstate, "55000");
}

/// attack: 144
#[test]
fn user_id_is_compared_by_the_databases_providers() {
    let Some(server) = usual_server("") else { return };
    let database = server.database();
    let by_email = entry(r#","audience":"api","user_id_claim":"email""#);
    alter(
        &server,
        &format!("alter database {database} set pg_session_jwt.providers = '[{by_email}]'"),
    );
    let of_alice = token_of("alice", r#""email":"victim@example.com""#);
    let mut client = login_to(&server, &database, &of_alice).unwrap();
    // Her token names another user there than the one who logged in.
    every_reader_rejects(&mut client, "28000", messages::OTHER_USER);
    for other in [
        token_of("alice", r#""email":"alice""#),
        token_of("bob", r#""email":"alice""#),
    ] {
        for sql in ways_to_present(&other) {
            client.rejects(&sql, "28000", messages::OTHER_USER);
        }
    }
}

#[test]
fn same_user_id_of_another_provider_is_another_user() {
    let Some(server) = usual_server("") else { return };
    let database = server.database();
    let other = Provider::new("https://b.example/");
    let usual = entry(r#","audience":"api""#);
    alter(
        &server,
        &format!(
            "alter database {database} set pg_session_jwt.providers = '[{usual},{}]'",
            other.entry("")
        ),
    );
    let mut client = login_to(&server, &database, &token("alice")).unwrap();
    for sql in ways_to_present(&other.token("alice")) {
        client.rejects(&sql, "28000", messages::OTHER_USER);
    }
    client.run(&format!("set pg_session_jwt.jwt = '{}'", token("alice")));
    assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()));
}

/// attack: 147
#[test]
fn binding_database_checks_the_startup_packet_again() {
    let other = Provider::new("https://b.example/");
    let entries = [crate::support::oauth_server::usual_entry(), other.entry("")];
    let conf = crate::support::oauth_server::conf(
        &entries,
        "pg_session_jwt.bind_login_identity = off\ndebug_parallel_query = off",
    );
    let Some(server) = crate::support::oauth_server::server_with(&conf) else {
        return;
    };
    let database = server.database();
    alter(
        &server,
        &format!("alter database {database} set pg_session_jwt.bind_login_identity = on"),
    );
    let own = token("alice");
    for foreign in [token("bob"), other.token("alice"), String::new()] {
        for name in ["pg_session_jwt.jwt", "options"] {
            let option = format!("-c pg_session_jwt.jwt={foreign}");
            let value = if name == "options" { &option } else { &foreign };
            let parameters = [
                ("database", database.as_str()),
                (name, value.as_str()),
                ("request.jwt.claims", r#"{"sub":"mallory"}"#),
            ];
            let mut client = Wire::login(server.port(), "authenticated", &parameters, &own).unwrap();
            every_reader_rejects(&mut client, "28000", messages::OTHER_USER);
            // In a worker that reads it first as well.
            client.run("set debug_parallel_query = on");
            every_reader_rejects(&mut client, "28000", messages::OTHER_USER);
            client.run("set debug_parallel_query = off");
            client.run("discard all");
            every_reader_rejects(&mut client, "28000", messages::OTHER_USER);
            client.run(&format!("set pg_session_jwt.jwt = '{own}'"));
            assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()));
        }
    }
    // Where the server's own setting applies, nothing changes.
    let foreign = token("bob");
    let parameters = [("database", "app"), ("pg_session_jwt.jwt", foreign.as_str())];
    let mut client = Wire::login(server.port(), "authenticated", &parameters, &own).unwrap();
    assert_eq!(client.one("select auth.user_id()"), Some("bob".to_owned()));
}

#[test]
fn binding_an_open_session_ends_another_users_identity() {
    let Some(server) = usual_server("pg_session_jwt.bind_login_identity = off") else {
        return;
    };
    run(
        &mut server.connect("app", "postgres", ""),
        "create function bind(value text) returns void language sql security definer
             as $$ select set_config('pg_session_jwt.bind_login_identity', value, false) $$",
    );
    let mut client = login(&server, &token("alice")).unwrap();
    client.run(&format!("set pg_session_jwt.jwt = '{}'", token("bob")));
    assert_eq!(client.one("select auth.user_id()"), Some("bob".to_owned()));
    client.run("select bind('on')");
    every_reader_rejects(&mut client, "28000", messages::OTHER_USER);
    client.run("select bind('off'); set pg_session_jwt.jwt = ''");
    assert_eq!(client.one("select auth.user_id()"), None);
    client.run("select bind('on')");
    every_reader_rejects(&mut client, "28000", messages::OTHER_USER);
    client.run("reset pg_session_jwt.jwt");
    assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()));
}

#[test]
fn login_state_of_workers_cannot_be_set_or_read() {
    let Some(server) = usual_server("") else { return };
    let name = "pg_session_jwt.login_identity";
    let mut client = login(&server, &token("alice")).unwrap();
    for sql in [
        format!("set {name} = ''"),
        format!("reset {name}"),
        format!("select set_config('{name}', '', true)"),
        format!("create function pg_temp.f() returns int language sql set {name} = '' as 'select 1'"),
    ] {
        assert_eq!(client.query(&sql).unwrap_err().sqlstate, "55P02", "{sql}");
    }
    assert_eq!(client.query(&format!("show {name}")).unwrap_err().sqlstate, "42501");
    assert_eq!(
        client.one("select count(*) from pg_settings where name like '%login\\_identity' and name not like '%bind%'"),
        Some("0".to_owned())
    );
    let packet = [("database", "app"), (name, "x")];
    let before = server.log().len();
    let rejection = Wire::login(server.port(), "authenticated", &packet, &token("alice")).err();
    assert_eq!(rejection.unwrap().sqlstate, "22023", "{}", log_since(&server, before));
    // An expired token counts as none, whatever its user.
    let expired = token_with(&format!(r#""sub":"alice","aud":"api","exp":{}"#, now() - 3600));
    client.rejects(
        &format!("set pg_session_jwt.jwt = '{expired}'"),
        "28000",
        messages::EXPIRED,
    );
}
