//! The blocks of docs/pooling.md, through PgBouncer in the mode that each block names.

use std::collections::HashMap;

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
