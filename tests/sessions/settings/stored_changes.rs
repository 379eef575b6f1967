//! A superuser's ALTER DATABASE or ALTER ROLE reaches open sessions when the server reloads. A session that depends on
//! a removed value gives no identity.

use postgres::Client;
use testkit::loading::ordinary_user;
use testkit::messages::stored_changed;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{FUNCTIONS, Proxy, init, one, rejects, run, user_id};

use crate::support::parallel::{always_parallel, fill, leader_takes_part};
use crate::support::reload::reload;

#[track_caller]
fn gives_nothing(client: &mut Client, setting: &str) {
    let message = stored_changed(setting);
    for sql in [
        "select 1",
        "reset all",
        "discard all",
        "set role authenticated; reset role",
        "begin; rollback",
    ] {
        run(client, sql);
        for call in FUNCTIONS {
            rejects(client, &format!("select auth.{call}()"), "55000", &message);
        }
    }
    assert_eq!(
        one::<String>(
            client,
            "select mode || ' ' || identity || ' ' || reason from auth.status()"
        ),
        format!("unusable false {message} (ALTER DATABASE or ALTER ROLE changed it after the session began.)")
    );
}

/// Both ways to load the library.
fn servers() -> [Server; 2] {
    ["", "shared_preload_libraries = 'pg_session_jwt'"].map(Server::start)
}

fn places(database: &str, user: &str) -> [String; 4] {
    [
        format!("alter database {database}"),
        format!("alter role {user}"),
        format!("alter role {user} in database {database}"),
        "alter role all".to_owned(),
    ]
}

