//! Settings stored by ALTER DATABASE, ALTER ROLE and in the server's file, which PostgreSQL applies or drops at login.

use std::sync::LazyLock;

use postgres::Client;

use testkit::loading::{PRELOADED, is_loaded, ordinary_user};
use testkit::messages;
use testkit::server::{SHARED, Server};
use testkit::session::{FUNCTIONS, Proxy, claims, init, one, rejects, run, user_id};

/// The places where a superuser can store a setting for sessions of this role in this database.
fn places(database: &str, user: &str) -> [String; 5] {
    [
        format!("alter database {database}"),
        format!("alter role {user}"),
        format!("alter role {user} in database {database}"),
        format!("alter role all in database {database}"),
        format!("alter role \"{user}\""),
    ]
}

#[track_caller]
fn every_function_fails(client: &mut Client, after: &str) {
    for call in FUNCTIONS {
        rejects(
            client,
            &format!("select auth.{call}()"),
            "55000",
            messages::JWK_NOT_APPLIED,
        );
    }
    let status = one::<String>(client, "select mode || ' ' || identity from auth.status()");
    assert_eq!(status, "unusable false", "after {after}");
}

#[test]
fn a_stored_key_makes_every_function_fail() {
    // PostgreSQL accepts it while the library is not loaded, and drops it at the load.
    let database = SHARED.database();
    let user = ordinary_user(&SHARED, &database);
    let key = Proxy::new();
    let mut admin = SHARED.connect(&database, "postgres", "");
    for place in places(&database, &user) {
        for name in ["pg_session_jwt.jwk", "\"PG_SESSION_JWT.JWK\""] {
            run(&mut admin, &format!("{place} set {name} = '{}'", key.jwk()));
            for sql in [
                "select 1",
                "set pg_session_jwt.jwk = ''",
                "reset pg_session_jwt.jwk",
                "reset all",
                "begin; set local pg_session_jwt.jwk = ''",
            ] {
                let mut client = SHARED.connect(&database, &user, r#"-c request.jwt.claims={"sub":"mallory"}"#);
                run(&mut client, sql);
                assert!(!is_loaded(&mut client));
                // Not in the failed transaction that a rejection leaves.
                run(&mut client, "select from auth.status(); rollback");
                every_function_fails(&mut client, sql);
            }
            run(&mut admin, &format!("{place} reset {name}"));
        }
    }
    let mut client = SHARED.connect(&database, &user, r#"-c request.jwt.claims={"sub":"carol"}"#);
    assert_eq!(user_id(&mut client).as_deref(), Some("carol"), "claims mode again");
}

#[test]
fn stored_key_makes_functions_fail_with_preload() {
    // Stored before the library was preloaded, and skipped at each login since.
    let mut server = Server::start("");
    let database = server.database();
    let user = ordinary_user(&server, &database);
    let other = ordinary_user(&server, &server.database());
    let elsewhere = server.database();
    let key = Proxy::new();
    let options = r#"-c request.jwt.claims={"sub":"mallory"}"#;
    run(
        &mut server.connect("postgres", "postgres", ""),
        &format!(
            "alter database {database} set pg_session_jwt.jwk = '{0}'; alter role {other} set pg_session_jwt.jwk = '{0}'",
            key.jwk()
        ),
    );
    run(
        &mut server.connect("postgres", "postgres", ""),
        "alter system set shared_preload_libraries = 'pg_session_jwt'",
    );
    server.restart();
    for (database, user) in [(&database, &user), (&elsewhere, &other)] {
        let mut client = server.connect(database, user, options);
        assert!(is_loaded(&mut client));
        every_function_fails(&mut client, "a stored key");
        for sql in ["reset all", "discard all", "set role authenticated", "begin"] {
            run(&mut client, sql);
            rejects(&mut client, "select auth.user_id()", "55000", messages::JWK_NOT_APPLIED);
        }
    }
    let mut client = server.connect(&elsewhere, &user, options);
    assert_eq!(
        user_id(&mut client).as_deref(),
        Some("mallory"),
        "no key is stored for this one"
    );
    // A key of the packet is applied, and the stored one is irrelevant.
    let mut client = key.session_on(&server, &database);
    init(&mut client, &key.token_with_jti(1, r#""sub":"alice""#));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn skipped_key_is_found_where_it_is_stored() {
    let mut server = Server::start("");
    let (database, elsewhere) = (server.database(), server.database());
    let user = ordinary_user(&server, &database);
    let key = Proxy::new();
    let of_both = format!("alter role {user} in database {database}");
    let mut admin = server.connect("postgres", "postgres", "");
    // Among others, and beside similar entries.
    run(
        &mut admin,
        &format!(
            "{of_both} set work_mem = '1MB'; {of_both} set \"Pg_Session_JWT.jwk\" = '{}'; {of_both} set enable_sort = off;
             alter role {user} set pg_session_jwt.jwk = ''; alter role {user} set pg_session_jwt.jwk2 = 'x';
             alter database {elsewhere} set application_name = 'pg_session_jwt.jwk=x'",
            key.jwk()
        ),
    );
    run(
        &mut admin,
        "alter system set shared_preload_libraries = 'pg_session_jwt'",
    );
    drop(admin);
    server.restart();
    let options = r#"-c request.jwt.claims={"sub":"mallory"}"#;
    let mut client = server.connect(&database, &user, options);
    rejects(&mut client, "select auth.user_id()", "55000", messages::JWK_NOT_APPLIED);
    for (database, user) in [(&elsewhere, user.as_str()), (&database, "postgres")] {
        let mut client = server.connect(database, user, options);
        assert_eq!(user_id(&mut client).as_deref(), Some("mallory"), "{database}, {user}");
    }
    let mut admin = server.connect("postgres", "postgres", "");
    // Stored before the library existed; now the command itself is rejected.
    run(
        &mut admin,
        &format!(
            "insert into pg_db_role_setting values (0, 0, array['pg_session_jwt.jwk={}'])",
            key.jwk().replace('\'', "''")
        ),
    );
    for (database, user) in [(&elsewhere, user.as_str()), (&database, "postgres")] {
        let mut client = server.connect(database, user, options);
        rejects(&mut client, "select auth.user_id()", "55000", messages::JWK_NOT_APPLIED);
    }
}

#[test]
fn stored_restriction_applies_and_stored_token_does_not() {
    let mut proxy = Proxy::new();
    let database = SHARED.database();
    let user = ordinary_user(&SHARED, &database);
    let mut admin = SHARED.connect(&database, "postgres", "");
    // In this session the library is not loaded, so PostgreSQL accepts them.
    for place in places(&database, &user) {
        run(&mut admin, &format!("{place} set pg_session_jwt.claims_fallback = off"));
        run(
            &mut admin,
            &format!("{place} set pg_session_jwt.jwt = '{}'", proxy.token_of("mallory")),
        );
        let mut client = SHARED.connect(&database, &user, r#"-c request.jwt.claims={"sub":"mallory"}"#);
        assert_eq!(
            (user_id(&mut client), claims(&mut client)),
            (None, "null".to_owned()),
            "{place}"
        );
        assert_eq!(
            one::<String>(&mut client, "select mode from auth.status()"),
            "off",
            "{place}"
        );
        let mut client = SHARED.connect(&database, &user, &proxy.options());
        assert_eq!(
            (user_id(&mut client), claims(&mut client)),
            (None, "null".to_owned()),
            "{place}"
        );
        init(&mut client, &proxy.token_of("alice"));
        run(&mut client, "reset all");
        assert_eq!(
            (user_id(&mut client), claims(&mut client)),
            (None, "null".to_owned()),
            "{place}"
        );
        run(&mut admin, &format!("{place} reset all"));
    }
}

#[test]
fn token_in_the_servers_file_gives_no_identity() {
    static PROXY: LazyLock<Proxy> = LazyLock::new(Proxy::new);
    let token = PROXY.token_with_jti(1, r#""sub":"mallory""#);
    for preload in ["", "shared_preload_libraries = 'pg_session_jwt'\n"] {
        let server = Server::start(&format!("{preload}pg_session_jwt.jwt = '{token}'"));
        let mut client = PROXY.session_on(&server, &server.database());
        assert_eq!((user_id(&mut client), claims(&mut client)), (None, "null".to_owned()));
        init(&mut client, &PROXY.token_with_jti(1, r#""sub":"alice""#));
        run(&mut client, "reset all");
        assert_eq!((user_id(&mut client), claims(&mut client)), (None, "null".to_owned()));
        assert!(!server.log().contains(&token), "the token is in the log");
    }
}

/// attack: 132
#[test]
fn an_ordinary_user_can_store_none_of_the_settings() {
    for server in [&*SHARED, &*PRELOADED] {
        let database = server.database();
        let user = ordinary_user(server, &database);
        let mut client = server.connect(&database, &user, "");
        let preloaded = is_loaded(&mut client);
        for (setting, sqlstate) in [
            ("jwk = 'x'", "55P02"),
            ("jwt = 'a.b.c'", "42501"),
            ("claims_fallback = on", "42501"),
            ("leeway = 300", "42501"),
            ("audit_log = off", "42501"),
        ] {
            for alter in [
                format!("alter role {user} set"),
                "create function pg_temp.f() returns int language sql set".to_owned(),
            ] {
                let sql = format!(
                    "{alter} pg_session_jwt.{setting} {}",
                    if alter.contains("function") {
                        "as 'select 1'"
                    } else {
                        ""
                    }
                );
                let rejected = testkit::session::rejection(&mut client, &sql);
                // PostgreSQL knows of placeholders only that they are not for ordinary users.
                assert_eq!(
                    rejected.sqlstate,
                    if preloaded { sqlstate } else { "42501" },
                    "{sql}: {rejected:?}"
                );
            }
        }
    }
}
