//! A session that lost its providers has no identity: to remove trust grants none.

use postgres::Client;
use testkit::loading::{PRELOADED, ordinary_user};
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::{SHARED, Server};
use testkit::session::{FUNCTIONS, Proxy, init, one, rejection, rejects, run, user_id};

use crate::support::parallel::{always_parallel, fill, leader_takes_part};
use crate::support::reload::reload;

#[track_caller]
fn gives_nothing(client: &mut Client, after: &str) {
    for call in FUNCTIONS {
        let rejected = rejection(client, &format!("select auth.{call}()"));
        assert_eq!(
            (rejected.sqlstate.as_str(), rejected.message.as_str()),
            ("55000", messages::LOST_PROVIDERS),
            "{call} after {after}"
        );
        assert_eq!(rejected.hint.as_deref(), Some("Reconnect to the database."));
    }
    assert_eq!(
        one::<String>(
            client,
            "select mode || ' ' || identity || ' ' || reason from auth.status()"
        ),
        format!(
            "unusable false {} (Without them it trusts no other key and no claims, and provides no identity.)",
            messages::LOST_PROVIDERS
        )
    );
}

/// A function that lets every user set the providers for their session or transaction.
fn superusers_function(server: &Server, database: &str) {
    run(
        &mut server.connect(database, "postgres", ""),
        "create or replace function providers(value text, is_local bool) returns void language sql security definer
             as $$ select set_config('pg_session_jwt.providers', value, is_local) $$",
    );
}

