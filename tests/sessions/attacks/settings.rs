//! Settings that an attacker tries to set, store, read or remove.

use testkit::session::{Proxy, rejection, rows, run};

use super::deployment::{Deployment, providers, secret, session_init, token, token_with};
use super::ways::{ANONYMOUS, MALLORY, Way, fails, in_every_way, value, who};

/// attack: 64
#[test]
fn ending_an_identity_gives_no_other() {
    in_every_way(|deployment| {
        for (sql, left) in [
            ("reset pg_session_jwt.jwt", ANONYMOUS),
            ("set pg_session_jwt.jwt = ''", ANONYMOUS),
            ("set pg_session_jwt.jwt to default", ANONYMOUS),
            ("select set_config('pg_session_jwt.jwt', null, false)", ANONYMOUS),
            ("reset all", ANONYMOUS),
            ("discard all", ANONYMOUS),
            ("discard plans; discard temp; discard sequences", MALLORY),
            ("begin; set local pg_session_jwt.jwt = ''; commit", MALLORY),
            ("set session characteristics as transaction read only", MALLORY),
        ] {
            let mut client = deployment.mallory();
            run(&mut client, sql);
            run(&mut client, "set role authenticated");
            assert_eq!(who(&mut client), left, "{sql}");
            run(&mut client, "discard all");
        }
        let mut client = deployment.mallory();
        for (sql, sqlstate) in [
            ("set pg_session_jwt.jwt = '***'", "28000"),
            ("set pg_session_jwt.jwt = 'alice'", "28000"),
            ("set pg_session_jwt.user_id = 'alice'", "42602"),
            ("set pg_session_jwt.providers = ''", "42501"),
            ("reset pg_session_jwt.providers", "42501"),
            ("set pg_session_jwt.claims_fallback = on", "42501"),
            ("set pg_session_jwt.leeway = 300", "42501"),
            ("set pg_session_jwt.jwk = ''", "55P02"),
            (
                "update pg_settings set setting = 'x' where name = 'pg_session_jwt.leeway'",
                "42501",
            ),
        ] {
            fails(&mut client, sql, sqlstate);
        }
    });
}

/// attack: 62
#[test]
fn token_cannot_be_stored() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        let token = token("mallory");
        let clause = |value: &str| {
            format!("create function pg_temp.f() returns int language sql set pg_session_jwt.jwt {value} as 'select 1'")
        };
        fails(&mut client, &clause(&format!("= '{token}'")), "42501");
        fails(&mut client, &clause("from current"), "42501");
        let role = format!("alter role authenticated set pg_session_jwt.jwt = '{token}'");
        fails(&mut client, &role, "42501");
        fails(
            &mut client,
            "alter role authenticated set pg_session_jwt.jwt from current",
            "42501",
        );
        let role = format!(
            "alter role authenticated in database {} set pg_session_jwt.jwt = '{token}'",
            deployment.database
        );
        fails(&mut client, &role, "42501");
        let database = format!(
            "alter database {} set pg_session_jwt.jwt = '{token}'",
            deployment.database
        );
        fails(&mut client, &database, "42501");
        fails(&mut client, "alter role all set pg_session_jwt.jwt = ''", "42501");
        fails(
            &mut client,
            &format!("alter system set pg_session_jwt.jwt = '{token}'"),
            "42501",
        );
        let stored = "select count(*) from pg_db_role_setting where setconfig::text like '%jwt.jwt%'";
        assert_eq!(value(&mut client, stored).as_deref(), Some("0"));
    });
}

