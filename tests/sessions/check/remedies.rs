//! The remedies of auth.check() that are SQL can be run as they stand. The finding is gone, and nothing else has come. The
//! owner of a table can still dump it and make foreign keys to it.

use std::collections::HashMap;
use std::process::Output;

use testkit::guide::{Block, PsqlSession};
use testkit::provider::Provider;
use testkit::server::{Server, major, program, unprivileged_user};
use testkit::session::{one, rejects, run};

use crate::check::support::{Site, column, found, page_block, turn};

#[path = "../../../src/check/remedy.rs"]
mod remedy;

/// Runs SQL by psql, like an administrator who copies it.
fn psql(server: &Server, database: &str, sql: &str) {
    let session = PsqlSession {
        server,
        port: server.port(),
        user: "postgres",
        database,
        options: "",
        variables: HashMap::new(),
    };
    session.runs(&Block {
        fence: "sql".to_owned(),
        text: sql.to_owned(),
    });
}

/// The choices of a remedy, each as SQL.
fn choices(remedy: &str) -> Vec<String> {
    let choices = remedy.split("\n-- or: ");
    choices.map(|choice| choice.replace("\n-- ", "\n")).collect()
}

fn dump(server: &Server, owner: &str) -> Output {
    let mut pg_dump = program("pg_dump", unprivileged_user());
    pg_dump.args([
        "-h",
        "127.0.0.1",
        "-p",
        &server.port().to_string(),
        "-U",
        owner,
        "-d",
        "site",
    ]);
    pg_dump.args(["-t", "todos", "-f", "/dev/null"]).output().unwrap()
}

const FOREIGN_KEY: &str = "alter table migrator.marks add foreign key (todo) references todos";

/// The README's database, whose table belongs to a role that may log in, and has a row and a table of references to it.
const OWNER: &str = "create role migrator login; grant usage, create on schema public to migrator;
    alter table todos owner to migrator; create schema authorization migrator;
    insert into todos (user_id, task) values ('alice', 'x'); create table migrator.marks (todo bigint);
    insert into migrator.marks select id from todos; alter table migrator.marks owner to migrator;
    grant references on todos to migrator";

/// Makes an example of each finding, and asserts that each choice of its remedy removes it.
#[track_caller]
fn removes(finding: &str, make: &str, owner: &str) {
    let mut number = 0;
    loop {
        let mut site = Site::new();
        run(&mut site.admin, OWNER);
        let server: &Server = &site.cluster;
        assert_eq!(found(&mut site.cluster.superuser("site")), []);
        run(&mut site.admin, make);
        let mut admin = site.cluster.superuser("site");
        let before = found(&mut admin);
        assert!(before.iter().any(|(name, _)| name == finding), "{make}: {before:?}");
        let remedy: String = one(
            &mut admin,
            &format!("select remedy from auth.check() where finding = '{finding}' order by object limit 1"),
        );
        let choices = choices(&remedy);
        // The first time the whole remedy.
        let sql = if number == 0 { &remedy } else { &choices[number] };
        psql(server, "site", sql);
        let after = found(&mut site.cluster.superuser("site"));
        let removed = before.iter().filter(|row| row.0 == finding).count() - 1;
        let left = after.iter().filter(|row| row.0 == finding).count();
        assert!(left <= removed, "{finding}: {sql} leaves {after:?}");
        // The cost that a choice names.
        let has_cost = sql.contains("see no rows until it has policies") && number > 0;
        let is_cost = |name: &str| has_cost && name == "rls_without_policy";
        assert!(
            after.iter().all(|row| before.contains(row) || is_cost(&row.0)),
            "{finding}: {sql} makes {after:?}"
        );
        let mut dumping = site.cluster.connect("site", owner, "");
        let is_owner = "select pg_has_role(tableowner::regrole, 'usage') from pg_tables where tablename = 'todos'";
        let is_forced = "select relforcerowsecurity from pg_class where oid = 'todos'::regclass";
        if one::<bool>(&mut dumping, is_forced) {
            // The costs that the remedy names.
            assert!(sql.contains("pg_dump as the owner and new foreign keys to it then fail"));
            assert!(!dump(server, owner).status.success());
            run(
                &mut admin,
                &format!("alter table migrator.marks owner to {owner}; grant usage on schema migrator to {owner}"),
            );
            rejects(
                &mut dumping,
                FOREIGN_KEY,
                "23503",
                "insert or update on table \"marks\" violates foreign key constraint \"marks_todo_fkey\"",
            );
        } else if one::<bool>(&mut dumping, is_owner) {
            let dumped = dump(server, owner);
            assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
            run(
                &mut admin,
                &format!("alter table migrator.marks owner to {owner}; grant usage on schema migrator to {owner}"),
            );
            run(&mut dumping, FOREIGN_KEY);
        }
        number += 1;
        if number >= choices.len() {
            return;
        }
    }
}