/// attack: 145
#[test]
fn open_session_enters_no_weaker_mode() {
    let provider = Provider::new("a");
    let owner = Proxy::new();
    let of_server = format!("pg_session_jwt.jwk = '{}'", owner.jwk());
    for (of_server, of_client) in [("", true), ("", false), (of_server.as_str(), false)] {
        let server = Server::start(&format!("shared_preload_libraries = 'pg_session_jwt'\n{of_server}"));
        let database = server.database();
        let user = ordinary_user(&server, &database);
        let mut admin = server.connect("postgres", "postgres", "");
        run(
            &mut admin,
            &format!("alter system set pg_session_jwt.providers = '[{}]'", provider.entry("")),
        );
        reload(&server, &mut [&mut admin]);
        let mut proxy = Proxy::new();
        let mut options = r#"-c request.jwt.claims={"sub":"mallory"}"#.to_owned();
        if of_client {
            options = format!("{options} {}", proxy.options());
        }
        let connect = || server.connect(&database, &user, &options);
        let (mut used, mut unused, mut anonymous) = (connect(), connect(), connect());
        init(&mut used, &provider.token("alice"));
        assert_eq!(user_id(&mut used).as_deref(), Some("alice"));
        assert_eq!(user_id(&mut anonymous), None);
        run(&mut admin, "alter system reset pg_session_jwt.providers");
        reload(&server, &mut [&mut used, &mut unused, &mut anonymous]);
        let forged = if of_client {
            proxy.token_of("mallory")
        } else {
            owner.token_with_jti(1, r#""sub":"mallory""#)
        };
        for client in [&mut used, &mut unused, &mut anonymous] {
            gives_nothing(client, "the reload");
            for sql in [
                "reset all",
                "discard all",
                "reset pg_session_jwt.jwt",
                "set pg_session_jwt.jwt = ''",
                "set role authenticated",
                r#"set request.jwt.claims = '{"sub":"mallory"}'"#,
                "begin; rollback",
            ] {
                run(client, sql);
                gives_nothing(client, sql);
            }
            rejects(
                client,
                &format!("select auth.jwt_session_init('{forged}')"),
                "55000",
                messages::LOST_PROVIDERS,
            );
            rejects(
                client,
                &format!("set pg_session_jwt.jwt = '{forged}'"),
                "55000",
                messages::LOST_PROVIDERS,
            );
        }
        // A new session follows its current settings.
        let mut fresh = connect();
        if of_client {
            init(&mut fresh, &proxy.token_of("carol"));
            assert_eq!(user_id(&mut fresh).as_deref(), Some("carol"));
        } else if of_server.is_empty() {
            assert_eq!(user_id(&mut fresh).as_deref(), Some("mallory"));
        }
        // With providers again, an open session is in the strongest mode again.
        run(
            &mut admin,
            &format!("alter system set pg_session_jwt.providers = '[{}]'", provider.entry("")),
        );
        reload(&server, &mut [&mut used]);
        init(&mut used, &provider.token("alice"));
        assert_eq!(user_id(&mut used).as_deref(), Some("alice"));
    }
}

#[test]
fn no_step_after_the_loss_enables_a_weaker_mode() {
    let provider = Provider::new("a");
    for server in [&*SHARED, &*PRELOADED] {
        let database = server.database();
        let user = ordinary_user(server, &database);
        superusers_function(server, &database);
        run(
            &mut server.connect(&database, "postgres", ""),
            "create function without() returns text language sql security definer
                 set pg_session_jwt.providers = '' as 'select auth.user_id()'",
        );
        run(
            &mut server.connect("postgres", "postgres", ""),
            &format!(
                "alter database {database} set pg_session_jwt.providers = '[{}]'",
                provider.entry("")
            ),
        );
        let mut proxy = Proxy::new();
        let options = format!(r#"{} -c request.jwt.claims={{"sub":"mallory"}}"#, proxy.options());
        for (taking, gone) in [
            ("select providers('', false)", true),
            ("begin; select providers('', true)", true),
            ("begin; select providers('', true); rollback", false),
            (
                "begin; savepoint s; select providers('', true); rollback to s; commit",
                false,
            ),
            ("begin; select providers('', false); rollback", false),
        ] {
            let mut client = server.connect(&database, &user, &options);
            assert_eq!(user_id(&mut client), None);
            run(&mut client, taking);
            // The transaction restores a provider: the session is in the strongest mode, and was in no other.
            if gone {
                let sql = format!("select auth.jwt_session_init('{}')", proxy.token_of("mallory"));
                rejects(&mut client, &sql, "55000", messages::LOST_PROVIDERS);
                run(&mut client, "rollback");
            }
            if gone && taking.starts_with("select") {
                gives_nothing(&mut client, taking);
            } else {
                init(&mut client, &provider.token("alice"));
                assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{taking}");
            }
            // And it stays a session that has lost them.
            run(&mut client, "select providers('', false)");
            gives_nothing(&mut client, taking);
        }
        let mut client = server.connect(&database, &user, &options);
        assert_eq!(user_id(&mut client), None);
        rejects(&mut client, "select without()", "55000", messages::LOST_PROVIDERS);
        init(&mut client, &provider.token("alice"));
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    }
}

#[test]
fn parallel_workers_have_lost_them_like_their_leader() {
    let provider = Provider::new("a");
    let server = &*crate::support::parallel::SERVER;
    let database = server.database();
    fill(&mut server.connect(&database, "postgres", ""));
    superusers_function(server, &database);
    let mut client = server.connect(&database, "postgres", r#"-c request.jwt.claims={"sub":"alice"}"#);
    leader_takes_part(&mut client, false);
    run(&mut client, "set role authenticated");
    run(
        &mut client,
        &format!("select providers('[{}]', false)", provider.entry("")),
    );
    assert_eq!(one::<i64>(&mut client, "select count(*) from owned"), 0);
    run(&mut client, "select providers('', false)");
    for _ in 0..2 {
        // The leader reads no identity here.
        rejects(
            &mut client,
            "select count(*) from owned",
            "55000",
            messages::LOST_PROVIDERS,
        );
        run(
            &mut client,
            "reset all; set role authenticated; set parallel_leader_participation = off",
        );
    }
}

#[test]
fn database_without_own_providers_has_lost_none() {
    let provider = Provider::new("a");
    for preload in ["", "shared_preload_libraries = 'pg_session_jwt'\n"] {
        let server = Server::start(&format!(
            "{preload}pg_session_jwt.providers = '[{}]'",
            provider.entry("")
        ));
        let database = server.database();
        run(
            &mut server.connect("postgres", "postgres", ""),
            &format!("alter database {database} set pg_session_jwt.providers = ''"),
        );
        let mut client = server.connect(&database, "postgres", r#"-c request.jwt.claims={"sub":"carol"}"#);
        assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
        reload(&server, &mut [&mut client]);
        assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
        run(&mut client, always_parallel());
        assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
    }
}

#[test]
fn loss_cannot_be_set_or_cleared() {
    let name = "pg_session_jwt.lost_providers";
    for server in [&*SHARED, &*PRELOADED] {
        let database = server.database();
        let user = ordinary_user(server, &database);
        superusers_function(server, &database);
        for user in [user.as_str(), "postgres"] {
            let mut client = server.connect(&database, user, r#"-c request.jwt.claims={"sub":"carol"}"#);
            if server.port() == SHARED.port() {
                // A placeholder from before the library was loaded.
                let _ = client.batch_execute(&format!("set {name} = 'x'"));
            }
            assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
            let ways = [
                format!("set {name} = ''"),
                format!("set local {name} = 'x'"),
                format!("reset {name}"),
                format!("select set_config('{name}', 'x', false)"),
                format!("alter role {user} set {name} = 'x'"),
                format!("create function pg_temp.f() returns int language sql set {name} = 'x' as 'select 1'"),
            ];
            for sql in &ways {
                assert_eq!(rejection(&mut client, sql).sqlstate, "55P02", "{sql}");
            }
            run(
                &mut client,
                &format!("select providers('[{}]', false)", Provider::new("a").entry("")),
            );
            run(&mut client, "select providers('', false)");
            for sql in &ways {
                assert_eq!(rejection(&mut client, sql).sqlstate, "55P02", "{sql}");
            }
            gives_nothing(&mut client, "all ways");
        }
    }
    let database = PRELOADED.database();
    for value in ["", "x"] {
        let error = PRELOADED
            .try_connect(&database, "postgres", &format!("-c {name}={value}"))
            .map(drop);
        let error = testkit::session::rejection_of(&error.expect_err("a rejection"));
        assert_eq!(error.sqlstate, "22023", "{error:?}");
        let options = format!(r#"-c {name}={value} -c request.jwt.claims={{"sub":"carol"}}"#);
        let mut client = SHARED.connect(&SHARED.database(), "postgres", &options);
        assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
    }
}
