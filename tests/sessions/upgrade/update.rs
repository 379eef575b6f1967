//! ALTER EXTENSION pg_session_jwt UPDATE from every released version: the catalog equals that of a new installation,
//! and dependent objects keep working.

use postgres::Client;
use testkit::cluster::{Turn, with_own_scripts};
use testkit::session::{Proxy, init, one, rejects, run};

use crate::support::extension_catalog::{assert_same_facts, facts, facts_about};
use crate::support::old_versions::{self, OldVersion, VERSION_0_5_0};

const UPDATE: &str = "alter extension pg_session_jwt update";
const OIDS: &str = "select string_agg(oid::regprocedure || ' ' || oid, ', ' order by oid) from pg_proc
                    where pronamespace = 'auth'::regnamespace";

/// Objects of an application that use the functions: default, policies of all shapes, a view, a check.
fn build_application(client: &mut Client, old: OldVersion) {
    run(
        client,
        "create role app;
         create table todos (user_id text not null default (auth.user_id()), task text,
             check (coalesce(auth.user_id(), user_id) = user_id));
         alter table todos enable row level security;
         create policy reading on todos for select using ((select auth.user_id() = todos.user_id));
         create policy writing on todos for insert with check ((select auth.user_id()) = user_id);
         create policy changing on todos for update using (auth.user_id() = user_id);
         create view me as select auth.user_id() as id, auth.session() ->> 'sub' as sub;
         insert into todos values ('alice', 'old of alice'), ('bob', 'old of bob');
         grant select, insert, update on todos, me to app",
    );
    if old.has_uid() {
        run(
            client,
            "create table things (owner uuid default (auth.uid()), claims jsonb default (auth.jwt()))",
        );
    }
    if old.has_organization() {
        let policy = "create policy of_organization on todos for delete using (auth.organization_id() is not null)";
        run(client, policy);
    }
}

/// Uses it as alice and as bob.
fn use_application(cluster: &Turn, database: &str) {
    let mut proxy = Proxy::new();
    let mut client = cluster.connect(database, "postgres", &proxy.options());
    run(&mut client, "set role app");
    for (name, other) in [("alice", "bob"), ("bob", "alice")] {
        init(&mut client, &proxy.token(&format!(r#""sub":"{name}""#)));
        run(&mut client, "insert into todos (task) values ('new')");
        let of_other = format!("insert into todos values ('{other}', 'forged')");
        let message = r#"new row violates row-level security policy for table "todos""#;
        rejects(&mut client, &of_other, "42501", message);
        let tasks = "select string_agg(user_id || ': ' || task, ', ' order by task collate \"C\") from todos";
        assert_eq!(
            one::<String>(&mut client, tasks),
            format!("{name}: new, {name}: old of {name}")
        );
        assert_eq!(
            one::<String>(&mut client, "select id || sub from me"),
            format!("{name}{name}")
        );
    }
}

#[test]
fn updated_catalog_equals_a_new_installation() {
    let cluster = with_own_scripts();
    let mut client = cluster.empty_database("fresh");
    run(&mut client, "create extension pg_session_jwt");
    let fresh = facts(&mut client);
    drop(client);
    cluster.run("drop database fresh with (force)");
    cluster.run("drop role authenticated, anonymous");
    for (i, old) in old_versions::all().enumerate() {
        let database = format!("d{i}");
        let mut client = cluster.empty_database(&database);
        old.install(&cluster, &mut client);
        build_application(&mut client, old);
        let before: String = one(&mut client, OIDS);
        assert_ne!(facts(&mut client), fresh);
        run(&mut client, UPDATE);
        assert_same_facts(&format!("{old:?}"), &facts(&mut client), &fresh);
        let after: String = one(&mut client, OIDS);
        assert!(
            after.starts_with(&before),
            "{old:?}: replaced, not dropped: {before} and then {after}"
        );
        use_application(&cluster, &database);
        drop(client);
        cluster.run(&format!("drop database {database} with (force)"));
        cluster.run("drop role app, authenticated, anonymous");
    }
}

/// attack: 126
#[test]
fn open_sessions_keep_identity_and_plans_during_update() {
    let cluster = with_own_scripts();
    let mut admin = cluster.empty_database("d");
    VERSION_0_5_0.install(&cluster, &mut admin);
    build_application(&mut admin, VERSION_0_5_0);
    let mut proxy = Proxy::new();
    let mut client = cluster.connect("d", "postgres", &proxy.options());
    init(&mut client, &proxy.token(r#""sub":"alice""#));
    run(&mut admin, "grant usage on schema auth to app");
    run(&mut client, "set role app; set plan_cache_mode = force_generic_plan");
    let mine = client
        .prepare("select count(*) from todos where user_id = auth.user_id()")
        .unwrap();
    assert_eq!(client.query_one(&mine, &[]).unwrap().get::<_, i64>(0), 1);
    run(&mut admin, UPDATE);
    assert_eq!(client.query_one(&mine, &[]).unwrap().get::<_, i64>(0), 1);
    run(&mut client, "insert into todos default values");
    assert_eq!(client.query_one(&mine, &[]).unwrap().get::<_, i64>(0), 2);
    assert_eq!(one::<String>(&mut client, "select user_id from auth.status()"), "alice");
}

#[test]
fn database_owner_updates_their_own_extension() {
    let cluster = with_own_scripts();
    let (mut old, mut new) = (cluster.owner("old"), cluster.owner("new"));
    VERSION_0_5_0.install(&cluster, &mut old);
    run(&mut old, UPDATE);
    run(&mut new, "create extension pg_session_jwt");
    assert_same_facts("updated by a mere owner", &facts(&mut old), &facts(&mut new));

    let mut superuser = cluster.superuser("new");
    run(&mut superuser, "drop extension pg_session_jwt");
    VERSION_0_5_0.install(&cluster, &mut superuser);
    rejects(&mut new, UPDATE, "42501", "must be owner of extension pg_session_jwt");
}

#[test]
fn grants_of_the_old_deployment_stay() {
    let cluster = with_own_scripts();
    let mut client = cluster.empty_database("d");
    VERSION_0_5_0.install(&cluster, &mut client);
    run(
        &mut client,
        "create role authenticated; create role app; grant usage on schema auth to authenticated;
         revoke execute on function auth.init() from public; grant execute on function auth.init() to app",
    );
    run(&mut client, UPDATE);
    let schema = facts_about(&mut client, "schema {");
    let acl = r#""nspacl": ["postgres=UC/postgres", "authenticated=U/postgres", "=U/postgres"]"#;
    assert!(schema[0].contains(acl), "{schema:?}");
    let init = facts_about(&mut client, "function auth.init() {");
    let acl = r#""proacl": ["postgres=X/postgres", "app=X/postgres"]"#;
    assert!(init[0].contains(acl), "{init:?}");
}

/// attack: 126
#[test]
fn each_old_version_has_one_update_path() {
    let cluster = with_own_scripts();
    let mut client = cluster.empty_database("d");
    VERSION_0_5_0.offer(&cluster);
    let paths = "select string_agg(path, ' ' order by source) from pg_extension_update_paths('pg_session_jwt')
                 where target = (select default_version from pg_available_extensions where name = 'pg_session_jwt')
                 and source <> target";
    assert_eq!(
        one::<String>(&mut client, paths),
        "0.3.1--0.4.0--0.5.0--1.0.0 0.4.0--0.5.0--1.0.0 0.5.0--1.0.0"
    );
    let back =
        "select count(*) from pg_extension_update_paths('pg_session_jwt') where source = '1.0.0' and path is not null";
    assert_eq!(one::<i64>(&mut client, back), 0);
}
