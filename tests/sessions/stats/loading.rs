//! Without preloading the sessions share no memory.

use testkit::provider::{Provider, database};
use testkit::server::SHARED;
use testkit::session::{init, rejects};

#[test]
fn functions_need_preloading() {
    let provider = Provider::new("https://late.example/");
    let database = database(&[provider.entry("")]);
    for preload in ["", "-c session_preload_libraries=pg_session_jwt"] {
        let mut client = SHARED.connect(&database, "postgres", preload);
        init(&mut client, &provider.token("alice"));
        client.batch_execute("set pg_session_jwt.jwt = 'x'").unwrap_err();
        for call in ["select * from auth.stats()", "select auth.reset_stats()"] {
            rejects(
                &mut client,
                call,
                "55000",
                "pg_session_jwt must be loaded with shared_preload_libraries",
            );
        }
    }
}
