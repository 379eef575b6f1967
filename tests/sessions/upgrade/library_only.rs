//! The library file was replaced without ALTER EXTENSION: the old catalog's functions must work with it.

use postgres::Client;
use testkit::cluster::{Turn, with_own_scripts};
use testkit::messages;
use testkit::session::{Proxy, init, one, rejects, run};

use crate::support::old_versions::{self, OldVersion};

/// Installs the old version in a separate database; returns sessions there.
fn with_each(test: impl Fn(&Turn, &str, OldVersion)) {
    let cluster = with_own_scripts();
    for (i, old) in old_versions::all().enumerate() {
        let database = format!("d{i}");
        old.install(&cluster, &mut cluster.empty_database(&database));
        println!("{old:?}");
        test(&cluster, &database, old);
    }
}

fn is_null(client: &mut Client, expression: &str) -> bool {
    one(client, &format!("select ({expression}) is null"))
}

const USER: &str = "2c9a4b9e-6d0f-4a3f-8f86-1b1f4f7c2f11";

/// attack: 134
#[test]
fn tokens_are_verified_and_read() {
    with_each(|cluster, database, old| {
        let mut proxy = Proxy::new();
        let mut client = cluster.connect(database, "postgres", &proxy.options());
        run(&mut client, "select auth.init()");
        assert!(is_null(&mut client, "auth.user_id()"));
        let first = proxy.token(&format!(r#""sub":"{USER}","o":{{"id":"{USER}"}}"#));
        init(&mut client, &first);
        assert_eq!(one::<String>(&mut client, "select auth.user_id()"), USER);
        assert_eq!(
            one::<String>(&mut client, "select auth.session() -> 'o' ->> 'id'"),
            USER
        );
        if old.has_uid() {
            assert_eq!(one::<String>(&mut client, "select auth.uid()::text"), USER);
            assert_eq!(one::<String>(&mut client, "select auth.jwt() ->> 'sub'"), USER);
        }
        if old.has_organization() {
            assert_eq!(one::<String>(&mut client, "select auth.organization() ->> 'id'"), USER);
            assert_eq!(one::<String>(&mut client, "select auth.organization_id()::text"), USER);
        }
        let replay = format!("select auth.jwt_session_init('{first}')");
        rejects(&mut client, &replay, "28000", messages::TOKEN_ID_REPLAYED);
        // The function is STRICT until the catalog is updated: NULL is neither a token nor an error.
        assert!(is_null(&mut client, "auth.jwt_session_init(null)"));
        assert_eq!(one::<String>(&mut client, "select auth.user_id()"), USER);
        let rows = "select count(*) from generate_series(1, 1000) where auth.user_id() is not null";
        assert_eq!(one::<i64>(&mut client, rows), 1000);
    });
}

#[test]
fn request_claims_are_read_and_absent_ones_are_null() {
    with_each(|cluster, database, old| {
        let mut client = cluster.superuser(database);
        rejects(&mut client, "select auth.init()", "55000", messages::NO_KEY);
        assert!(is_null(&mut client, "auth.user_id()"));
        assert_eq!(one::<String>(&mut client, "select auth.session()::text"), "null");
        if old.has_uid() {
            assert!(is_null(&mut client, "auth.uid()"));
            assert_eq!(one::<String>(&mut client, "select auth.jwt()::text"), "null");
        }
        if old.has_organization() {
            assert!(is_null(&mut client, "auth.organization()"));
            assert!(is_null(&mut client, "auth.organization_id()"));
        }
        run(&mut client, r#"set request.jwt.claims = '{"sub":"alice"}'"#);
        assert_eq!(one::<String>(&mut client, "select auth.user_id()"), "alice");
        assert_eq!(
            one::<String>(&mut client, "select auth.session()::text"),
            r#"{"sub": "alice"}"#
        );
    });
}

#[test]
fn policies_separate_the_users() {
    with_each(|cluster, database, _| {
        let mut proxy = Proxy::new();
        let mut client = cluster.connect(database, "postgres", &proxy.options());
        run(
            &mut client,
            "create table todos (user_id text default (auth.user_id()));
             insert into todos values ('alice'), ('bob'); alter table todos enable row level security;
             create policy own on todos using ((select auth.user_id()) = user_id);
             create role app; grant usage on schema auth to app; grant select, insert on todos to app; set role app",
        );
        for name in ["alice", "bob"] {
            init(&mut client, &proxy.token(&format!(r#""sub":"{name}""#)));
            run(&mut client, "insert into todos default values");
            let users = "select string_agg(user_id, ' ') from todos";
            assert_eq!(one::<String>(&mut client, users), format!("{name} {name}"));
        }
        run(
            &mut client,
            "reset role; drop table todos; drop owned by app; drop role app",
        );
    });
}
