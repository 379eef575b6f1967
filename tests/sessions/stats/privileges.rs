//! Who may read the statistics, and who may reset them.

use testkit::session::{one, rejects, run};

use super::support::SERVER;

const STATS: &str = "select count(*) from auth.stats()";
const RESET: &str = "begin; select auth.reset_stats()";

#[test]
fn monitoring_reads_and_superusers_reset() {
    let database = SERVER.database();
    let mut admin = SERVER.connect(&database, "postgres", "");
    run(
        &mut admin,
        "create role stats_monitor login in role pg_monitor;
         create role stats_reader login in role pg_read_all_stats;
         create role stats_none login in role authenticated, anonymous, pg_read_all_settings, pg_signal_backend",
    );
    for role in ["stats_monitor", "stats_reader"] {
        let mut client = SERVER.connect(&database, role, "");
        assert!(one::<i64>(&mut client, STATS) > 0, "{role}");
        rejects(
            &mut client,
            RESET,
            "42501",
            "permission denied for function reset_stats",
        );
    }
    for role in ["authenticated", "anonymous", "stats_none"] {
        let mut client = SERVER.connect(&database, "stats_none", "");
        run(&mut client, &format!("set role {role}"));
        rejects(&mut client, STATS, "42501", "permission denied for function stats");
        rejects(
            &mut client,
            RESET,
            "42501",
            "permission denied for function reset_stats",
        );
    }
    let may = |role: &str| format!("select has_function_privilege('{role}', 'auth.reset_stats()', 'execute')");
    run(
        &mut admin,
        "grant execute on function auth.reset_stats() to stats_monitor",
    );
    assert!(one::<bool>(&mut admin, &may("stats_monitor")));
    assert!(!one::<bool>(&mut admin, &may("stats_reader")));
}
