//! Privileges after an installation: default privileges do not apply to it, and the owner of an old one does not
//! remain.

use postgres::Client;
use testkit::cluster::{PLAIN, Turn, with_own_scripts};
use testkit::session::{one, rejection, rejects, rows, run};

use crate::support::extension_catalog::{assert_same_facts, facts};
use crate::support::old_versions::{self, OldVersion, VERSION_0_5_0};

const CREATE: &str = "create extension pg_session_jwt";
const UPDATE: &str = "alter extension pg_session_jwt update";

/// Default privileges that grant everything to end users, and with grant option to a role with an odd name.
const ROLES: &str = "create role authenticated; create role anonymous; create role \"Ops\"";
const GENEROUS: &str = "
    alter default privileges grant execute on functions to authenticated, anonymous;
    alter default privileges grant execute on functions to \"Ops\" with grant option;
    alter default privileges grant usage, create on schemas to authenticated, public;
    alter default privileges grant usage, create on schemas to \"Ops\" with grant option";

/// The privileges of others than the owner: one line for each object.
const RIGHTS: &str = "
    with object (name, owner, acl) as (
        select 'auth', nspowner, coalesce(nspacl, acldefault('n', nspowner)) from pg_namespace where nspname = 'auth'
         union all
        select oid::regprocedure::text, proowner, coalesce(proacl, acldefault('f', proowner))
          from pg_proc where pronamespace = 'auth'::regnamespace
    ) select o.name || ': ' || string_agg(a.grantee::regrole || ' ' || a.privilege_type || a.is_grantable, ', '
                                          order by a.grantee::regrole::text collate \"C\", a.privilege_type)
        from object o cross join aclexplode(o.acl) a where a.grantee <> o.owner group by o.name";

fn privileges(client: &mut Client) -> Vec<String> {
    let rows = rows(client, RIGHTS).into_iter();
    let mut all: Vec<String> = rows.map(|row| row[0].clone().unwrap()).collect();
    all.sort();
    all
}

/// Those of an installation without altered default privileges.
fn usual_privileges() -> Vec<String> {
    let every_role = [
        "email()",
        "init()",
        "jwt()",
        "jwt_session_init(text)",
        "jwt_session_init(text,boolean)",
        "organization()",
        "organization_id()",
        "role()",
        "session()",
        "status()",
        "uid()",
        "user_id()",
    ];
    let mut all: Vec<String> = every_role
        .iter()
        .map(|name| format!("auth.{name}: - EXECUTEfalse"))
        .collect();
    all.push("auth.verify(text,text): pg_read_all_settings EXECUTEfalse".to_owned());
    all.push("auth: - USAGEfalse".to_owned());
    all.push("auth.\"check\"(): pg_database_owner EXECUTEfalse, pg_read_all_settings EXECUTEfalse".to_owned());
    all.push(
        "auth.check_sarif(text,boolean): pg_database_owner EXECUTEfalse, pg_read_all_settings EXECUTEfalse".to_owned(),
    );
    all.push("auth.activity(): pg_monitor EXECUTEfalse, pg_read_all_stats EXECUTEfalse".to_owned());
    all.push("auth.stats(): pg_monitor EXECUTEfalse, pg_read_all_stats EXECUTEfalse".to_owned());
    all.push("auth.providers(): pg_read_all_settings EXECUTEfalse".to_owned());
    all.push("auth.provider_settings(text,jsonb): pg_read_all_settings EXECUTEfalse".to_owned());
    all.push("auth.refresh_providers(): pg_signal_backend EXECUTEfalse".to_owned());
    all.sort();
    all
}

/// attack: 154
#[test]
fn default_privileges_do_not_apply_to_an_installation() {
    let cluster = PLAIN.turn();
    let mut superuser = cluster.empty_database("d");
    run(&mut superuser, &format!("{ROLES}; {GENEROUS}; {CREATE}"));
    assert_eq!(privileges(&mut superuser), usual_privileges());
    // The script of an ordinary owner runs as superuser, so the superuser's default privileges apply.
    let mut owner = cluster.owner("of_owner");
    run(&mut cluster.superuser("of_owner"), GENEROUS);
    run(&mut owner, CREATE);
    assert_eq!(privileges(&mut owner), usual_privileges());
    for role in ["authenticated", "anonymous", "\"Ops\""] {
        run(&mut superuser, &format!("set role {role}"));
        rejects(
            &mut superuser,
            "select from auth.check()",
            "42501",
            "permission denied for function check",
        );
        let look_alike = "create function auth.user_id(text default 'x') returns text language sql return 'victim'";
        rejects(&mut superuser, look_alike, "42501", "permission denied for schema auth");
        run(&mut superuser, "reset role");
    }
}

#[test]
fn default_privileges_do_not_apply_to_an_update() {
    for old in old_versions::all() {
        let cluster = with_own_scripts();
        let mut client = cluster.empty_database("d");
        run(&mut client, &format!("{ROLES}; {GENEROUS}"));
        old.install(&cluster, &mut client);
        let before: Vec<String> = privileges(&mut client);
        run(&mut client, UPDATE);
        // An existing privilege may have been granted on purpose: it stays, except for CREATE.
        let expected = usual_privileges().into_iter().map(|usual| {
            let name = usual.split_once(": ").unwrap().0;
            let kept = before.iter().find(|right| right.split_once(": ").unwrap().0 == name);
            kept.map_or(usual.clone(), |kept| {
                kept.replace("\"Ops\" CREATEtrue, ", "")
                    .replace("- CREATEfalse, ", "")
                    .replace("authenticated CREATEfalse, ", "")
            })
        });
        assert_eq!(privileges(&mut client), expected.collect::<Vec<_>>(), "{old:?}");
        let schema = "auth: \"Ops\" USAGEtrue, - USAGEfalse, authenticated USAGEfalse".to_owned();
        assert!(privileges(&mut client).contains(&schema), "{old:?}");
        let new = "auth.role(): - EXECUTEfalse".to_owned();
        assert!(privileges(&mut client).contains(&new), "{old:?}");
    }
}

/// Gives an old installation to bob, who uses it.
fn given_away(cluster: &Turn, client: &mut Client, old: OldVersion) {
    old.install(cluster, client);
    run(
        client,
        "create role bob; create role mallory; create role previous superuser;
         alter schema auth owner to previous;
         do $$ declare f regprocedure; begin
             for f in select oid from pg_proc where pronamespace = 'auth'::regnamespace loop
                 execute format('alter function %s owner to previous', f);
             end loop; end $$;
         reassign owned by previous to bob;
         set role bob;
         alter function auth.user_id() security definer set search_path = 'mallory';
         create or replace function auth.session() returns jsonb language sql return '{\"sub\":\"victim\"}'::jsonb;
         grant create on schema auth to mallory with grant option;
         set role mallory; grant create on schema auth to public; reset role",
    );
}

/// attack: 154
#[test]
fn update_restores_ownership_and_privileges() {
    let cluster = with_own_scripts();
    let mut client = cluster.empty_database("fresh");
    run(&mut client, CREATE);
    let fresh = facts(&mut client);
    run(&mut client, "drop extension pg_session_jwt");
    for (i, old) in old_versions::all().enumerate() {
        let mut client = cluster.empty_database(&format!("d{i}"));
        given_away(&cluster, &mut client, old);
        run(&mut client, UPDATE);
        assert_same_facts(&format!("{old:?}"), &facts(&mut client), &fresh);
        assert_eq!(privileges(&mut client), usual_privileges(), "{old:?}");
        run(&mut client, "set role bob");
        for (change, message) in [
            (
                "alter function auth.user_id() cost 1",
                "must be owner of function auth.user_id",
            ),
            ("alter schema auth rename to mine", "must be owner of schema auth"),
        ] {
            rejects(&mut client, change, "42501", message);
        }
        run(
            &mut client,
            "reset role; drop owned by bob, mallory, previous; drop role bob, mallory, previous",
        );
    }
}

#[test]
fn schema_of_another_owner_prevents_the_update() {
    let cluster = with_own_scripts();
    let mut client = cluster.empty_database("d");
    VERSION_0_5_0.install(&cluster, &mut client);
    run(
        &mut client,
        "create role bob; alter extension pg_session_jwt drop schema auth; alter schema auth owner to bob",
    );
    let rejected = rejection(&mut client, UPDATE);
    assert_eq!(
        (&*rejected.sqlstate, &*rejected.message),
        (
            "55000",
            r#"schema "auth" belongs to role "bob" and not to this extension"#
        )
    );
    let detail = "Its owner could rename it and replace its functions.";
    assert_eq!(rejected.detail.as_deref(), Some(detail));
    let hint = "Make a superuser its owner (ALTER SCHEMA auth OWNER TO ...), and try again.";
    assert_eq!(rejected.hint.as_deref(), Some(hint));
    run(&mut client, &format!("alter schema auth owner to postgres; {UPDATE}"));
    assert_eq!(
        one::<String>(
            &mut client,
            "select nspowner::regrole::text from pg_namespace where nspname = 'auth'"
        ),
        "postgres"
    );
}
