//! Providers that are lost before or while the library is loaded.

use testkit::loading::ordinary_user;
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{FUNCTIONS, Proxy, init, rejects, run, user_id};

use crate::support::parallel::fill;
use crate::support::reload::reload;

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
                rejects(client, &format!("select auth.{call}()"), "55000", message);
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
            rejects(
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
        rejects(
            &mut client,
            "select max(who() || id) from owned",
            "55000",
            messages::LOST_PROVIDERS,
        );
        rejects(&mut client, "select auth.user_id()", "55000", messages::LOST_PROVIDERS);
    }
}
