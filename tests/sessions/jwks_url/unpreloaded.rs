//! Without preload there is no worker: `jwks_url` is rejected in every place, and enables no weaker mode.

use std::fmt::Display;

use postgres::Client;
use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::loading::{is_loaded, ordinary_user};
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::{SHARED, Server};
use testkit::session::{FUNCTIONS, Proxy, Rejection, init, one, rejection, rejects, run, user_id, ways_to_present};

use crate::support::jwks_url::entry;
use crate::support::key_fetcher::reload_after;

fn unusable() -> String {
    messages::unusable("providers", messages::JWKS_URL_NEEDS_PRELOAD)
}

const HINT: &str = "Add pg_session_jwt to shared_preload_libraries and restart the server, or provide the keys with \"jwks\" \
                    or \"jwks_file\".";

/// The rejection of a list whose provider at this position, from 1, has a URL.
fn rejected(message: &str, place: u32) -> Rejection {
    Rejection {
        sqlstate: "55000".to_owned(),
        message: message.to_owned(),
        detail: Some(format!("Provider {place} has a \"jwks_url\".")),
        hint: Some(HINT.to_owned()),
    }
}

/// A key of the connection and claims, which weaker modes would trust.
fn weaker(proxy: &Proxy) -> String {
    format!(r#"{} -c request.jwt.claims={{"sub":"mallory"}}"#, proxy.options())
}

#[track_caller]
fn every_call_fails(client: &mut Client, proxy: &mut Proxy, place: u32, after: &dyn Display) {
    let token = proxy.token_of("mallory");
    let mut calls: Vec<String> = FUNCTIONS.map(|call| format!("select auth.{call}()")).to_vec();
    calls.extend(ways_to_present(&token));
    for sql in calls {
        assert_eq!(rejection(client, &sql), rejected(&unusable(), place), "after {after}");
    }
    let status = "select concat_ws(' ', mode, identity, reason) from auth.status()";
    let expected = format!("unusable f {} (Provider {place} has a \"jwks_url\".)", unusable());
    assert_eq!(one::<String>(client, status), expected, "after {after}");
    assert!(is_loaded(client));
}

#[test]
fn setting_it_interactively_is_an_error() {
    let inline = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(inline.key_set()));
    let database = SHARED.database();
    let user = ordinary_user(&SHARED, &database);
    let mut admin = SHARED.connect(&database, "postgres", "");
    run(
        &mut admin,
        &format!("set pg_session_jwt.providers = '[{}]'", inline.entry("")),
    );
    init(&mut admin, &inline.token("alice"));
    let first = format!("'[{}]'", entry("b", &keys.url()));
    let second = format!("'[{},{}]'", inline.entry(""), entry("b", &keys.url()));
    for (value, place) in [(&first, 1), (&second, 2)] {
        for set in ["set", "set session", "begin; set local"] {
            let sql = format!("{set} pg_session_jwt.providers = {value}");
            assert_eq!(
                rejection(&mut admin, &sql),
                rejected(messages::JWKS_URL_NEEDS_PRELOAD, place),
                "{set}"
            );
            run(&mut admin, "rollback");
        }
        for place_of_setting in [
            format!("alter database {database}"),
            format!("alter role {user}"),
            format!("alter role {user} in database {database}"),
            "alter role all".to_owned(),
        ] {
            let sql = format!("{place_of_setting} set pg_session_jwt.providers = {value}");
            assert_eq!(
                rejection(&mut admin, &sql),
                rejected(messages::JWKS_URL_NEEDS_PRELOAD, place),
                "{place_of_setting}"
            );
        }
    }
    // The earlier value still applies.
    assert_eq!(user_id(&mut admin).as_deref(), Some("alice"));
    let stored = "select count(*) from pg_db_role_setting, unnest(setconfig) it where it like '%jwks_url%'
                   and setdatabase = (select oid from pg_database where datname = current_database())";
    assert_eq!(one::<i64>(&mut admin, stored), 0);
    assert_eq!(keys.requests(), 0);
}