/// attack: 148
#[test]
fn withdrawn_provider_is_withdrawn_from_open_sessions() {
    let (stolen, new) = (Provider::new("a"), Provider::new("a"));
    for server in servers() {
        let database = server.database();
        let user = ordinary_user(&server, &database);
        let mut admin = server.connect("postgres", "postgres", "");
        let mut proxy = Proxy::new();
        let options = format!(r#"{} -c request.jwt.claims={{"sub":"mallory"}}"#, proxy.options());
        for place in places(&database, &user) {
            for change in [
                "reset pg_session_jwt.providers".to_owned(),
                "reset all".to_owned(),
                "set pg_session_jwt.providers = ''".to_owned(),
                format!("set pg_session_jwt.providers = '[{}]'", new.entry("")),
            ] {
                run(
                    &mut admin,
                    &format!("{place} set pg_session_jwt.providers = '[{}]'", stolen.entry("")),
                );
                let mut open = server.connect(&database, &user, &options);
                let mut unused = server.connect(&database, &user, &options);
                init(&mut open, &stolen.token("alice"));
                assert_eq!(user_id(&mut open).as_deref(), Some("alice"));
                run(&mut admin, &format!("{place} {change}"));
                assert_eq!(
                    user_id(&mut open).as_deref(),
                    Some("alice"),
                    "the files are not read yet"
                );
                reload(&server, &mut [&mut open, &mut unused]);
                for client in [&mut open, &mut unused] {
                    for token in [stolen.token("mallory"), new.token("mallory"), proxy.token_of("mallory")] {
                        let sql = format!("select auth.jwt_session_init('{token}')");
                        rejects(client, &sql, "55000", &stored_changed("providers"));
                        let sql = format!("set pg_session_jwt.jwt = '{token}'");
                        rejects(client, &sql, "55000", &stored_changed("providers"));
                    }
                    gives_nothing(client, "providers");
                }
                let mut fresh = server.connect(&database, &user, &options);
                let expected = if change.contains(&new.jwk()) {
                    "provider"
                } else {
                    "proxy"
                };
                assert_eq!(
                    one::<String>(&mut fresh, "select mode from auth.status()"),
                    expected,
                    "{place} {change}"
                );
                run(&mut admin, &format!("{place} reset all"));
            }
        }
    }
}

#[test]
fn unused_session_depends_on_its_first_settings() {
    let provider = Provider::new("a");
    for server in servers() {
        let database = server.database();
        let user = ordinary_user(&server, &database);
        let mut admin = server.connect("postgres", "postgres", "");
        let mut open = server.connect(&database, &user, r#"-c request.jwt.claims={"sub":"mallory"}"#);
        run(
            &mut admin,
            &format!(
                "alter database {database} set pg_session_jwt.providers = '[{}]'",
                provider.entry("")
            ),
        );
        gives_nothing(&mut open, "providers");
    }
}

#[test]
fn restrictions_reach_open_sessions_in_any_spelling() {
    for server in servers() {
        let database = server.database();
        let user = ordinary_user(&server, &database);
        let mut admin = server.connect("postgres", "postgres", "");
        for (setting, same, other) in [
            ("claims_fallback", ["off", "FALSE", "0", "no"], "on"),
            ("leeway", ["60", "60s", "1min", "60000ms"], "0"),
            ("bind_login_identity", ["off", "fal", "0", "n"], "on"),
        ] {
            let alter = format!("alter database {database} set pg_session_jwt.{setting}");
            run(&mut admin, &format!("{alter} = '{}'", same[0]));
            let mut open = server.connect(&database, &user, "");
            run(&mut open, "select auth.user_id()");
            for value in same {
                run(&mut admin, &format!("{alter} = '{value}'"));
                reload(&server, &mut [&mut open]);
                run(&mut open, "select auth.user_id()");
            }
            run(&mut admin, &format!("{alter} = '{other}'"));
            reload(&server, &mut [&mut open]);
            gives_nothing(&mut open, setting);
            // In its parallel workers as well, whatever is stored again.
            run(&mut open, always_parallel());
            rejects(&mut open, "select auth.user_id()", "55000", &stored_changed(setting));
            run(&mut admin, &format!("{alter} = '{}'", same[0]));
            reload(&server, &mut [&mut open]);
            gives_nothing(&mut open, setting);
            run(&mut admin, &format!("alter database {database} reset all"));
            reload(&server, &mut [&mut open]);
            gives_nothing(&mut open, setting);
        }
    }
}

#[test]
fn unrelated_changes_do_not_end_a_session() {
    let (provider, other) = (Provider::new("a"), Provider::new("b"));
    for server in servers() {
        let (database, elsewhere) = (server.database(), server.database());
        let (user, another) = (ordinary_user(&server, &database), ordinary_user(&server, &elsewhere));
        let mut admin = server.connect("postgres", "postgres", "");
        let value = format!("set pg_session_jwt.providers = '[{}]'", provider.entry(""));
        run(&mut admin, &format!("alter database {database} {value}"));
        let mut open = server.connect(&database, &user, "");
        init(&mut open, &provider.token("alice"));
        for change in [
            format!(
                "alter database {elsewhere} set pg_session_jwt.providers = '[{}]'",
                other.entry("")
            ),
            format!("alter role {another} set pg_session_jwt.claims_fallback = off"),
            format!("alter role {user} in database {elsewhere} set pg_session_jwt.leeway = 0"),
            // A value of higher precedence overrides it, or another place has the same value.
            format!("alter role all set pg_session_jwt.providers = '[{}]'", other.entry("")),
            format!("alter role {user} {value}"),
            format!("alter database {database} reset pg_session_jwt.providers"),
            format!("alter database {database} set work_mem = '1MB'"),
            format!("alter database {database} set pg_session_jwt.audit_log = off"),
        ] {
            run(&mut admin, &change);
            reload(&server, &mut [&mut open]);
            assert_eq!(user_id(&mut open).as_deref(), Some("alice"), "{change}");
        }
    }
}

#[test]
fn settings_of_the_login_role_apply() {
    let provider = Provider::new("a");
    for server in servers() {
        let (database, elsewhere) = (server.database(), server.database());
        let another = ordinary_user(&server, &elsewhere);
        let mut admin = server.connect("postgres", "postgres", "");
        run(
            &mut admin,
            &format!(
                "alter database {database} set pg_session_jwt.providers = '[{}]';
                 alter role {another} set pg_session_jwt.claims_fallback = off",
                provider.entry("")
            ),
        );
        let mut open = server.connect(&database, "postgres", "");
        run(&mut open, &format!("set session authorization {another}"));
        init(&mut open, &provider.token("alice"));
        assert_eq!(user_id(&mut open).as_deref(), Some("alice"));
        run(
            &mut admin,
            "alter role postgres set pg_session_jwt.claims_fallback = off",
        );
        reload(&server, &mut [&mut open]);
        rejects(
            &mut open,
            "select auth.user_id()",
            "55000",
            &stored_changed("claims_fallback"),
        );
    }
}

#[test]
fn superusers_session_setting_overrides_the_stored_one() {
    let (stored, own) = (Provider::new("a"), Provider::new("b"));
    for server in servers() {
        let database = server.database();
        let mut admin = server.connect("postgres", "postgres", "");
        let alter = format!("alter database {database}");
        run(
            &mut admin,
            &format!("{alter} set pg_session_jwt.providers = '[{}]'", stored.entry("")),
        );
        let mut open = server.connect(&database, "postgres", "");
        run(
            &mut open,
            &format!("set pg_session_jwt.providers = '[{}]'", own.entry("")),
        );
        init(&mut open, &own.token("alice"));
        run(&mut admin, &format!("{alter} reset pg_session_jwt.providers"));
        reload(&server, &mut [&mut open]);
        assert_eq!(user_id(&mut open).as_deref(), Some("alice"));
        run(&mut open, "reset pg_session_jwt.providers");
        rejects(
            &mut open,
            "select auth.user_id()",
            "55000",
            &stored_changed("providers"),
        );
        // A detected change remains detected.
        run(
            &mut open,
            &format!("set pg_session_jwt.providers = '[{}]'", own.entry("")),
        );
        gives_nothing(&mut open, "providers");
    }
}

/// PostgreSQL restores a value that stays the same without telling this library.
#[test]
fn value_of_a_function_overrides_the_stored_one_until_its_end() {
    for server in servers() {
        let database = server.database();
        let user = ordinary_user(&server, &database);
        let mut admin = server.connect(&database, "postgres", "");
        run(
            &mut admin,
            &format!(
                "alter database {database} set pg_session_jwt.claims_fallback = on;
                 create function overridden() returns text language sql security definer
                     set pg_session_jwt.claims_fallback = on as 'select auth.user_id()'"
            ),
        );
        let mut open = server.connect(&database, &user, r#"-c request.jwt.claims={"sub":"alice"}"#);
        assert_eq!(user_id(&mut open).as_deref(), Some("alice"));
        run(
            &mut admin,
            &format!("alter database {database} set pg_session_jwt.claims_fallback = off"),
        );
        reload(&server, &mut [&mut open]);
        assert_eq!(one::<String>(&mut open, "select overridden()"), "alice");
        gives_nothing(&mut open, "claims_fallback");
    }
}

#[test]
fn parallel_worker_notices_a_withdrawal() {
    let provider = Provider::new("a");
    let server = Server::start(
        "max_worker_processes = 20\nmax_parallel_workers = 20\nmax_parallel_workers_per_gather = 2\n\
         parallel_setup_cost = 0\nparallel_tuple_cost = 0\nmin_parallel_table_scan_size = 0",
    );
    let database = server.database();
    fill(&mut server.connect(&database, "postgres", ""));
    let mut admin = server.connect("postgres", "postgres", "");
    let alter = format!("alter database {database}");
    run(
        &mut admin,
        &format!("{alter} set pg_session_jwt.providers = '[{}]'", provider.entry("")),
    );
    let mut open = server.connect(&database, "postgres", "");
    leader_takes_part(&mut open, false);
    init(&mut open, &provider.token("alice"));
    run(
        &mut open,
        "set role authenticated; prepare q as select count(*) from owned; execute q",
    );
    run(&mut admin, &format!("{alter} reset pg_session_jwt.providers"));
    reload(&server, &mut [&mut open]);
    for _ in 0..3 {
        rejects(&mut open, "execute q", "55000", &stored_changed("providers"));
    }
}
