//! The roles that an installation creates, uses unchanged, or rejects.

use postgres::Client;

use testkit::cluster::{PLAIN, drop_roles};
use testkit::session::{Rejection, one, rejection, run};

const CREATE: &str = "create extension pg_session_jwt";
const HINT: &str = "All end users share this role. Remove its privileges (ALTER ROLE authenticated NOSUPERUSER \
                    NOBYPASSRLS NOCREATEROLE NOREPLICATION; REVOKE for a membership), or rename the role, and try \
                    again.";

/// Everything about the two roles: the rows with their passwords, memberships, settings and comments.
fn roles(client: &mut Client) -> Vec<String> {
    let facts = "
        with ours as (select * from pg_authid where rolname in ('authenticated', 'anonymous'))
        select to_jsonb(o)::text from ours o
        union all select 'membership ' || (to_jsonb(m) - 'oid')::text from pg_auth_members m, ours o
            where o.oid in (m.roleid, m.member, m.grantor)
        union all select 'setting ' || s::text from pg_db_role_setting s, ours o where s.setrole = o.oid
        union all select 'comment ' || d.description from pg_shdescription d, ours o where d.objoid = o.oid
        order by 1";
    client.query(facts, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

#[test]
fn new_roles_have_no_attributes() {
    let cluster = PLAIN.turn();
    let mut client = cluster.owner("d");
    run(&mut client, CREATE);
    let mut superuser = cluster.superuser("d");
    let expected: Vec<String> = ["anonymous", "authenticated"]
        .iter()
        .map(|name| {
            let oid: u32 = one(&mut superuser, &format!("select '{name}'::regrole::oid"));
            let row = format!(
                "select jsonb_build_object('oid', '{oid}', 'rolname', '{name}', 'rolsuper', false, 'rolinherit', true, \
                 'rolcreaterole', false, 'rolcreatedb', false, 'rolcanlogin', false, 'rolreplication', false, \
                 'rolbypassrls', false, 'rolconnlimit', -1, 'rolpassword', null, 'rolvaliduntil', null)::text"
            );
            one(&mut superuser, &row)
        })
        .collect();
    let mut found = roles(&mut superuser);
    found.sort_by_key(|row| row.contains(r#""authenticated""#));
    assert_eq!(found, expected);
    let rejected = cluster.try_connect("d", "authenticated", "").err().unwrap();
    assert_eq!(
        rejected.as_db_error().unwrap().message(),
        r#"role "authenticated" is not permitted to log in"#
    );
}

#[test]
fn existing_harmless_roles_stay_unchanged() {
    let cluster = PLAIN.turn();
    let mut superuser = cluster.empty_database("d");
    run(
        &mut superuser,
        "create role team; create role app login;
         create role authenticated login password 'p' noinherit createdb connection limit 5 valid until '2099-01-01';
         create role anonymous in role team;
         grant authenticated to app with admin option; grant pg_read_all_data to team;
         alter role authenticated set statement_timeout = '5s'; comment on role anonymous is 'theirs'",
    );
    let before = roles(&mut superuser);
    assert_eq!(before.len(), 6, "{before:?}");
    run(&mut superuser, CREATE);
    assert_eq!(roles(&mut superuser), before);
}

/// Asserts that the installation fails and leaves nothing behind; returns the error.
fn stopped(superuser: &mut Client, how: &str) -> Rejection {
    let before = roles(superuser);
    let rejected = rejection(superuser, CREATE);
    assert_eq!(rejected.sqlstate, "55000", "{how}: {rejected:?}");
    assert_eq!(roles(superuser), before, "{how}");
    assert!(
        one::<bool>(superuser, "select to_regnamespace('auth') is null"),
        "{how}"
    );
    rejected
}

/// attack: 120
#[test]
fn role_with_too_many_privileges_is_rejected() {
    let cluster = PLAIN.turn();
    let mut client = cluster.empty_database("d");
    for name in ["authenticated", "anonymous"] {
        for attributes in [
            "SUPERUSER",
            "BYPASSRLS",
            "CREATEROLE",
            "REPLICATION",
            "SUPERUSER, BYPASSRLS, REPLICATION",
        ] {
            run(
                &mut client,
                &format!("create role {name} {}", attributes.replace(',', "")),
            );
            let rejected = stopped(&mut client, attributes);
            assert_eq!(
                rejected.message,
                format!(r#"role "{name}" has more privileges than end users may have"#)
            );
            assert_eq!(rejected.detail, Some(format!("It has {attributes}.")));
            assert_eq!(rejected.hint, Some(HINT.replace("authenticated", name)));
            // The hint is correct.
            let cure = "nosuperuser nobypassrls nocreaterole noreplication";
            run(
                &mut client,
                &format!("alter role {name} {cure}; {CREATE}; drop extension pg_session_jwt"),
            );
            drop_roles(&mut client);
        }
    }
}

/// attack: 120
#[test]
fn role_that_can_gain_too_many_privileges_is_rejected() {
    let cluster = PLAIN.turn();
    let mut client = cluster.empty_database("d");
    let has = |attributes: &str| format!(r#"It is a member of role "boss", which has {attributes}."#);
    let is = |role: &str| format!(r#"It is a member of role "{role}"."#);
    let ways = [
        (
            "create role boss superuser; create role {} in role boss",
            has("SUPERUSER"),
        ),
        (
            "create role boss bypassrls createrole; create role {} in role boss",
            has("BYPASSRLS, CREATEROLE"),
        ),
        (
            "create role boss replication; create role {} noinherit in role boss",
            has("REPLICATION"),
        ),
        (
            "create role boss bypassrls; create role b in role boss; create role a in role b; create role {} in role a",
            has("BYPASSRLS"),
        ),
        (
            "create role {} in role pg_read_server_files",
            is("pg_read_server_files"),
        ),
        (
            "create role {} in role pg_write_server_files",
            is("pg_write_server_files"),
        ),
        (
            "create role {} in role pg_execute_server_program",
            is("pg_execute_server_program"),
        ),
        (
            "create role {} in role pg_read_all_settings",
            is("pg_read_all_settings"),
        ),
        ("create role {} in role pg_monitor", is("pg_read_all_settings")),
    ];
    for name in ["authenticated", "anonymous"] {
        for (how, why) in &ways {
            run(&mut client, &how.replace("{}", name));
            let rejected = stopped(&mut client, how);
            assert_eq!(
                rejected.message,
                format!(r#"role "{name}" has more privileges than end users may have"#)
            );
            assert_eq!(rejected.detail.as_ref(), Some(why));
            drop_roles(&mut client);
        }
    }
}

#[test]
fn such_a_role_stops_a_database_owner() {
    let cluster = PLAIN.turn();
    let mut owner = cluster.owner("d");
    cluster.run("create role anonymous bypassrls");
    let rejected = rejection(&mut owner, CREATE);
    assert_eq!(
        rejected.message,
        r#"role "anonymous" has more privileges than end users may have"#
    );
    assert!(one::<bool>(&mut owner, "select to_regrole('authenticated') is null"));
}
