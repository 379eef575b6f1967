//! Without preloading the sessions share no memory.

use testkit::provider::{Provider, database};
use testkit::server::SHARED;
use testkit::session::{rejects, run, user_id};

#[test]
fn function_needs_preloading() {
    let provider = Provider::new("https://late.example/");
    let database = database(&[provider.entry("")]);
    for preload in ["", "-c session_preload_libraries=pg_session_jwt"] {
        let mut client = SHARED.connect(&database, "postgres", preload);
        run(
            &mut client,
            &format!("select auth.jwt_session_init('{}')", provider.token("alice")),
        );
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
        rejects(
            &mut client,
            "select * from auth.activity()",
            "55000",
            "pg_session_jwt must be loaded with shared_preload_libraries",
        );
    }
}
