//! DROP EXTENSION: what prevents it, and what it leaves.

use testkit::cluster::PLAIN;
use testkit::session::{one, rejection, run};

use crate::support::extension_catalog::{assert_same_facts, facts, facts_about};

const CREATE: &str = "create extension pg_session_jwt";
/// A table whose policy and default need the extension.
const TODOS: &str = "
    create table todos (id int, user_id text default (auth.user_id()));
    insert into todos values (1, 'alice'), (2, 'bob');
    alter table todos enable row level security;
    create policy own on todos to authenticated using ((select auth.user_id()) = user_id);
    grant select on todos to authenticated";

/// attack: 127
#[test]
fn cascaded_drop_leaves_the_table_without_access() {
    let cluster = PLAIN.turn();
    let mut client = cluster.empty_database("d");
    run(&mut client, CREATE);
    run(&mut client, TODOS);
    let rejected = rejection(&mut client, "drop extension pg_session_jwt");
    assert_eq!(rejected.sqlstate, "2BP01");
    assert_eq!(
        rejected.message,
        "cannot drop extension pg_session_jwt because other objects depend on it"
    );
    let detail = rejected.detail.unwrap();
    assert!(
        detail.contains("policy own on table todos depends on function auth.user_id()"),
        "{detail}"
    );
    assert!(
        detail.contains("default value for column user_id of table todos depends on function auth.user_id()"),
        "{detail}"
    );
    run(&mut client, "drop extension pg_session_jwt cascade");
    assert_eq!(one::<i64>(&mut client, "select count(*) from pg_policies"), 0);
    run(&mut client, "set role authenticated");
    assert_eq!(one::<i64>(&mut client, "select count(*) from todos"), 0);
    run(&mut client, "reset role");
    assert_eq!(one::<i64>(&mut client, "select count(*) from todos"), 2);
}

/// attack: 122
#[test]
fn dropping_leaves_roles_that_a_new_installation_reuses() {
    let cluster = PLAIN.turn();
    let mut client = cluster.empty_database("d");
    run(&mut client, CREATE);
    run(&mut client, "create table t (); grant select on t to authenticated");
    let roles = "select array_agg(oid order by oid) from pg_roles where rolname in ('authenticated', 'anonymous')";
    let before: Vec<u32> = one(&mut client, roles);
    let first = facts(&mut client);
    for _ in 0..2 {
        run(&mut client, "drop extension pg_session_jwt");
        assert!(one::<bool>(
            &mut client,
            "select has_table_privilege('authenticated', 't', 'select')"
        ));
        run(&mut client, CREATE);
    }
    assert_eq!(one::<Vec<u32>>(&mut client, roles), before);
    assert_same_facts("created again", &facts(&mut client), &first);
}

/// attack: 128
#[test]
fn installers_objects_can_be_reassigned_or_dropped() {
    let cluster = PLAIN.turn();
    let mut owner = cluster.owner("d");
    run(&mut owner, CREATE);
    let mut superuser = cluster.superuser("d");
    run(&mut superuser, "create role heir; reassign owned by owner to heir");
    let belongs = facts_about(&mut superuser, "extension pg_session_jwt belongs");
    assert_eq!(belongs, ["extension pg_session_jwt belongs o heir"]);
    assert!(facts_about(&mut superuser, "schema {")[0].contains(r#""nspowner": "postgres""#));
    run(&mut superuser, "drop owned by heir");
    assert_eq!(facts(&mut superuser), [""; 0]);
    assert!(one::<bool>(
        &mut superuser,
        "select to_regrole('authenticated') is not null"
    ));
}
