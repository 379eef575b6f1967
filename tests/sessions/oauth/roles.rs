//! The roles of a provider without `roles`: those of end users, and no way to further privileges.

use testkit::messages;
use testkit::server::Server;
use testkit::session::{Rejection, run};
use testkit::wire::Wire;

use crate::support::oauth_server::{alter, conf, entry, is_rejected, log_since, server_with, token};

/// A server whose provider has no `roles`. pg_backend_pid(), by its OID in pg_proc.dat.
const PG_BACKEND_PID: u32 = 2026;

fn server() -> Option<Server> {
    server_with(&conf(&[entry(r#","audience":"api""#)], ""))
}

fn login_as(server: &Server, role: &str, database: &str) -> Result<Wire, Rejection> {
    Wire::login(server.port(), role, &[("database", database)], &token("mallory"))
}

/// attack: 146
#[test]
fn provider_without_roles_gives_only_end_user_privileges() {
    let Some(server) = server() else { return };
    for (name, setup) in [
        ("dba", "grant postgres to dba"),
        (
            "dba_later",
            "create role between; grant postgres to between; grant between to dba_later",
        ),
        (
            "no_inherit",
            "grant pg_execute_server_program to no_inherit with inherit false, set true",
        ),
        (
            "admin_only",
            "grant pg_read_server_files to admin_only with admin true, inherit false, set false",
        ),
        ("writer", "grant pg_write_server_files to writer"),
        ("settings", "grant pg_read_all_settings to settings"),
        ("monitor", "grant pg_monitor to monitor"),
        ("reader", "grant pg_read_all_data to reader"),
        ("all_writer", "grant pg_write_all_data to all_writer"),
        ("maintainer", "grant pg_maintain to maintainer"),
        ("subscriber", "grant pg_create_subscription to subscriber"),
        ("checkpointer", "grant pg_checkpoint to checkpointer"),
        ("signaller", "grant pg_signal_backend to signaller"),
        ("bypasser", "create role bypass bypassrls; grant bypass to bypasser"),
        ("role_maker", "create role roles createrole; grant roles to role_maker"),
        ("standby", "create role standbys replication; grant standbys to standby"),
        ("creator", "alter role creator createdb"),
        ("creator_too", "grant creator to creator_too"),
        ("owner", "create database owned owner owner"),
        ("owner_too", "grant owner to owner_too"),
    ] {
        let mut admin = server.connect("postgres", "postgres", "");
        run(&mut admin, &format!("create role {name} login"));
        login_as(&server, name, "app").unwrap().run("select 1");
        for sql in setup.split("; ") {
            run(&mut admin, sql);
        }
        drop(admin);
        let before = server.log().len();
        is_rejected(login_as(&server, name, "app"), name);
        let log = log_since(&server, before);
        assert!(log.contains(&messages::login_rejected(name, messages::ROLE)), "{log}");
    }
    // A membership in the other direction grants nothing.
    alter(
        &server,
        "create role plain login; grant authenticated to plain; grant plain to postgres",
    );
    login_as(&server, "plain", "app").unwrap().run("select 1");
}

/// attack: 146
#[test]
fn owner_of_shared_objects_runs_no_statement() {
    let Some(server) = server() else { return };
    let statements = [
        "select 1",
        "begin",
        "begin isolation level serializable",
        "copy (select 1) to stdout",
        "set row_security = off",
        "do $$ begin perform 1; end $$",
        "select count(*) from notes",
        "discard all",
    ];
    for (role, setup) in [
        (
            "by_rls",
            "create table r (); alter table r owner to by_rls; alter table r enable row level security",
        ),
        (
            "by_grant",
            "create table g (); alter table g owner to by_grant; grant select on g to authenticated",
        ),
        (
            "by_view",
            "create view v as select 1; alter view v owner to by_view; grant select on v to public",
        ),
        (
            "by_member",
            "create role maker; create table m (); alter table m owner to maker; \
                       grant select on m to public; grant maker to by_member with inherit false",
        ),
        (
            "by_column",
            "create table c (i int, secret text); alter table c owner to by_column; grant select (i) on c to public",
        ),
        (
            "by_function",
            "create function f() returns int language sql as 'select 1'; alter function f() owner to by_function",
        ),
        ("by_schema", "create schema s authorization by_schema"),
        (
            "by_setting",
            "load 'pg_session_jwt'; grant set on parameter pg_session_jwt.bind_login_identity to by_setting",
        ),
        (
            "by_parts",
            "create table p (i int) partition by list (i); alter table p owner to by_parts; \
                      grant select on p to public",
        ),
    ] {
        let mut admin = server.connect("app", "postgres", "");
        run(&mut admin, &format!("create role {role} login"));
        login_as(&server, role, "app").unwrap().run("select 1");
        run(&mut admin, setup);
        for sql in statements {
            let mut client = login_as(&server, role, "app").unwrap();
            let rejected = client.query(sql).expect_err(sql);
            assert_eq!(
                (rejected.sqlstate.as_str(), rejected.message.as_str()),
                ("28000", messages::ROLE),
                "{role}: {sql}"
            );
            assert_eq!(
                client.query("select 1").unwrap_err().sqlstate,
                "closed",
                "{role}: {sql}"
            );
        }
        // Nor to a function that is called without a statement.
        let mut client = login_as(&server, role, "app").unwrap();
        let rejected = client.call_function(PG_BACKEND_PID).unwrap_err();
        assert_eq!(rejected.sqlstate, "28000", "{role}");
        // The role owns only that database, and a parameter belongs to the whole cluster.
        if role != "by_setting" {
            login_as(&server, role, "postgres").unwrap().run("select 1");
        }
    }
    // Objects that only the role itself uses are no reason.
    let mut admin = server.connect("app", "postgres", "");
    run(
        &mut admin,
        "create role hermit login; create table own (); alter table own owner to hermit",
    );
    let mut hermit = login_as(&server, "hermit", "app").unwrap();
    hermit.call_function(PG_BACKEND_PID).unwrap();
    let mut hermit = login_as(&server, "hermit", "app").unwrap();
    hermit.run("begin isolation level serializable; select * from own; commit");
    // Errors equal those without the library.
    let rejected = hermit.query("select * from missing").unwrap_err();
    assert_eq!(rejected.sqlstate, "42P01");
    let rejected = hermit
        .query("do $$ begin raise 'x' using errcode = 'P0123', detail = 'd'; end $$")
        .unwrap_err();
    assert_eq!(
        (rejected.sqlstate.as_str(), rejected.detail.as_deref()),
        ("P0123", Some("d"))
    );
}

#[test]
fn provider_with_roles_admits_exactly_those() {
    let Some(server) = server_with(&conf(&[entry(r#","audience":"api","roles":["owner"]"#)], "")) else {
        return;
    };
    run(
        &mut server.connect("app", "postgres", ""),
        "create role owner login createdb; create table t (); alter table t owner to owner; grant select on t to public",
    );
    login_as(&server, "owner", "app").unwrap().run("select * from t");
    is_rejected(login_as(&server, "authenticated", "app"), "authenticated");
}
