//! Settings that an attacker tries to set, store, read or remove.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::session::{now, one};

use super::scene::{MALLORY, Scene, WHO, database_with_rows, victim};
use crate::SERVER;

/// attack: 64
#[rstest]
#[case("reset pg_session_jwt.jwt", json!([[null, null]]))]
#[case("set pg_session_jwt.jwt = ''", json!([[null, null]]))]
#[case("set pg_session_jwt.jwt to default", json!([[null, null]]))]
#[case("set local pg_session_jwt.jwt = ''", json!([[null, null]]))]
#[case("select set_config('pg_session_jwt.jwt', null, false)", json!([[null, null]]))]
#[case("reset all", json!([[null, null]]))]
#[case("discard plans", json!([[MALLORY, "own"]]))]
#[case("discard temp", json!([[MALLORY, "own"]]))]
#[case("discard sequences", json!([[MALLORY, "own"]]))]
#[case("set pg_session_jwt.optimize_policies = off", json!([[MALLORY, "own"]]))]
fn ending_an_identity_gives_no_other(#[case] sql: &str, #[case] left: Value) {
    Scene::shared().mallory_gets(&[sql, WHO], &left);
}

/// attack: 64, 66, 132
#[rstest]
#[case("pg_session_jwt.jwt", "'***'", "28000")]
#[case("pg_session_jwt.jwt", "'{bob}'", "28000")]
#[case("pg_session_jwt.jwt", "'{forged}'", "28000")]
#[case("pg_session_jwt.user_id", "'{bob}'", "42602")]
#[case("pg_session_jwt.providers", "''", "42501")]
#[case("pg_session_jwt.claims_fallback", "on", "42501")]
#[case("pg_session_jwt.client_keys", "on", "55P02")]
#[case("pg_session_jwt.leeway", "300", "42501")]
#[case("pg_session_jwt.audit_log", "off", "42501")]
#[case("pg_session_jwt.log_user_id", "off", "42501")]
#[case("pg_session_jwt.jwk", "''", "55P02")]
#[case("session_preload_libraries", "'x'", "42501")]
fn no_setting_can_be_set(#[case] name: &str, #[case] value: &str, #[case] code: &str) {
    let scene = Scene::shared();
    let ways = [
        format!("set {name} = {value}"),
        format!("set local {name} = {value}"),
        format!("select set_config('{name}', '{}', false)", value.trim_matches('\'')),
        format!("do $$ begin reset role; set {name} = {value}; end $$"),
    ];
    for sql in &ways {
        scene.mallory_gets(&[sql], &json!(code));
        scene.visitor_gets(&[sql], &json!(code));
    }
}

/// attack: 62, 66, 69, 99, 132
#[rstest]
#[case("reset pg_session_jwt.providers", "42501")]
#[case("reset pg_session_jwt.jwk", "55P02")]
#[case("update pg_settings set setting = 'x' where name = 'pg_session_jwt.leeway'", "42501")]
#[case("update pg_settings set setting = 'x' where name = 'pg_session_jwt.jwk'", "55P02")]
#[case("alter system set pg_session_jwt.jwt = '{hers}'", "25001")]
#[case("do $$ begin alter system set log_statement = 'all'; end $$", "25001")]
#[case("alter role all set pg_session_jwt.jwt = ''", "42501")]
#[case("alter role current_user set pg_session_jwt.jwt = '{hers}'", "42501")]
#[case("alter role current_user set pg_session_jwt.jwt from current", "42501")]
#[case("alter role current_user set pg_session_jwt.providers = ''", "42501")]
#[case("alter role current_user set pg_session_jwt.claims_fallback = on", "42501")]
#[case("alter role current_user set pg_session_jwt.jwk = 'x'", "55P02")]
#[case("alter role current_user set request.jwt.claims = '{}'", "42501")]
#[case("alter role current_user set session_preload_libraries = 'x'", "42501")]
#[case(
    "create function pg_temp.f() returns int language sql set pg_session_jwt.jwt = '{hers}' as 'select 1'",
    "42501"
)]
#[case(
    "create function pg_temp.f() returns int language sql set pg_session_jwt.jwt from current as 'select 1'",
    "42501"
)]
#[case(
    "create function pg_temp.f() returns int language sql set pg_session_jwt.leeway = 300 as 'select 1'",
    "42501"
)]
#[case(
    "create function pg_temp.f() returns int language sql set request.jwt.claims = '{}' as 'select 1'",
    "42501"
)]
#[case("show pg_session_jwt.providers", "42501")]
#[case("select current_setting('pg_session_jwt.providers')", "42501")]
#[case("select * from auth.providers()", "42501")]
#[case("select * from pg_file_settings", "42501")]
#[case("select pg_read_file('postgresql.auto.conf')", "42501")]
#[case("select pg_reload_conf()", "42501")]
fn no_setting_can_be_stored_or_read(#[case] sql: &str, #[case] code: &str) {
    let scene = Scene::shared();
    scene.mallory_gets(&[sql], &json!(code));
    // As the login.
    scene.mallory_gets(&["reset role", sql], &json!(code));
}

