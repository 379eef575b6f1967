//! A streaming standby made by pg_basebackup: identities, policies and keys reach it, and it continues after promotion.

use std::fs;
use std::path::Path;

use postgres::Client;
use testkit::key_server::wait_until;
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{init, one, rejects, run, user_id};

use crate::support::key_fetcher::rejects_init;
use crate::support::standby::standby_of;

const OWNERS: &str = "select string_agg(user_id, ',' order by user_id) from owned";

/// Writes a file in one step, so that no process reads half of it.
fn replace(path: &Path, text: &str) {
    let fresh = path.with_extension("new");
    fs::write(&fresh, text).unwrap();
    fs::rename(&fresh, path).unwrap();
}

/// Lets the database accept the tokens of `inline`, and of the provider with the keys in that file.
fn set_providers(admin: &mut Client, database: &str, inline: &Provider, file: &Path) {
    let of_file = format!(r#"{{"issuer":"file","jwks_file":"{}"}}"#, file.display());
    run(
        admin,
        &format!(
            "alter database {database} set pg_session_jwt.providers = '[{},{of_file}]'",
            inline.entry("")
        ),
    );
}

/// A database with a table in which each user sees their own rows, and a login for end users.
fn application(server: &Server) -> String {
    let database = server.database();
    run(
        &mut server.connect(&database, "postgres", ""),
        "create role app login in role authenticated;
         create table owned (user_id text not null default (auth.user_id()));
         insert into owned values ('alice'), ('bob');
         alter table owned enable row level security;
         create policy own_rows on owned to authenticated using ((select auth.user_id()) = user_id);
         grant select, insert on owned to authenticated",
    );
    database
}

#[test]
fn keys_and_policies_apply_on_a_standby_and_after_promotion() {
    let (inline, file) = (Provider::new("inline"), Provider::new("file"));
    let primary = Server::start("");
    let database = application(&primary);
    let keys = primary.directory().join("keys.json");
    replace(&keys, &file.key_set());
    let mut admin = primary.connect(&database, "postgres", "");
    set_providers(&mut admin, &database, &inline, &keys);
    let standby = standby_of(&primary, "");

    let mut living = standby.connect(&database, "app", "");
    assert_eq!(user_id(&mut living), None);
    assert_eq!(one::<Option<String>>(&mut living, OWNERS), None);
    run(&mut living, "select auth.init(); set role authenticated");
    for (provider, user) in [(&inline, "alice"), (&file, "bob")] {
        init(&mut living, &provider.token(user));
        assert_eq!(user_id(&mut living).as_deref(), Some(user));
        assert_eq!(one::<String>(&mut living, OWNERS), user);
        rejects(
            &mut living,
            "insert into owned default values",
            "25006",
            "cannot execute INSERT in a read-only transaction",
        );
        assert_eq!(user_id(&mut living).as_deref(), Some(user));
    }
    rejects_init(
        &mut living,
        &Provider::new("inline").token("bob"),
        "28000",
        messages::INVALID_SIGNATURE,
    );
    run(&mut living, "begin");
    run(
        &mut living,
        &format!("select auth.jwt_session_init('{}', true)", inline.token("alice")),
    );
    assert_eq!(one::<String>(&mut living, OWNERS), "alice");
    run(&mut living, "commit");
    assert_eq!(one::<String>(&mut living, OWNERS), "bob");

    // Rows, policies and the database's keys come from the primary; the file belongs to the standby.
    let (inline, old_file) = (Provider::with_kid("inline", "k2"), file);
    let file = Provider::new("file");
    set_providers(&mut admin, &database, &inline, &keys);
    run(
        &mut admin,
        "insert into owned values ('carol');
         create policy shown_to_alice on owned to authenticated using (auth.user_id() = 'alice' and user_id = 'carol')",
    );
    let mut reader = standby.connect(&database, "postgres", "");
    wait_until("the new policy", || {
        one::<i64>(&mut reader, "select count(*) from pg_policy") == 2
    });
    let mut client = standby.connect(&database, "app", "");
    init(&mut client, &inline.token("alice"));
    assert_eq!(one::<String>(&mut client, OWNERS), "alice,carol");
    rejects_init(
        &mut client,
        &Provider::new("inline").token("alice"),
        "28000",
        messages::NO_KEY_OF_TOKEN,
    );
    replace(&keys, &file.key_set());
    wait_until("the new file to be read", || {
        living.simple_query("select auth.user_id()").is_err()
    });
    rejects(&mut living, OWNERS, "28000", messages::INVALID_SIGNATURE);
    init(&mut living, &file.token("bob"));
    assert_eq!(one::<String>(&mut living, OWNERS), "bob");

    assert!(one::<bool>(&mut reader, "select pg_promote()"));
    // Sessions of the standby keep their identities, and may now write with them.
    for (session, user, rows) in [
        (&mut living, "bob", "bob,bob"),
        (&mut client, "alice", "alice,alice,carol"),
    ] {
        assert_eq!(user_id(session).as_deref(), Some(user));
        run(session, "insert into owned default values");
        assert_eq!(one::<String>(session, OWNERS), rows);
        rejects(
            session,
            "insert into owned values ('mallory')",
            "42501",
            "new row violates row-level security policy for table \"owned\"",
        );
    }
    rejects_init(
        &mut living,
        &old_file.token("bob"),
        "28000",
        messages::INVALID_SIGNATURE,
    );
    // The primary continues independently.
    assert_eq!(one::<String>(&mut admin, OWNERS), "alice,bob,carol");
    let mut admin = standby.connect(&database, "postgres", "");
    let last = Provider::new("last");
    set_providers(&mut admin, &database, &last, &keys);
    let mut client = standby.connect(&database, "app", "");
    init(&mut client, &last.token("carol"));
    assert_eq!(one::<String>(&mut client, OWNERS), "carol");
}
