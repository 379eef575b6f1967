//! The roles that may set `pg_session_jwt.optimize_policies`, and where it can be set.

use testkit::loading::{ordinary_user, with_each_loading};
use testkit::server::SHARED;
use testkit::session::{one, rejects, rows, run};

use super::support::{DRIZZLE, has_sub_plan, improves, optimize, plan, scans, session};

const SHOW: &str = "show pg_session_jwt.optimize_policies";

#[test]
fn anyone_may_set_it_and_per_role_and_database() {
    with_each_loading(|server, database, loading| {
        let user = ordinary_user(server, database);
        let shown = |options: &str| {
            let mut client = server.connect(database, &user, options);
            run(&mut client, "select auth.user_id()");
            one::<String>(&mut client, SHOW)
        };
        let admin = |sql: &str| run(&mut server.connect(database, "postgres", ""), sql);
        assert_eq!(shown(""), "on", "{loading}");
        assert_eq!(shown("-c pg_session_jwt.optimize_policies=off"), "off", "{loading}");
        admin(&format!(
            "alter database {database} set pg_session_jwt.optimize_policies = off"
        ));
        assert_eq!(shown(""), "off", "{loading}");
        let mut client = server.connect(database, &user, "");
        run(&mut client, "select auth.user_id()");
        run(
            &mut client,
            &format!("alter role {user} set pg_session_jwt.optimize_policies = on"),
        );
        assert_eq!(shown(""), "on", "{loading}");
        for (sql, value) in [
            ("set pg_session_jwt.optimize_policies = on", "on"),
            ("reset all", "off"),
            ("begin; set local pg_session_jwt.optimize_policies = on", "on"),
            ("rollback", "off"),
            ("set pg_session_jwt.optimize_policies = 1; set role authenticated", "on"),
            ("set pg_session_jwt.optimize_policies = no", "off"),
            ("set pg_session_jwt.optimize_policies = default", "off"),
        ] {
            run(&mut client, sql);
            assert_eq!(one::<String>(&mut client, SHOW), value, "{loading}, {sql}");
        }
        rejects(
            &mut client,
            "set pg_session_jwt.optimize_policies = perhaps",
            "22023",
            "parameter \"pg_session_jwt.optimize_policies\" requires a Boolean value",
        );
    });
}

#[test]
fn the_setting_of_a_session_counts_from_its_next_plan() {
    let mut client = session(DRIZZLE);
    improves(&mut client, "select id from todos");
    run(&mut client, "begin; set local pg_session_jwt.optimize_policies = off");
    assert!(has_sub_plan(&plan(&mut client, "select id from todos")));
    run(&mut client, "rollback");
    assert!(!has_sub_plan(&plan(&mut client, "select id from todos")));
}

#[test]
fn a_function_may_have_it_off_for_itself() {
    let mut client = session(DRIZZLE);
    run(
        &mut client,
        "reset role;
         create function literal() returns bigint language plpgsql set pg_session_jwt.optimize_policies = off as
             'begin return (select count(*) from todos); end';
         set role authenticated",
    );
    optimize(&mut client, true);
    run(&mut client, "begin");
    let before = scans(&mut client);
    assert_eq!(one::<i64>(&mut client, "select literal()"), 20);
    let between = scans(&mut client);
    assert_eq!((between.0 - before.0, between.1 - before.1), (1, 0));
    assert_eq!(rows(&mut client, "select id from todos").len(), 20);
    let after = scans(&mut client);
    assert_eq!((after.0 - between.0, after.1 - between.1), (0, 1));
    run(&mut client, "rollback");
}

#[test]
fn policies_are_optimized_from_the_second_query_on() {
    // Without preloading, the library is loaded while the first of these is being planned.
    let mut admin = session(DRIZZLE);
    let database = one::<String>(&mut admin, "select current_database()");
    let mut client = SHARED.connect(&database, "postgres", "");
    run(&mut client, "set role authenticated");
    assert_eq!(rows(&mut client, "select id from todos").len(), 0);
    let second = plan(&mut client, "select id from todos");
    assert!(!has_sub_plan(&second), "{second}");
}
