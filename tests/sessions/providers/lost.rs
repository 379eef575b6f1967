//! A session that lost its providers has no identity: to remove trust grants none.

use postgres::Client;
use testkit::key_server::wait_until;
use testkit::loading::{PRELOADED, ordinary_user};
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::{SHARED, Server};
use testkit::session::{FUNCTIONS, Proxy, init, one, refusal, refuses, run, user_id};
use testkit::wire::Wire;

use crate::support::parallel::{always_parallel, fill, leader_takes_part};
use crate::support::reload::reload;

#[track_caller]
fn gives_nothing(client: &mut Client, after: &str) {
    for call in FUNCTIONS {
        let refused = refusal(client, &format!("select auth.{call}()"));
        assert_eq!(
            (refused.sqlstate.as_str(), refused.message.as_str()),
            ("55000", messages::LOST_PROVIDERS),
            "{call} after {after}"
        );
        assert_eq!(refused.hint.as_deref(), Some("Reconnect to the database."));
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
            refuses(
                client,
                &format!("select auth.jwt_session_init('{forged}')"),
                "55000",
                messages::LOST_PROVIDERS,
            );
            refuses(
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
                refuses(&mut client, &sql, "55000", messages::LOST_PROVIDERS);
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
        refuses(&mut client, "select without()", "55000", messages::LOST_PROVIDERS);
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
        refuses(
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
                assert_eq!(refusal(&mut client, sql).sqlstate, "55P02", "{sql}");
            }
            run(
                &mut client,
                &format!("select providers('[{}]', false)", Provider::new("a").entry("")),
            );
            run(&mut client, "select providers('', false)");
            for sql in &ways {
                assert_eq!(refusal(&mut client, sql).sqlstate, "55P02", "{sql}");
            }
            gives_nothing(&mut client, "all ways");
        }
    }
    let database = PRELOADED.database();
    for value in ["", "x"] {
        let error = PRELOADED
            .try_connect(&database, "postgres", &format!("-c {name}={value}"))
            .map(drop);
        let error = testkit::session::refusal_of(&error.expect_err("a refusal"));
        assert_eq!(error.sqlstate, "22023", "{error:?}");
        let options = format!(r#"-c {name}={value} -c request.jwt.claims={{"sub":"carol"}}"#);
        let mut client = SHARED.connect(&SHARED.database(), "postgres", &options);
        assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
    }
}

/// attack: 145
#[test]
fn server_can_reject_all_client_keys() {
    let server = Server::start("shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.client_keys = off");
    let database = server.database();
    let user = ordinary_user(&server, &database);
    let mut proxy = Proxy::new();
    let jwk = proxy.jwk();
    for user in [user.as_str(), "postgres"] {
        for key in [jwk.as_str(), "nonsense", ""] {
            let option = format!("-c pg_session_jwt.jwk={key}");
            for parameter in [("pg_session_jwt.jwk", key), ("options", option.as_str())] {
                let refused = Wire::login(server.port(), user, &[("database", &database), parameter], "").err();
                let refused = refused.expect("a refusal");
                assert_eq!(
                    (refused.sqlstate.as_str(), refused.message.as_str()),
                    ("42501", messages::JWK_OF_CLIENT),
                    "{key}"
                );
            }
        }
        // Nor can a client enable them.
        let on = [
            ("database", database.as_str()),
            ("options", "-c pg_session_jwt.client_keys=on"),
        ];
        assert_eq!(
            Wire::login(server.port(), user, &on, "").err().unwrap().sqlstate,
            "55P02"
        );
    }
    let mut client = server.connect(&database, "postgres", r#"-c request.jwt.claims={"sub":"carol"}"#);
    assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
    for sql in [
        "set pg_session_jwt.client_keys = on".to_owned(),
        format!("alter database {database} set pg_session_jwt.client_keys = on"),
    ] {
        assert_eq!(refusal(&mut client, &sql).sqlstate, "55P02", "{sql}");
    }
    // The key of an open session is ignored while client keys are off, and applies again when they are on.
    run(&mut client, "alter system set pg_session_jwt.client_keys = on");
    reload(&server, &mut [&mut client]);
    let mut with_key = None;
    wait_until("the new setting", || {
        with_key = server.try_connect(&database, &user, &proxy.options()).ok();
        with_key.is_some()
    });
    let mut with_key = with_key.unwrap();
    init(&mut with_key, &proxy.token_of("alice"));
    run(&mut client, "alter system set pg_session_jwt.client_keys = off");
    reload(&server, &mut [&mut client, &mut with_key]);
    for call in FUNCTIONS {
        refuses(
            &mut with_key,
            &format!("select auth.{call}()"),
            "42501",
            messages::JWK_OF_CLIENT,
        );
    }
    run(&mut client, "alter system set pg_session_jwt.client_keys = on");
    reload(&server, &mut [&mut client, &mut with_key]);
    assert_eq!(user_id(&mut with_key).as_deref(), Some("alice"));
}

#[test]
fn client_key_gives_no_identity_without_preload() {
    let server = Server::start("pg_session_jwt.client_keys = off");
    let database = server.database();
    let user = ordinary_user(&server, &database);
    let mut proxy = Proxy::new();
    for more in [
        "",
        " -c pg_session_jwt.client_keys=on",
        " -c pg_session_jwt.client_keys=nonsense",
    ] {
        let options = format!(r#"{}{more} -c request.jwt.claims={{"sub":"mallory"}}"#, proxy.options());
        let mut client = server.connect(&database, &user, &options);
        let _ = client.batch_execute("set pg_session_jwt.client_keys = on");
        for call in FUNCTIONS {
            let refused = refusal(&mut client, &format!("select auth.{call}()"));
            assert!(
                ["55000", "42501"].contains(&refused.sqlstate.as_str()),
                "{more}: {call}: {refused:?}"
            );
        }
        let sql = format!("select auth.jwt_session_init('{}')", proxy.token_of("mallory"));
        assert!(["55000", "42501"].contains(&refusal(&mut client, &sql).sqlstate.as_str()));
        assert_eq!(one::<String>(&mut client, "select mode from auth.status()"), "unusable");
    }
    let mut client = server.connect(&database, &user, r#"-c request.jwt.claims={"sub":"carol"}"#);
    assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
}

/// attack: 145
#[test]
fn key_that_replaces_another_in_the_packet_is_rejected() {
    let (proxy, other) = (Proxy::new(), Proxy::new());
    let (jwk, options) = (other.jwk(), proxy.options());
    let database = PRELOADED.database();
    let twice = format!("{options} {}", other.options());
    for parameters in [
        vec![("options", options.as_str()), ("pg_session_jwt.jwk", jwk.as_str())],
        vec![("pg_session_jwt.jwk", jwk.as_str()), ("options", options.as_str())],
        vec![("options", options.as_str()), ("pg_session_jwt.jwk", "")],
        vec![("options", options.as_str()), ("pg_session_jwt.jwk", "nonsense")],
        vec![
            ("options", "-c pg_session_jwt.jwk="),
            ("pg_session_jwt.jwk", jwk.as_str()),
        ],
        vec![("options", twice.as_str())],
    ] {
        let all: Vec<_> = [("database", database.as_str())]
            .into_iter()
            .chain(parameters.clone())
            .collect();
        let refused = Wire::login(PRELOADED.port(), "postgres", &all, "")
            .err()
            .expect("a refusal");
        assert_eq!(
            (refused.sqlstate.as_str(), refused.message.as_str()),
            ("42501", messages::JWK_TWICE),
            "{parameters:?}"
        );
    }
    let jwk = proxy.jwk();
    let same = [
        ("database", database.as_str()),
        ("options", options.as_str()),
        ("pg_session_jwt.jwk", &jwk),
    ];
    let mut client = Wire::login(PRELOADED.port(), "postgres", &same, "").unwrap();
    client.run(&format!(
        "select auth.jwt_session_init('{}')",
        proxy.token_with_jti(1, r#""sub":"alice""#)
    ));
    assert_eq!(client.one("select auth.user_id()"), Some("alice".to_owned()));
}

#[test]
fn value_removed_before_library_load_is_lost() {
    let (provider, owner) = (Provider::new("a"), Proxy::new());
    let mut proxy = Proxy::new();
    let server = Server::start("");
    let database = server.database();
    let user = ordinary_user(&server, &database);
    let mut admin = server.connect("postgres", "postgres", "");
    // PostgreSQL 15 and 16 reject parameters that the session does not know.
    run(
        &mut admin,
        "set pg_session_jwt.jwk = ''; set pg_session_jwt.providers = ''",
    );
    let claims = r#"-c request.jwt.claims={"sub":"mallory"}"#;
    let with_key = format!("{claims} {}", proxy.options());
    for (setting, value, message) in [
        ("jwk", owner.jwk(), messages::JWK_NOT_APPLIED),
        (
            "providers",
            format!("[{}]", provider.entry("")),
            messages::LOST_PROVIDERS,
        ),
    ] {
        run(
            &mut admin,
            &format!("alter system set pg_session_jwt.{setting} = '{value}'"),
        );
        reload(&server, &mut [&mut admin]);
        let all_options = if setting == "jwk" {
            vec![claims]
        } else {
            vec![claims, with_key.as_str()]
        };
        let mut open: Vec<_> = all_options
            .iter()
            .map(|options| server.connect(&database, &user, options))
            .collect();
        run(&mut admin, &format!("alter system reset pg_session_jwt.{setting}"));
        reload(&server, &mut open.iter_mut().collect::<Vec<_>>());
        for client in &mut open {
            let _ = client.batch_execute(&format!("reset pg_session_jwt.{setting}"));
            for call in FUNCTIONS {
                refuses(client, &format!("select auth.{call}()"), "55000", message);
            }
        }
        let mut fresh = server.connect(&database, &user, claims);
        assert_eq!(user_id(&mut fresh).as_deref(), Some("mallory"));
    }
    let mut fresh = server.connect(&database, &user, &with_key);
    init(&mut fresh, &proxy.token_of("carol"));
    assert_eq!(user_id(&mut fresh).as_deref(), Some("carol"));
}

#[test]
fn emptied_value_is_lost_like_a_removed_one() {
    let provider = Provider::new("a");
    let proxy = Proxy::new();
    let server = Server::start("");
    let database = server.database();
    let user = ordinary_user(&server, &database);
    let mut admin = server.connect("postgres", "postgres", "");
    run(&mut admin, "set pg_session_jwt.providers = ''");
    let set = format!("alter system set pg_session_jwt.providers = '[{}]'", provider.entry(""));
    run(&mut admin, &set);
    reload(&server, &mut [&mut admin]);
    let claims = r#"-c request.jwt.claims={"sub":"mallory"}"#;
    let options = [claims.to_owned(), format!("{claims} {}", proxy.options())];
    let mut open = options.map(|options| server.connect(&database, &user, &options));
    run(&mut admin, "alter system set pg_session_jwt.providers = ''");
    reload(&server, &mut open.iter_mut().collect::<Vec<_>>());
    for client in &mut open {
        for call in FUNCTIONS {
            refuses(
                client,
                &format!("select auth.{call}()"),
                "55000",
                messages::LOST_PROVIDERS,
            );
        }
    }
}

#[test]
fn worker_that_loads_the_library_trusts_only_its_leader() {
    let provider = Provider::new("a");
    let server = Server::start(
        "max_parallel_workers_per_gather = 2\nparallel_setup_cost = 0\nparallel_tuple_cost = 0\n\
         min_parallel_table_scan_size = 0\nparallel_leader_participation = off",
    );
    let database = server.database();
    let user = ordinary_user(&server, &database);
    let mut admin = server.connect(&database, "postgres", "");
    fill(&mut admin);
    run(
        &mut admin,
        "create function who() returns text language plpgsql parallel safe as 'begin return auth.user_id(); end';
         grant select on owned to public; alter table owned disable row level security",
    );
    let mut admin = server.connect("postgres", "postgres", "");
    run(&mut admin, "set pg_session_jwt.providers = ''");
    let set = format!("alter system set pg_session_jwt.providers = '[{}]'", provider.entry(""));
    for taken_out in [
        "alter system reset pg_session_jwt.providers",
        "alter system set pg_session_jwt.providers = ''",
    ] {
        run(&mut admin, &set);
        reload(&server, &mut [&mut admin]);
        let mut client = server.connect(&database, &user, r#"-c request.jwt.claims={"sub":"victim"}"#);
        run(&mut admin, taken_out);
        reload(&server, &mut [&mut client]);
        refuses(
            &mut client,
            "select max(who() || id) from owned",
            "55000",
            messages::LOST_PROVIDERS,
        );
        refuses(&mut client, "select auth.user_id()", "55000", messages::LOST_PROVIDERS);
    }
}
