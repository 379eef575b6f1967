//! A client's startup packet shadows the server's file while the library is not loaded.
//!
//! A shadowed value is different from an unset one.

use testkit::key_server::wait_until;
use testkit::loading::{is_loaded, ordinary_user};
use testkit::messages;
use testkit::provider::{self, Provider};
use testkit::server::{SHARED, Server};
use testkit::session::{Proxy, init, one, rejection, rejects, run, user_id};
use testkit::signer::Signer;

use crate::support::strict::{STRICT, stays_strict};

#[test]
fn restrictions_of_the_file_survive_a_startup_packet() {
    let database = STRICT.database();
    let user = ordinary_user(&STRICT, &database);
    for options in ["-c pg_session_jwt.claims_fallback=on", "-c pg_session_jwt.leeway=300"] {
        let mut client = STRICT.connect(&database, &user, options);
        run(&mut client, r#"set request.jwt.claims = '{"sub":"mallory"}'"#);
        stays_strict(&mut client, options);
    }
}

#[test]
fn audit_log_of_the_file_survives_a_startup_packet() {
    let server = Server::start("pg_session_jwt.audit_log = on");
    let database = server.database();
    let user = ordinary_user(&server, &database);
    let mut proxy = Proxy::new();
    let options = format!("{} -c pg_session_jwt.audit_log=off", proxy.options());
    let mut client = server.connect(&database, &user, &options);
    init(&mut client, &proxy.token_of("unseen"));
    assert!(server.log().contains(r#""sub":"unseen""#), "{}", server.log());
}

/// Asserts that only the provider's tokens are accepted, whatever this user puts into the startup packet.
fn only_the_provider_is_trusted(server: &Server, database: &str, provider: &Provider) {
    let user = ordinary_user(server, database);
    let mut proxy = Proxy::new();
    let own_key = format!(r#"{} -c request.jwt.claims={{"sub":"mallory"}}"#, proxy.options());
    let covers = [
        "",
        "-c pg_session_jwt.providers=",
        "-c pg_session_jwt.providers=[]",
        "--pg-session-jwt.PROVIDERS=",
    ];
    for cover in covers {
        let mut client = server.connect(database, &user, &format!("{own_key} {cover}"));
        assert!(!is_loaded(&mut client));
        let forged = format!("select auth.jwt_session_init('{}')", proxy.token_of("mallory"));
        let rejected = rejection(&mut client, &forged);
        assert!(
            ["28000", "55000"].contains(&rejected.sqlstate.as_str()),
            "{cover}: {rejected:?}"
        );
        let mode: String = one(&mut client, "select mode from auth.status() where not identity");
        assert!(["provider", "unusable"].contains(&mode.as_str()), "{cover}: {mode}");
    }
    let own = Provider::new("https://issuer.example/");
    for sql in [
        "set pg_session_jwt.providers = ''".to_owned(),
        "reset pg_session_jwt.providers".to_owned(),
        "begin; set local pg_session_jwt.providers = ''".to_owned(),
        format!("set pg_session_jwt.providers = '[{}]'", own.entry("")),
    ] {
        let mut client = server.connect(database, &user, "");
        run(&mut client, &sql);
        assert!(!is_loaded(&mut client));
        let forged = format!("select auth.jwt_session_init('{}')", own.token("mallory"));
        let rejected = rejection(&mut client, &forged);
        assert_eq!(rejected.message, messages::INVALID_SIGNATURE, "{sql}");
    }
    let mut client = server.connect(database, &user, "");
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

/// attack: 61
#[test]
fn providers_of_the_file_survive_a_startup_packet() {
    let provider = Provider::new("https://issuer.example/");
    let server = Server::start(&format!("pg_session_jwt.providers = '[{}]'", provider.entry("")));
    only_the_provider_is_trusted(&server, &server.database(), &provider);
}

#[test]
fn providers_of_the_database_survive_a_startup_packet() {
    let provider = Provider::new("https://issuer.example/");
    only_the_provider_is_trusted(&SHARED, &provider::database(&[provider.entry("")]), &provider);
}

/// attack: 44, 100
#[test]
fn secret_readable_by_ordinary_users_verifies_nothing() {
    // A placeholder hides nothing: while the library is not loaded every role can read the file's value.
    let secret = Signer::hmac(32);
    let key = secret.jwk("");
    let server = Server::start(&format!(
        r#"pg_session_jwt.providers = '[{{"issuer":"a","jwks":{{"keys":[{key}]}}}}]'"#
    ));
    let database = server.database();
    let mut client = server.connect(&database, &ordinary_user(&server, &database), "");
    let shown: String = one(
        &mut client,
        "select coalesce(current_setting('pg_session_jwt.providers', true), '')",
    );
    let token = secret.token("HS256", r#"{"iss":"a","sub":"mallory"}"#);
    let taken = client
        .batch_execute(&format!("select auth.jwt_session_init('{token}')"))
        .is_ok();
    assert!(
        !(taken && shown.contains(&key)),
        "a secret that every role can read is trusted"
    );
}

#[test]
fn empty_key_in_the_packet_does_not_enable_claims_mode() {
    let owner = Proxy::new();
    let server = Server::start(&format!("pg_session_jwt.jwk = '{}'", owner.jwk()));
    let database = server.database();
    let user = ordinary_user(&server, &database);
    let options = r#"-c pg_session_jwt.jwk= -c request.jwt.claims={"sub":"mallory"}"#;
    let mut client = server.connect(&database, &user, options);
    assert!(!is_loaded(&mut client));
    let accepted = client
        .query_one("select auth.user_id()", &[])
        .map(|row| row.get::<_, Option<String>>(0));
    assert_ne!(accepted.ok().flatten().as_deref(), Some("mallory"));
    run(&mut client, "reset all");
    let shown = client
        .query_one("select auth.session()::text", &[])
        .map(|row| row.get::<_, String>(0));
    assert!(shown.as_ref().map_or(true, |shown| shown == "null"), "{shown:?}");
}

#[test]
fn settings_of_an_ordinary_user_do_not_depend_on_loading() {
    let server = Server::start("");
    let database = server.database();
    let user = ordinary_user(&server, &database);
    run(
        &mut server.connect(&database, "postgres", ""),
        "create function definer_sees() returns text language sql security definer as
             'select mode || '' '' || setting from auth.status(), pg_settings where name = ''pg_session_jwt.leeway'''",
    );
    let own = Provider::new("a");
    let providers = format!("set pg_session_jwt.providers = '[{}]'", own.entry(""));
    for (sql, seen) in [
        ("select 1", "claims 60"),
        (
            "set pg_session_jwt.claims_fallback = on; set pg_session_jwt.leeway = 300",
            "off 0",
        ),
        (providers.as_str(), "unusable 60"),
        ("set pg_session_jwt.jwk = '{}'", "unusable 60"),
    ] {
        let mut client = server.connect(&database, &user, "");
        run(&mut client, sql);
        assert!(!is_loaded(&mut client));
        assert_eq!(one::<String>(&mut client, "select definer_sees()"), seen, "after {sql}");
    }
}

#[test]
fn providers_rejected_at_library_load_are_not_unset() {
    let claims = r#"-c request.jwt.claims={"sub":"mallory"}"#;
    let (plain, with_empty) = (SHARED.database(), SHARED.database());
    provider::set_providers(&with_empty, "");
    let as_a_function = "create function f() returns text language sql set pg_session_jwt.providers = 'not JSON'
                         as 'select auth.user_id()'";
    for database in [plain, with_empty] {
        let mut client = SHARED.connect(&database, "postgres", claims);
        run(&mut client, "set pg_session_jwt.providers = 'not JSON'");
        assert!(!is_loaded(&mut client));
        rejects(
            &mut client,
            "select auth.user_id()",
            "55000",
            messages::PROVIDERS_NOT_APPLIED,
        );
        let mut client = SHARED.connect(&database, "postgres", claims);
        run(&mut client, as_a_function);
        assert!(!is_loaded(&mut client));
        rejects(&mut client, "select f()", "55000", messages::PROVIDERS_NOT_APPLIED);
        rejects(
            &mut client,
            "select auth.session()",
            "55000",
            messages::PROVIDERS_NOT_APPLIED,
        );
    }
}

#[test]
fn empty_server_key_does_not_unset_a_dropped_one() {
    let server = Server::start("pg_session_jwt.jwk = ''");
    let mut client = server.connect("template1", "postgres", r#"-c request.jwt.claims={"sub":"mallory"}"#);
    run(&mut client, "set pg_session_jwt.jwk = '{}'");
    assert!(!is_loaded(&mut client));
    rejects(&mut client, "select auth.user_id()", "55000", messages::JWK_NOT_APPLIED);
}

#[test]
fn value_removed_from_the_servers_file_is_unset() {
    let server = Server::start("");
    let mut admin = server.connect("template1", "postgres", "");
    // PostgreSQL 15 writes only known settings into the file.
    run(&mut admin, "select auth.user_id()");
    let before = "select concat_ws(' ', mode, (select setting from pg_settings where name = 'pg_session_jwt.leeway'),
                                    (select setting from pg_settings where name = 'pg_session_jwt.audit_log'))
                  from auth.status()";
    let seen = || one::<String>(&mut server.connect("template1", "postgres", ""), before);
    assert_eq!(seen(), "claims 60 off");
    let provider = Provider::new("a");
    let settings = [
        ("providers", format!("[{}]", provider.entry(""))),
        ("jwk", Proxy::new().jwk()),
        ("leeway", "10".to_owned()),
        ("claims_fallback", "off".to_owned()),
        ("audit_log", "on".to_owned()),
    ];
    let reload = |admin: &mut postgres::Client, setting: &str, is_set: bool| {
        run(admin, "select pg_reload_conf()");
        // A new session has what the postmaster has.
        let shown = format!("select coalesce(current_setting('pg_session_jwt.{setting}', true), '') <> ''");
        wait_until(setting, || {
            one::<bool>(&mut server.connect("template1", "postgres", ""), &shown) == is_set
        });
    };
    for (setting, value) in settings {
        run(
            &mut admin,
            &format!("alter system set pg_session_jwt.{setting} = '{value}'"),
        );
        reload(&mut admin, setting, true);
        assert_ne!(seen(), "claims 60 off", "{setting}");
        run(&mut admin, &format!("alter system reset pg_session_jwt.{setting}"));
        reload(&mut admin, setting, false);
        assert_eq!(seen(), "claims 60 off", "{setting}");
    }
}
