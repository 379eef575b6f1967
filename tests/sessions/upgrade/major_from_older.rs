//! pg_upgrade from an older major, with policies, roles and keys.
//!
//! OLDER_PG_CONFIG names the older PostgreSQL, with the extension installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use postgres::Client;
use testkit::key_server::{Answer, KeyServer};
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::{Server, major, pg_config, program_at, unprivileged_user};
use testkit::session::{Proxy, init, one, rejects, rows, run, user_id};

use crate::support::application::{fill, is_intact};
use crate::support::extension_catalog::{assert_same_facts, facts};
use crate::support::jwks_url::entry;
use crate::support::pg_upgrade::upgrade;

const PRELOAD: &str = "shared_preload_libraries = 'pg_session_jwt'";

/// The roles, settings and policies that the extension depends on.
const AROUND_IT: [&str; 4] = [
    "select rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls
     from pg_roles where rolname !~ '^pg_' order by 1",
    "select roleid::regrole, member::regrole from pg_auth_members where member::regrole::text !~ '^pg_' order by 1, 2",
    "select datname, rolname, setconfig
     from pg_db_role_setting left join pg_database d on d.oid = setdatabase left join pg_roles r on r.oid = setrole
     order by 1, 2",
    "select * from pg_policies order by tablename, policyname",
];

fn around_it(client: &mut Client) -> Vec<Vec<Option<String>>> {
    AROUND_IT.iter().flat_map(|query| rows(client, query)).collect()
}

/// The directory of the older major's programs.
fn older_programs() -> PathBuf {
    let pg_config = std::env::var("OLDER_PG_CONFIG").expect("OLDER_PG_CONFIG: the pg_config of an older PostgreSQL");
    let output = Command::new(pg_config).arg("--bindir").output().unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

fn succeeds(mut command: Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Creates the data of a stopped server again with the older major's initdb, except for its settings.
fn made_by_the_older(directory: &Path) -> PathBuf {
    let data = directory.join("data");
    let settings = data.join("postgresql.auto.conf");
    let own = fs::read(&settings).unwrap();
    fs::remove_dir_all(&data).unwrap();
    let mut initdb = program_at(&older_programs().join("initdb"), unprivileged_user());
    initdb.args([
        "--auth=trust",
        "--username=postgres",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    ]);
    // Both clusters must have checksums or neither, and since 18 a new one has them.
    if major() >= 18 {
        initdb.arg("--data-checksums");
    }
    initdb.arg("-D").arg(&data);
    succeeds(initdb);
    fs::write(settings, own).unwrap();
    older_programs().join("postgres")
}

/// Database `app` of [`fill`], and `shop`, with its own providers and others for one role.
fn fill_older(older: &Server, inline: &Provider, url: &str) {
    let mut admin = older.connect("postgres", "postgres", "");
    run(&mut admin, "create database app");
    let mut owner = older.connect("app", "postgres", "");
    run(&mut owner, "create extension pg_session_jwt");
    fill(older, &mut owner, &mut Proxy::new());
    run(&mut admin, "create database shop");
    run(
        &mut admin,
        &format!(
            "alter database shop set pg_session_jwt.providers = '[{}]';
             create role guest login in role authenticated;
             alter role guest in database shop set pg_session_jwt.providers = '[{}]';
             alter role guest set pg_session_jwt.leeway = 7",
            inline.entry(""),
            entry("url", url)
        ),
    );
    let mut owner = older.connect("shop", "postgres", "");
    run(
        &mut owner,
        "create extension pg_session_jwt;
         create table owned (user_id text not null default (auth.user_id()));
         insert into owned values ('alice'), ('bob');
         alter table owned enable row level security;
         create policy own_rows on owned to authenticated
             using ((select auth.user_id() = owned.user_id)) with check ((select auth.user_id()) = user_id);
         grant select, insert on owned to authenticated",
    );
}

/// Removes a column property that 15.20 records, when the newer major's pg_dump is too old to leave it out. Otherwise
/// no table could be carried over.
fn forget_column_versions(older: &Server) {
    let pg_dump = fs::read(pg_config("--bindir").join("pg_dump")).unwrap();
    let name = b"pg_attver";
    if pg_dump.windows(name.len()).any(|found| found == name) {
        return;
    }
    for database in ["app", "shop"] {
        run(
            &mut older.connect(database, "postgres", ""),
            "update pg_attribute set attoptions = null where attoptions::text ~ '^{pg_attver=\\d+}$'",
        );
    }
}

#[test]
#[ignore = "needs OLDER_PG_CONFIG: scripts/test.sh runs it where it tests several majors"]
fn policies_roles_and_keys_are_carried_over() {
    let (inline, url) = (Provider::new("inline"), Provider::new("url"));
    let keys = KeyServer::start(Answer::Body(url.key_set()));
    let mut older = Server::start_program(PRELOAD, made_by_the_older);
    let its_major = "select current_setting('server_version_num')::int8 / 10000";
    let mut client = older.connect("postgres", "postgres", "");
    assert!(one::<i64>(&mut client, its_major) < i64::from(major()));
    fill_older(&older, &inline, &keys.url());
    let before = ["app", "shop"].map(|database| around_it(&mut older.connect(database, "postgres", "")));
    forget_column_versions(&older);
    let stopped = older.directory().join("stopped");
    older.restart_after(|directory| {
        let mut copy = Command::new("cp");
        copy.arg("-a")
            .arg(directory.join("data"))
            .arg(directory.join("stopped"));
        succeeds(copy);
    });

    let newer = Server::start_program(PRELOAD, |directory| {
        upgrade(directory, &older_programs(), &stopped, &directory.join("data"));
        pg_config("--bindir").join("postgres")
    });
    drop(older);
    let mut admin = newer.connect("postgres", "postgres", "");
    run(&mut admin, "create database fresh");
    let mut fresh = newer.connect("fresh", "postgres", "");
    run(&mut fresh, "create extension pg_session_jwt");
    let wanted = facts(&mut fresh);
    for (database, before) in ["app", "shop"].into_iter().zip(before) {
        let mut client = newer.connect(database, "postgres", "");
        assert_eq!(around_it(&mut client), before, "{database}");
        assert_same_facts(database, &facts(&mut client), &wanted);
    }
    is_intact(&newer, "app");

    let guest = newer.connect("shop", "guest", "");
    let other = newer.connect("shop", "postgres", "");
    for (mut client, provider, foreign, leeway) in [(guest, &url, &inline, "7s"), (other, &inline, &url, "1min")] {
        assert_eq!(one::<String>(&mut client, "show pg_session_jwt.leeway"), leeway);
        run(&mut client, "set role authenticated");
        for user in ["alice", "bob"] {
            init(&mut client, &provider.token(user));
            assert_eq!(user_id(&mut client).as_deref(), Some(user));
            run(&mut client, "begin; insert into owned default values");
            let owners = "select string_agg(user_id, ',') from owned";
            assert_eq!(one::<String>(&mut client, owners), format!("{user},{user}"));
            run(&mut client, "rollback");
        }
        let present = format!("select auth.jwt_session_init('{}')", foreign.token("alice"));
        rejects(&mut client, &present, "28000", messages::UNKNOWN_ISSUER);
    }
}