#[test]
fn stored_for_a_role_or_database_every_call_fails() {
    // While the library is not loaded PostgreSQL accepts any value.
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let database = SHARED.database();
    let user = ordinary_user(&SHARED, &database);
    let mut admin = SHARED.connect("postgres", "postgres", "");
    let value = format!("'[{},{}]'", provider.entry(""), entry("b", &keys.url()));
    for place in [
        format!("alter database {database}"),
        format!("alter role {user}"),
        format!("alter role {user} in database {database}"),
    ] {
        run(&mut admin, &format!("{place} set pg_session_jwt.providers = {value}"));
        for load in ["", "alter database DB set session_preload_libraries = 'pg_session_jwt'"] {
            run(&mut admin, &load.replace("DB", &database));
            let mut proxy = Proxy::new();
            let mut client = SHARED.connect(&database, &user, &weaker(&proxy));
            assert_eq!(is_loaded(&mut client), !load.is_empty());
            every_call_fails(&mut client, &mut proxy, 2, &place);
            run(
                &mut client,
                r#"reset all; set request.jwt.claims = '{"sub":"mallory"}'"#,
            );
            every_call_fails(&mut client, &mut proxy, 2, &place);
        }
        run(
            &mut admin,
            &format!("alter database {database} reset session_preload_libraries"),
        );
        run(&mut admin, &format!("{place} reset pg_session_jwt.providers"));
    }
    assert_eq!(keys.requests(), 0);
}

#[test]
fn in_the_servers_file_every_call_fails() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let conf = format!("pg_session_jwt.providers = '[{}]'", entry("a", &keys.url()));
    let at_start = format!("session_preload_libraries = 'pg_session_jwt'\n{conf}");
    for (conf, loaded) in [(&conf, false), (&at_start, true)] {
        let server = Server::start(conf);
        let database = server.database();
        let user = ordinary_user(&server, &database);
        let mut proxy = Proxy::new();
        let mut client = server.connect(&database, &user, &weaker(&proxy));
        assert_eq!(is_loaded(&mut client), loaded);
        every_call_fails(&mut client, &mut proxy, 1, &conf);
        run(&mut client, "discard all");
        every_call_fails(&mut client, &mut proxy, 1, &conf);
        let mut admin = server.connect(&database, "postgres", "");
        assert_eq!(
            rejection(&mut admin, "select auth.providers()"),
            rejected(&unusable(), 1)
        );
        // Providers that do not need the worker can be used instead.
        run(
            &mut admin,
            &format!("set pg_session_jwt.providers = '[{}]'", provider.entry("")),
        );
        init(&mut admin, &provider.token("alice"));
        assert_eq!(user_id(&mut admin).as_deref(), Some("alice"));
    }
    assert_eq!(keys.requests(), 0);
}

#[test]
fn reload_that_adds_it_ends_every_identity() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let server = Server::start(&format!("pg_session_jwt.providers = '[{}]'", provider.entry("")));
    let mut proxy = Proxy::new();
    let mut client = server.connect("template1", "postgres", &weaker(&proxy));
    init(&mut client, &provider.token("alice"));
    let mut admin = server.connect("postgres", "postgres", "");
    let alter = format!(
        "alter system set pg_session_jwt.providers = '[{}]'",
        entry("a", &keys.url())
    );
    reload_after(&mut admin, &alter);
    wait_until("the session to read its settings", || {
        one::<String>(&mut client, "show pg_session_jwt.providers").contains("jwks_url")
    });
    every_call_fails(&mut client, &mut proxy, 1, &alter);
    assert_eq!(keys.requests(), 0);
}

#[test]
fn value_set_before_library_load_is_not_ignored() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let mut client = SHARED.connect(&SHARED.database(), "postgres", &weaker(&Proxy::new()));
    assert!(!is_loaded(&mut client));
    run(
        &mut client,
        &format!("set pg_session_jwt.providers = '[{}]'", entry("a", &keys.url())),
    );
    for sql in ["select auth.user_id()", "select auth.session()", "select auth.init()"] {
        rejects(&mut client, sql, "55000", messages::PROVIDERS_NOT_APPLIED);
    }
    assert_eq!(one::<String>(&mut client, "select mode from auth.status()"), "unusable");
    assert_eq!(keys.requests(), 0);
}
