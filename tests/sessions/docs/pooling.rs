//! The blocks of docs/pooling.md, through PgBouncer in the mode that each block names.

use std::collections::HashMap;

use postgres::Client;
use testkit::guide::{PsqlSession, page};
use testkit::messages;
use testkit::pgbouncer::PgBouncer;
use testkit::session::{Proxy, rejects, rows, run};

use crate::support::pooling::{PROVIDER, SERVER, database};

const MODES: [&str; 3] = ["transaction", "session", "statement"];

#[test]
fn blocks_run_and_leave_no_identity() {
    let database = database();
    let page = page("pooling");
    let reset = page.iter().find(|block| block.fence == "ini transaction").unwrap();
    let mut runs = Vec::new();
    for conf in ["", &reset.text] {
        let poolers = MODES.map(|mode| PgBouncer::start(&SERVER, mode, conf));
        for block in page.iter().filter(|block| block.fence.starts_with("sql")) {
            let mode = MODES.iter().position(|mode| block.fence == format!("sql {mode}"));
            let session = PsqlSession {
                server: &SERVER,
                port: mode.map_or(SERVER.port(), |mode| poolers[mode].port),
                user: if mode.is_some() { "app" } else { "postgres" },
                database: &database,
                options: "",
                variables: HashMap::from([("alice", PROVIDER.token("alice")), ("bob", PROVIDER.token("bob"))]),
            };
            session.runs(block);
            if let Some(mode) = mode {
                let anonymous = rows(
                    &mut poolers[mode].connect(&database),
                    "select current_user, auth.user_id()",
                );
                assert_eq!(anonymous, [[Some("app".to_owned()), None]], "{}", block.text);
                runs.push(MODES[mode]);
            }
        }
        run(
            &mut SERVER.connect(&database, "postgres", ""),
            "drop function todos_of(text)",
        );
    }
    for mode in MODES {
        assert!(runs.contains(&mode), "no block ran in {mode} mode");
    }
}

/// The page's test for the leak sees it, and sees its end.
#[test]
fn leak_is_detected_until_the_scope_ends_it() {
    let database = database();
    let page = page("pooling");
    let test = page
        .iter()
        .find(|block| block.text.contains("SELECT identity, user_id"))
        .unwrap();
    let pgbouncer = PgBouncer::start(&SERVER, "transaction", "");
    let (mut alice, mut stranger) = (pgbouncer.connect(&database), pgbouncer.connect(&database));
    let found = |client: &mut Client, user: Option<&str>| {
        let identity = if user.is_some() { "t" } else { "f" };
        let expected = [[Some(identity.to_owned()), user.map(str::to_owned)]];
        assert_eq!(rows(client, &test.text), expected);
    };
    found(&mut stranger, None);
    let token = PROVIDER.token("alice");
    let mistake = format!("set local role authenticated; select auth.jwt_session_init('{token}')");
    run(&mut alice, &mistake);
    found(&mut stranger, Some("alice"));
    // Without the role there would be no trace of it.
    let anonymous = [["app", "f"].map(|text| Some(text.to_owned()))];
    assert_eq!(
        rows(&mut stranger, "select current_user, identity from auth.status()"),
        anonymous
    );
    run(
        &mut SERVER.connect(&database, "postgres", ""),
        &format!("alter role app in database {database} set pg_session_jwt.identity_scope = transaction"),
    );
    found(&mut stranger, None);
    rejects(&mut alice, &mistake, "55000", messages::OUTLASTS_TRANSACTION);
    found(&mut stranger, None);
}

#[test]
fn key_of_a_connection_does_not_pass_the_pooler() {
    let database = database();
    let proxy = Proxy::new();
    let pgbouncer = PgBouncer::start(&SERVER, "session", "");
    let rejected = pgbouncer.try_connect(&database, &proxy.options()).err().unwrap();
    let rejected = rejected.as_db_error().unwrap();
    assert!(
        rejected.message().starts_with("unsupported startup parameter"),
        "{rejected}"
    );

    let pgbouncer = PgBouncer::start(&SERVER, "session", "ignore_startup_parameters = options");
    let mut client = pgbouncer.try_connect(&database, &proxy.options()).unwrap();
    let key = rows(&mut client, "select current_setting('pg_session_jwt.jwk')");
    assert_eq!(key, [[Some(String::new())]]);
}

#[test]
fn jti_grows_per_server_session_not_per_client() {
    let mut proxy = Proxy::new();
    let server = testkit::server::Server::start(&format!(
        "shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.jwk = '{}'",
        proxy.jwk()
    ));
    run(&mut server.connect("postgres", "postgres", ""), "create role app login");
    let pgbouncer = PgBouncer::start(&server, "transaction", "");
    let (mut first, mut second) = (pgbouncer.connect("template1"), pgbouncer.connect("template1"));
    let present = |token: String| format!("select auth.jwt_session_init('{token}', true)");
    let late = present(proxy.token_of("alice"));
    run(&mut second, &present(proxy.token_of("bob")));
    rejects(&mut first, &late, "28000", messages::TOKEN_ID_REPLAYED);
    run(&mut first, &present(proxy.token_of("alice")));
}
