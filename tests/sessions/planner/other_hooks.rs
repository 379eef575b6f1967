//! The rewrite with other libraries that hook into the planner, loaded before or after this one.

use testkit::server::{Server, pg_config};
use testkit::session::{Proxy, init, one, run};

use super::support::{ALICE, DRIZZLE, fill, improves, set_policy};

#[test]
fn other_planner_hooks_come_before_or_after() {
    let directory = pg_config("--pkglibdir");
    let mut others = vec!["auto_explain", "pg_stat_statements"];
    others.retain(|name| directory.join(name).with_extension("so").exists());
    if others.is_empty() {
        eprintln!("skipped: this PostgreSQL has neither auto_explain nor pg_stat_statements");
        return;
    }
    let others = others.join(", ");
    for libraries in [format!("{others}, pg_session_jwt"), format!("pg_session_jwt, {others}")] {
        beside(&libraries);
    }
}

fn beside(libraries: &str) {
    let server = Server::start(&format!(
        "shared_preload_libraries = '{libraries}'\nauto_explain.log_min_duration = 0\n\
         pg_stat_statements.track_planning = on"
    ));
    let mut proxy = Proxy::new();
    let database = server.database();
    fill(&server, &database);
    let mut client = proxy.session_on(&server, &database);
    if libraries.contains("pg_stat_statements") {
        run(&mut client, "create extension pg_stat_statements");
    }
    init(&mut client, &proxy.token_of(ALICE));
    set_policy(&mut client, DRIZZLE);
    improves(&mut client, "select id from todos");
    improves(&mut client, "update todos set task = 'new' returning id");
    if libraries.contains("pg_stat_statements") {
        run(
            &mut client,
            "reset role; select pg_stat_statements_reset(); set role authenticated; select id from todos",
        );
        run(&mut client, "reset role");
        let counted = "select count(*) from pg_stat_statements
                       where query = 'select id from todos' and (plans, calls, rows) = (1, 1, 20)";
        assert_eq!(one::<i64>(&mut client, counted), 1, "{libraries}");
    }
    if libraries.contains("auto_explain") {
        let log = server.log();
        let (_, after) = log.split_once("Query Text: update todos set task").expect(&log);
        assert!(after.contains("SubPlan"), "{libraries}: off came first");
        let (_, after) = after.split_once("Query Text: update todos set task").expect(&log);
        assert!(
            after.contains("Index Cond: (user_id = auth.user_id())"),
            "{libraries}\n{after}"
        );
    }
}
