//! Requests that outlive a token, and keys that are withdrawn while connections are open.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;
use testkit::server::Server;
use testkit::session::run;
use testkit::signer::Signer;

use super::scene::{MALLORY, Scene, WHO, database_with_rows};
use crate::running::Gateway;
use crate::{SERVER, SIGNER, create_login, settings, token, token_of};

/// A scene without leeway.
fn strict() -> Scene {
    let database = database_with_rows(&SERVER);
    let strict = format!("alter database {database} set pg_session_jwt.leeway = 0");
    run(&mut SERVER.connect(&database, "postgres", ""), &strict);
    Scene::on(&SERVER, &database)
}

/// attack: 52, 82
#[test]
fn a_transaction_does_not_extend_the_identity() {
    let scene = strict();
    let insert = "insert into public.todos (task) values ('late')";
    for (begin, again) in [
        (WHO, WHO),
        (
            "declare c cursor for select auth.user_id() from generate_series(1, 2)",
            "fetch c",
        ),
        ("declare c cursor for select task from public.todos", "fetch c"),
        (insert, insert),
        ("prepare p as select auth.user_id()", "execute p"),
        ("savepoint s", "select auth.jwt_session_init('{short}')"),
    ] {
        let short = token(MALLORY, 1);
        let again = again.replace("{short}", &short);
        let answer = scene.answer(&scene.gateway.with(&short), &[begin, "select pg_sleep(1.1)", &again]);
        assert_eq!(answer, json!("28000"), "{again}");
    }
    scene.mallory_gets(&[WHO], &json!([[MALLORY, "own"]]));
}

/// A provider replaces its key while the gateway's connection is open.
/// attack: 133, 148
#[rstest]
#[case("alter system", "28000")]
// The session has other providers than are stored for its database. The gateway connects again.
#[case("alter database {database}", "55000")]
fn a_withdrawn_key(#[case] place: &str, #[case] first: &str) {
    let server = Server::start(&settings());
    create_login(&server);
    let database = database_with_rows(&server);
    let mut admin = server.connect(&database, "postgres", "");
    let trust = |signer: &Signer| {
        let jwk = signer.jwk(r#""kid":"k1""#);
        let set = format!(
            "{place} set pg_session_jwt.providers =
             '[{{\"issuer\":\"https://id.example/\",\"jwks\":{{\"keys\":[{jwk}]}}}}]'"
        );
        set.replace("{database}", &database)
    };
    run(&mut admin, &trust(&SIGNER));
    let gateway = Gateway::start(&server, &database, &["--max-connections=1"]);
    let old = token(MALLORY, 600);
    assert_eq!(gateway.with(&old).rows(WHO), json!([[MALLORY, "own"]]));
    let new = Signer::ed25519();
    run(&mut admin, &trust(&new));
    run(&mut admin, "select pg_reload_conf()");
    // A younger connection is not replaced.
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(gateway.with(&old).error(WHO), first);
    let new = token_of(&new, "https://id.example/", MALLORY, 600);
    assert_eq!(gateway.with(&new).rows(WHO), json!([[MALLORY, "own"]]));
    assert_eq!(gateway.with(&old).error(WHO), "28000");
}

/// A server whose provider has no keys, and a gateway with one connection.
fn without_keys(issuer: &str) -> (Server, String, Gateway) {
    let server = Server::start(&settings());
    create_login(&server);
    let database = database_with_rows(&server);
    set_provider(&server, &database, issuer);
    let gateway = Gateway::start(&server, &database, &["--max-connections=1"]);
    (server, database, gateway)
}

fn set_provider(server: &Server, database: &str, issuer: &str) {
    let set = format!(
        "alter database {database} set pg_session_jwt.providers =
         '[{{\"issuer\":\"{issuer}\",\"jwks_file\":\"/no/such/file\"}}]'"
    );
    run(&mut server.connect(database, "postgres", ""), &set);
}

/// A visitor has no token, whose rejection would show that the connection is outdated. The functions of the extension do.
/// attack: 148
#[test]
fn a_visitor_after_the_providers_have_changed() {
    let (server, database, gateway) = without_keys("https://a.example/");
    let visitor = gateway.client("anonymous", None);
    assert_eq!(visitor.rows("select auth.user_id()"), json!([[null]]));
    set_provider(&server, &database, "https://b.example/");
    run(
        &mut server.connect(&database, "postgres", ""),
        "select pg_reload_conf()",
    );
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(visitor.error("select auth.user_id()"), "55000");
    assert_eq!(visitor.rows("select auth.user_id()"), json!([[null]]));
}

/// Tokens of a provider without keys, and errors of the user's own, have the SQLSTATE of an outdated connection, too.
/// attack: 111
#[test]
fn errors_cost_one_connection_a_second() {
    let issuer = "https://down.example/";
    let (_server, _, gateway) = without_keys(issuer);
    let forged = gateway.with(&token_of(&Signer::ed25519(), issuer, "x", 600));
    let visitor = gateway.client("anonymous", None);
    let raise = "do $$ begin raise 'x' using errcode = '55000'; end $$";
    let begin = Instant::now();
    let mut processes = BTreeSet::new();
    for _ in 0..50 {
        assert_eq!(forged.error(WHO), "55000");
        assert_eq!(visitor.error(raise), "55000");
        processes.insert(visitor.rows("select pg_backend_pid()").to_string());
    }
    let most = 2 + begin.elapsed().as_secs();
    assert!(processes.len() as u64 <= most, "{processes:?} in {:?}", begin.elapsed());
}

/// The end of a transaction can run code, too: that of a deferred trigger.
/// attack: 111
#[test]
fn an_error_at_commit_replaces_the_connection() {
    let database = database_with_rows(&SERVER);
    run(
        &mut SERVER.connect(&database, "postgres", ""),
        "create table late (i int);
         grant insert on late to anonymous;
         create function rejects() returns trigger language plpgsql
             as $$ begin raise 'providers have changed' using errcode = '55000'; end $$;
         create constraint trigger rejects after insert on late deferrable initially deferred
             for each row execute function rejects()",
    );
    let gateway = Gateway::start(&SERVER, &database, &["--max-connections=1"]);
    let visitor = gateway.client("anonymous", None);
    let process = || visitor.rows("select pg_backend_pid()");
    let first = process();
    assert_eq!(process(), first);
    // A younger connection is not replaced.
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(visitor.error("insert into late values (1)"), "55000");
    assert_ne!(process(), first);
}
