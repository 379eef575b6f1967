//! Tokens that the session has before the extension can reject them: of the startup packet, and of SET while the library
//! is not loaded.

use testkit::loading::with_each_loading;
use testkit::server::SHARED;
use testkit::session::{run, user_id};

use super::{database, ignored, status, token};

#[test]
fn startup_packets_token_does_not_count() {
    with_each_loading(|server, _, moment| {
        for (scope, expected) in [
            ("any", "provider alice".to_owned()),
            ("transaction", ignored("provider")),
        ] {
            let database = database(server, scope);
            let options = format!("-c pg_session_jwt.jwt={}", token("alice"));
            let mut client = server.connect(&database, &database, &options);
            assert_eq!(status(&mut client), expected, "{moment}");
            // RESET returns to it.
            let bob = format!("begin; select auth.jwt_session_init('{}', true)", token("bob"));
            run(&mut client, &bob);
            assert_eq!(status(&mut client), "provider bob", "{moment}");
            run(&mut client, "reset pg_session_jwt.jwt; commit");
            assert_eq!(status(&mut client), expected, "{moment}");
            run(&mut client, "discard all");
            assert_eq!(status(&mut client), expected, "{moment}");
        }
    });
}

#[test]
fn token_from_before_the_library_was_loaded_counts_if_it_is_local() {
    let database = database(&SHARED, "transaction");
    let alice = token("alice");
    for (before, expected) in [
        (format!("set pg_session_jwt.jwt = '{alice}'"), ignored("provider")),
        (
            format!("begin; set pg_session_jwt.jwt = '{alice}'"),
            ignored("provider"),
        ),
        (
            format!("begin; set local pg_session_jwt.jwt = '{alice}'"),
            "provider alice".to_owned(),
        ),
        (
            format!("begin; savepoint s; set local pg_session_jwt.jwt = '{alice}'; release s"),
            "provider alice".to_owned(),
        ),
        (
            format!(
                "set pg_session_jwt.jwt = '{}'; begin; set local pg_session_jwt.jwt = '{alice}'",
                token("bob")
            ),
            "provider alice".to_owned(),
        ),
    ] {
        let mut client = SHARED.connect(&database, &database, "");
        run(&mut client, &before);
        assert_eq!(status(&mut client), expected, "{before}");
        // Statements about other things, or that set nothing, do not fail because of it.
        run(&mut client, "set search_path = public; show pg_session_jwt.jwt");
        run(&mut client, "commit");
        assert_eq!(user_id(&mut client), None, "{before}");
    }
}