/// attack: 69
#[test]
fn set_clause_gives_no_other_identity() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        run(
            &mut client,
            "create function pg_temp.emptied() returns text language sql set pg_session_jwt.jwt = ''
                 as $$ select coalesce(auth.user_id(), '(none)') || count(*) from public.todos $$;
             create function pg_temp.overrides(token text) returns text language plpgsql set pg_session_jwt.jwt = ''
                 as $$ begin perform set_config('pg_session_jwt.jwt', token, false); return auth.user_id(); end $$",
        );
        // Claims are not trusted here, so no library has defined the name, and only a superuser may use it in a clause.
        let claimed = "create function pg_temp.claimed() returns text language sql
                 set request.jwt.claims = '{\"sub\":\"alice\"}' as 'select auth.user_id()'";
        fails(&mut client, claimed, "42501");
        let call = |client: &mut _, call: &str| value(client, &format!("select pg_temp.{call}"));
        run(&mut client, "set request.jwt.claims = '{\"sub\":\"alice\"}'");
        assert_eq!(call(&mut client, "emptied()").as_deref(), Some("(none)0"));
        assert_eq!(who(&mut client), MALLORY);
        let bad = Proxy::new().token_of("alice");
        fails(&mut client, &format!("select pg_temp.overrides('{bad}')"), "28000");
    });
}

/// attack: 99, 100
#[test]
fn providers_and_secrets_are_not_shown() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        for sql in [
            "show pg_session_jwt.providers",
            "select current_setting('pg_session_jwt.providers')",
            "select * from auth.providers()",
            "select * from pg_file_settings",
            "select pg_read_file('postgresql.auto.conf')",
            "select pg_reload_conf()",
        ] {
            fails(&mut client, sql, "42501");
        }
        for sql in [
            "select * from pg_settings",
            "show all",
            "select setconfig from pg_db_role_setting",
        ] {
            let shown = format!("{:?}", rows(&mut client, sql));
            assert!(!shown.contains(&secret()), "{sql}");
        }
        let shown = value(&mut deployment.admin(), "show pg_session_jwt.providers").unwrap();
        assert!(shown.contains(&secret()), "there is a secret to be seen");
    });
}

/// attack: 63
#[test]
fn database_owner_cannot_set_providers() {
    // Once, because the way to the session does not change what the owner owns.
    let deployment = Deployment::new(Way::SetRole);
    let owner = format!("{}_owner", deployment.database);
    run(
        &mut deployment.admin(),
        &format!(
            "create role {owner} login in role authenticated; alter database {0} owner to {owner}",
            deployment.database
        ),
    );
    let mut client = super::deployment::connect(deployment.server.port(), &deployment.database, &owner, "").unwrap();
    for (setting, sqlstate) in [
        ("providers = ''", "42501"),
        ("claims_fallback = on", "42501"),
        ("leeway = 300", "42501"),
        ("jwk = 'x'", "55P02"),
    ] {
        let sql = format!("alter database {} set pg_session_jwt.{setting}", deployment.database);
        assert_eq!(rejection(&mut client, &sql).sqlstate, sqlstate, "{sql}");
    }
    // The superuser's setting for the database stays.
    let stored = format!(
        "alter database {} set pg_session_jwt.providers = '{}'",
        deployment.database,
        providers("")
    );
    run(&mut deployment.admin(), &stored);
    for reset in [
        "reset pg_session_jwt.providers",
        "set pg_session_jwt.providers to default",
    ] {
        let sql = format!("alter database {} {reset}", deployment.database);
        assert_eq!(rejection(&mut client, &sql).sqlstate, "42501", "{sql}");
    }
    run(
        &mut client,
        &format!("alter database {} reset all", deployment.database),
    );
    let left = "select count(*) from pg_db_role_setting where setconfig::text like '%providers%'
                   and setdatabase = (select oid from pg_database where datname = current_database())";
    assert_eq!(value(&mut client, left).as_deref(), Some("1"));
    let sql = "select auth.user_id() is null";
    // The open session has other providers than are stored for it.
    assert_eq!(rejection(&mut client, sql).sqlstate, "55000");
    let mut client = super::deployment::connect(deployment.server.port(), &deployment.database, &owner, "").unwrap();
    assert_eq!(value(&mut client, sql).as_deref(), Some("t"));
    run(&mut client, &session_init("mallory"));
    fails(&mut client, "show pg_session_jwt.providers", "42501");
    let expired = token_with(r#""sub":"alice","nbf":4000000000"#);
    fails(
        &mut client,
        &format!("select auth.jwt_session_init('{expired}')"),
        "28000",
    );
}