#[test]
fn remedies_for_tables_and_views() {
    for (finding, make) in [
        ("table_without_rls", "create table t (id int); grant select on t to authenticated, anonymous"),
        ("table_without_rls", "create table t (id int); grant update (id) on t to public"),
        (
            "table_without_rls",
            "create role \"o'Neil; --\"; grant \"o'Neil; --\" to authenticated; create table \"a\nb\" (id int);
             grant insert on \"a\nb\" to \"o'Neil; --\"",
        ),
        (
            "table_without_rls",
            "create table t (owner text primary key); create policy p on t to authenticated using (auth.user_id() = owner);
             grant select on t to authenticated",
        ),
        (
            "table_without_rls",
            "create table t (owner text); alter table t owner to authenticated",
        ),
        ("privilege_bypasses_rls", "grant truncate, trigger on todos to authenticated"),
        (
            "table_without_rls",
            "create table t (owner text); alter table t owner to authenticated; grant select on t to anonymous",
        ),
        ("privilege_bypasses_rls", "alter table todos owner to authenticated"),
        (
            "privilege_bypasses_rls",
            "create role team; grant team to anonymous; grant references (task) on todos to team",
        ),
        ("view_bypasses_rls", "create view v as select task from todos; grant select on v to authenticated"),
        (
            "view_bypasses_rls",
            "create view v as select task from todos; create view w as select * from v; grant select on w to anonymous",
        ),
        (
            "materialized_view_bypasses_rls",
            "create materialized view m as select task from todos; grant select on m to public",
        ),
        (
            "rls_without_policy",
            "create table empty (id int); alter table empty enable row level security; grant select on empty to authenticated",
        ),
        (
            "foreign_table",
            "create foreign data wrapper nothing; create server elsewhere foreign data wrapper nothing;
             create foreign table remote (id int) server elsewhere; grant select on remote to authenticated",
        ),
    ] {
        removes(finding, make, "migrator");
    }
}

/// A login that end users share, as far as `login_shared` does not report it.
const APP: &str = "create role app login noinherit; alter role app set track_activities = off;
    revoke execute on function pg_cancel_backend(int), pg_terminate_backend(int, bigint) from public;";

#[test]
fn remedies_for_owners_and_logins() {
    for (finding, make, owner) in [
        (
            "owned_object",
            "create table t (id int); alter table t owner to authenticated",
            "migrator",
        ),
        (
            "owned_object",
            "create function f() returns int language sql return 1; create role team; grant team to anonymous;
             alter function f owner to team; create schema authorization team",
            "migrator",
        ),
        ("owned_object", "alter table todos owner to authenticated", "postgres"),
        (
            "large_objects",
            "set role authenticated; select lo_create(0); reset role",
            "migrator",
        ),
        (
            "owner_not_forced",
            "grant create on schema public to app; grant authenticated to app; alter table todos owner to app",
            "app",
        ),
        (
            "owner_not_forced",
            "alter role app inherit; create role middle; grant authenticated to middle; grant middle to app; create role owners;
             grant create on schema public to owners; grant owners to app; alter table todos owner to owners",
            "app",
        ),
        (
            "login_role_privileged",
            "grant authenticated to app; alter role app bypassrls",
            "migrator",
        ),
        (
            "login_role_privileged",
            "grant authenticated, anonymous to app; alter role app createrole replication",
            "migrator",
        ),
        ("login_role_privileged", "grant authenticated to postgres", "migrator"),
        ("login_role_privileged", "grant anonymous to app; alter role app superuser", "migrator"),
        ("role_login", "alter role authenticated login", "migrator"),
        (
            "identity_forgeable",
            "alter role authenticated login; alter role anonymous login",
            "migrator",
        ),
        (
            "login_shared",
            "grant authenticated to app; alter role app reset track_activities;
             grant execute on function pg_cancel_backend(int) to app, public",
            "migrator",
        ),
    ] {
        // Of the choices for a login without a token's key, only the first is SQL.
        let whole = format!("{APP}{make}");
        if finding == "identity_forgeable" {
            let mut site = Site::new();
            run(&mut site.admin, &whole);
            let remedy = column(&mut site.admin, "remedy", finding);
            psql(&site.cluster, "site", &remedy);
            assert_eq!(found(&mut site.admin), []);
        } else {
            removes(finding, &whole, owner);
        }
    }
}

