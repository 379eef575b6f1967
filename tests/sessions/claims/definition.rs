//! `request.jwt.claims` belongs to its users. This extension defines the setting when a session first trusts it.
//! Preloading the library changes nothing elsewhere.

use postgres::Client;
use testkit::loading::{PRELOADED, with_each_loading};
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{one, rejects, rows, run, user_id};

use crate::support::parallel::{SERVER, database, in_workers, leader_takes_part};

fn claims(client: &mut Client) -> Option<String> {
    one(client, "select current_setting('request.jwt.claims', true)")
}

/// attack: 138
#[test]
fn database_without_the_extension_lacks_the_setting() {
    let server = Server::start_empty("shared_preload_libraries = 'pg_session_jwt'");
    let mut client = server.connect("template1", "postgres", "");
    assert_eq!(claims(&mut client), None);
    assert_eq!(
        one::<Option<String>>(
            &mut client,
            "select current_setting('request.jwt.claims', true)::json ->> 'sub'"
        ),
        None
    );
    let unknown = r#"unrecognized configuration parameter "request.jwt.claims""#;
    rejects(&mut client, "show request.jwt.claims", "42704", unknown);
    run(
        &mut client,
        "create table t (id int); explain select (select count(*) from t)",
    );
    assert_eq!(claims(&mut client), None);
    let known = "select count(*) from pg_settings where name like 'request.%'";
    assert_eq!(one::<i64>(&mut client, known), 0);
}

/// attack: 138
#[test]
fn session_that_trusts_tokens_never_defines_it() {
    let provider = Provider::new("https://issuer.example/");
    let database = PRELOADED.database();
    let mut admin = PRELOADED.connect("postgres", "postgres", "");
    let set = format!(
        "alter database {database} set pg_session_jwt.providers = '[{}]'",
        provider.entry("")
    );
    run(&mut admin, &set);
    let mut client = PRELOADED.connect(&database, "postgres", "");
    run(
        &mut client,
        &format!("select auth.jwt_session_init('{}')", provider.token("alice")),
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(claims(&mut client), None);
}

#[test]
fn value_set_before_the_definition_applies() {
    with_each_loading(|server, database, moment| {
        let mut client = server.connect(database, "postgres", "");
        assert_eq!(claims(&mut client), None, "{moment}");
        run(&mut client, r#"set request.jwt.claims = '{"sub":"alice"}'"#);
        run(
            &mut client,
            r#"begin; savepoint s; set local request.jwt.claims = '{"sub":"bob"}'"#,
        );
        assert_eq!(user_id(&mut client).as_deref(), Some("bob"), "{moment}");
        run(&mut client, "rollback to s");
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{moment}");
        run(&mut client, "commit; reset request.jwt.claims");
        assert_eq!(user_id(&mut client), None, "{moment}");
        let known =
            "select setting, boot_val, reset_val, vartype, context from pg_settings where name = 'request.jwt.claims'";
        let expected = ["", "", "", "string", "user"].map(|text| Some(text.to_owned()));
        assert_eq!(rows(&mut client, known), vec![expected.to_vec()], "{moment}");
        let mut client = server.connect(database, "postgres", r#"-c request.jwt.claims={"sub":"carol"}"#);
        assert_eq!(user_id(&mut client).as_deref(), Some("carol"), "{moment}");
    });
}

#[test]
fn first_call_in_a_parallel_plan_agrees_with_the_leader() {
    let database = database("");
    for takes_part in [true, false] {
        for preset in [r#"{"sub":"alice"}"#, ""] {
            let mut client = SERVER.connect(&database, "postgres", "");
            if !preset.is_empty() {
                run(&mut client, &format!("set request.jwt.claims = '{preset}'"));
            }
            leader_takes_part(&mut client, takes_part);
            let expected = if preset.is_empty() {
                None
            } else {
                Some("alice".to_owned())
            };
            // In no earlier plan: neither the planner nor an earlier statement has read the identity.
            let seen = in_workers(&mut client, "auth.user_id()");
            assert!(!seen.is_empty());
            for row in seen {
                assert_eq!(row[0], expected);
            }
            run(&mut client, r#"set request.jwt.claims = '{"sub":"bob"}'"#);
            for row in in_workers(&mut client, "auth.user_id()") {
                assert_eq!(row[0].as_deref(), Some("bob"));
            }
            run(&mut client, "set role authenticated");
            let own = "select count(*), count(distinct user_id) from owned";
            assert_eq!(
                rows(&mut client, own),
                vec![vec![Some("2000".to_owned()), Some("1".to_owned())]]
            );
        }
    }
}

#[test]
fn set_clause_applies_in_a_parallel_worker() {
    let database = database("");
    let mut client = SERVER.connect(&database, "postgres", "");
    run(
        &mut client,
        r#"create function as_carol() returns text language plpgsql parallel safe
               set request.jwt.claims = '{"sub":"carol"}' as 'begin return auth.user_id(); end';
           create function as_is() returns text language plpgsql parallel safe as 'begin return auth.user_id(); end';
           set request.jwt.claims = '{"sub":"alice"}'"#,
    );
    for takes_part in [false, true] {
        leader_takes_part(&mut client, takes_part);
        for row in in_workers(&mut client, "as_is(), as_carol(), as_is()") {
            let seen: Vec<_> = row[..3].iter().map(|user| user.as_deref()).collect();
            assert_eq!(seen, [Some("alice"), Some("carol"), Some("alice")]);
        }
    }
}