/// The provider has a symmetric key, with which anybody who reads it could sign.
/// attack: 44, 99, 100
#[test]
fn no_view_shows_a_key_or_a_token() {
    let scene = Scene::shared();
    let secret_key = victim().secret_key();
    let (_, secret) = secret_key.split_once(r#""k":""#).unwrap();
    let (secret, _) = secret.split_once('"').unwrap();
    let token = scene.sql("{hers}");
    let (_, signature) = token.rsplit_once('.').unwrap();
    for view in [
        "select s::text from pg_settings s",
        "show all",
        "select setconfig::text from pg_db_role_setting",
        "select datname, (select string_agg(e::text, ' ') from pg_shdescription e) from pg_database",
        "select s::text from pg_show_all_settings() s",
    ] {
        for role in ["set role authenticated", "reset role"] {
            let (status, body) = scene.mallory().batch(&[role, view]);
            assert_eq!(status, 200, "{body}");
            let shown = body.to_string();
            assert!(!shown.contains(secret) && !shown.contains(signature), "{view}");
        }
    }
    scene.mallory_gets(&["show pg_session_jwt.jwt"], &json!([["***"]]));
    let mut admin = SERVER.connect("postgres", "postgres", "");
    let shown: String = one(&mut admin, "show pg_session_jwt.providers");
    assert!(shown.contains(secret), "there is a secret to be seen");
}

/// attack: 65
#[rstest]
#[case(r#"set request.jwt.claims = '{"sub":"{bob}"}'"#)]
#[case(r#"set local request.jwt.claims = '{"sub":"{bob}"}'"#)]
#[case(r#"select set_config('request.jwt.claims', '{"sub":"{bob}"}', false)"#)]
#[case("set request.jwt.claim.sub = '{bob}'")]
fn claims_are_not_trusted(#[case] sql: &str) {
    let scene = Scene::shared();
    scene.mallory_gets(&[sql, WHO], &json!([[MALLORY, "own"]]));
    scene.visitor_gets(&[sql, WHO], &json!([[null, null]]));
}

/// Nor is the setting defined, on which policies of other applications may depend.
/// attack: 138
#[test]
fn no_setting_of_claims_is_defined() {
    let scene = Scene::on(&SERVER, &database_with_rows(&SERVER));
    let asked = "select current_setting('request.jwt.claims', true)";
    scene.mallory_gets(&[WHO, asked], &json!([[null]]));
    scene.mallory_gets(&["show request.jwt.claims"], &json!("42704"));
}

/// attack: 69
#[test]
fn a_set_clause_gives_no_other_identity() {
    let scene = Scene::shared();
    let emptied = "create function pg_temp.emptied() returns text language sql set pg_session_jwt.jwt = ''
                   as $$ select coalesce(auth.user_id(), '(none)') || count(*) from public.todos $$";
    scene.mallory_gets(&[emptied, "select pg_temp.emptied()"], &json!([["(none)0"]]));
    scene.mallory_gets(&[emptied, "select pg_temp.emptied()", WHO], &json!([[MALLORY, "own"]]));
    let overrides =
        "create function pg_temp.overrides(token text) returns text language plpgsql set pg_session_jwt.jwt = ''
                     as $$ begin perform set_config('pg_session_jwt.jwt', token, false); return auth.user_id(); end $$";
    scene.mallory_gets(&[overrides, "select pg_temp.overrides('{forged}')"], &json!("28000"));
    scene.mallory_gets(&[overrides, "select pg_temp.overrides('{other}')"], &json!([["other"]]));
}

/// A superuser's function allows no leeway for the rest of the request. That cannot be undone.
/// attack: 150
#[rstest]
#[case("reset all")]
#[case("reset pg_session_jwt.leeway")]
#[case("set pg_session_jwt.leeway to default")]
fn settings_of_a_superuser_cannot_be_undone(#[case] undo: &str) {
    let scene = Scene::shared();
    let late = victim().payload_of(&format!(r#""sub":"{MALLORY}","exp":{}"#, now() - 20));
    let late = victim().signed(testkit::forgeries::HEADER, late);
    let present = format!("select auth.jwt_session_init('{late}')");
    scene.visitor_gets(&[&present, WHO], &json!([[MALLORY, "own"]]));
    let expected = if undo == "reset all" { "28000" } else { "42501" };
    scene.visitor_gets(&["select public.tighten(true)", undo, &present], &json!(expected));
    scene.visitor_gets(&[&present, WHO], &json!([[MALLORY, "own"]]));
}