#[test]
fn remedies_for_roles() {
    let granted_by = if major() >= 16 { "set role chief; " } else { "" };
    let by_another = format!(
        "create role chief createrole; create role boss bypassrls; create role middle;
         grant boss to chief with admin option; grant middle to authenticated; {granted_by}grant boss to middle; reset role"
    );
    for (finding, make) in [
        ("role_attribute", "alter role authenticated createdb replication"),
        ("role_attribute", "alter role authenticated superuser"),
        ("role_attribute", &by_another),
        ("role_membership", "grant pg_monitor, pg_signal_backend to authenticated"),
        (
            "role_membership",
            "create role reader; grant pg_read_all_settings to reader; grant reader to authenticated",
        ),
        ("role_membership", "create role reader; grant reader to anonymous with admin option"),
        (
            "role_membership",
            "create role reader; create role middle; grant reader to middle with admin option; grant middle to anonymous",
        ),
        ("role_setting", "alter role authenticated in database site set work_mem = '64kB'"),
        ("role_missing", "drop role anonymous"),
        ("identity_setting", "alter role authenticated set request.jwt.claims = '{}'"),
        ("identity_setting", "alter database site set pg_session_jwt.claims_fallback = on"),
        ("identity_setting", "alter role all set request.jwt.claims = '{}'"),
        ("schema_create", "create role team; grant team to anonymous; grant create on schema public to team, public"),
        ("database_create", "grant create on database site to authenticated, anonymous"),
        ("auth_owner", "create role bob; alter schema auth owner to bob"),
        ("auth_owner", "create role bob; alter function auth.user_id() owner to bob"),
        ("auth_schema_create", "create role bob; grant create on schema auth to bob, public"),
        ("auth_look_alike", "create function auth.f(int) returns int language sql return 1"),
        ("auth_function_granted", "grant execute on function auth.check() to authenticated, public"),
        ("definer_function", "create function f(int) returns int language sql security definer return 1"),
        (
            "definer_function",
            "create procedure p() language sql security definer begin atomic select 1; end;
             revoke all on procedure p from public; create role team; grant team to authenticated; grant execute on procedure p to team",
        ),
    ] {
        removes(finding, make, "migrator");
    }
}

#[test]
fn remedies_for_extensions() {
    let is_there = |name: &str| {
        let turn = turn();
        let there = format!("select exists (select from pg_available_extensions where name = '{name}')");
        one::<bool>(&mut turn.superuser("postgres"), &there)
    };
    if is_there("dblink") {
        removes("dblink_executable", "create extension dblink", "migrator");
        removes(
            "dblink_executable",
            "create extension dblink; revoke execute on function dblink_connect(text), dblink_connect(text, text) from public",
            "migrator",
        );
    }
    if is_there("pg_stat_statements") {
        removes(
            "pg_stat_statements_readable",
            "create extension pg_stat_statements",
            "migrator",
        );
    }
}

/// Settings of the whole server, on a server of the test.
#[test]
fn remedies_for_settings_of_the_server() {
    for (finding, setting) in [
        ("claims_mode", "pg_session_jwt.claims_fallback = on"),
        ("client_keys", "pg_session_jwt.client_keys = on"),
        ("logged_statements", "log_statement = all"),
        ("logged_parameters", "log_min_duration_statement = 0"),
        ("logged_statements", "pgaudit.log = 'all'"),
        ("logged_parameters", "pgaudit.log = 'all'\npgaudit.log_parameter = on"),
        ("literals_stored", "pg_stat_monitor.pgsm_normalized_query = off"),
        (
            "pg_stat_statements_tracks_utility",
            "pg_stat_monitor.pgsm_track_utility = on",
        ),
    ] {
        let conf = page_block("README.md", "conf", "");
        let server = Server::start(&format!("{conf}\nlog_parameter_max_length = -1\n{setting}"));
        let mut admin = server.connect("template1", "postgres", "");
        if finding == "client_keys" {
            let entry = Provider::new("a").entry("");
            run(
                &mut admin,
                &format!("alter database postgres set pg_session_jwt.providers = '[{entry}]'"),
            );
        }
        let before = found(&mut admin);
        assert!(before.iter().any(|(name, _)| name == finding), "{setting}: {before:?}");
        let remedy = column(&mut admin, "remedy", finding);
        psql(&server, "template1", &remedy);
        testkit::key_server::wait_until("the reload", || {
            let after = found(&mut server.connect("template1", "postgres", ""));
            assert!(after.iter().all(|row| before.contains(row)), "{finding}: {after:?}");
            after.iter().all(|(name, _)| name != finding)
        });
    }
}

/// A choice may contain names with line breaks. Nothing of them must be outside of the comment.
#[test]
fn only_the_first_choice_is_run() {
    let of = |choices: &[&str]| {
        let choices: Vec<Vec<u8>> = choices.iter().map(|choice| choice.as_bytes().to_vec()).collect();
        String::from_utf8(remedy::of_choices(&choices)).unwrap()
    };
    assert_eq!(of(&[]), "");
    assert_eq!(of(&["A;"]), "A;");
    assert_eq!(of(&["A;", "B;", "C;"]), "A;\n-- or: B;\n-- or: C;");
    assert_eq!(
        of(&["A \"x\ny\";", "B \"x\ny\r\nz\";"]),
        "A \"x\ny\";\n-- or: B \"x\n-- y\r-- \n-- z\";"
    );
    let mut site = Site::new();
    run(
        &mut site.admin,
        "create table \"x\n; drop table todos; --\" (id int); grant select on \"x\n; drop table todos; --\" to authenticated",
    );
    let remedy = column(&mut site.admin, "remedy", "table_without_rls");
    assert_eq!(choices(&remedy).len(), 2);
    psql(&site.cluster, "site", &remedy);
    assert_eq!(found(&mut site.admin), []);
    assert_eq!(one::<i64>(&mut site.admin, "select count(*) from todos"), 0);
}
