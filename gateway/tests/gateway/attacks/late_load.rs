//! A server that does not preload the library: a connection loads it in the first request that needs it, which may be
//! hostile. docs/hardening.md advises against such a server.

use std::sync::{LazyLock, Mutex, PoisonError};

use rstest::rstest;
use serde_json::{Value, json};
use testkit::server::Server;
use testkit::session::Proxy;

use super::scene::{Scene, WHO, database_with_rows};
use crate::{create_login, trust};

/// attack: 61
#[rstest]
#[case("set pg_session_jwt.providers = ''", json!([[null, null]]))]
#[case("set pg_session_jwt.providers = '{own}'", json!([[null, null]]))]
#[case("set local pg_session_jwt.providers = '{own}'", json!([[null, null]]))]
#[case("set pg_session_jwt.jwk = '{key}'", json!([[null, null]]))]
#[case("set pg_session_jwt.claims_fallback = on", json!([[null, null]]))]
#[case("set pg_session_jwt.client_keys = on", json!([[null, null]]))]
#[case("set pg_session_jwt.jwt = '{forged}'", json!([[null, null]]))]
#[case("reset all", json!([[null, null]]))]
fn settings_before_the_library_give_no_rows(#[case] before: &str, #[case] expected: Value) {
    static LATE: LazyLock<(Server, String)> = LazyLock::new(|| {
        let server = Server::start(&trust(""));
        create_login(&server);
        let database = database_with_rows(&server);
        (server, database)
    });
    // Scenes on one server wait for each other: the process of a connection is compared.
    static ONE_BY_ONE: Mutex<()> = Mutex::new(());
    let _turn = ONE_BY_ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (server, database) = &*LATE;
    let key = Proxy::new().jwk();
    let own = format!(r#"[{{"issuer":"https://mallory.example/","jwks":{{"keys":[{key}]}}}}]"#);
    let before = before.replace("{own}", &own).replace("{key}", &key);
    let claims = r#"set request.jwt.claims = '{"sub":"{bob}"}'"#;
    let loaded = "select count(*) from pg_settings where name = 'pg_session_jwt.jwt'";
    Scene::on(server, database).visitor_gets(&[&before, loaded], &json!([["0"]]));
    Scene::on(server, database).visitor_gets(&[claims, &before, WHO], &expected);
}
