//! Who may see the users of all connections.

use testkit::session::{one, rejects, run};

use super::support::{SERVER, Site};

#[test]
fn function_is_for_monitoring_only() {
    let mut site = Site::new();
    let mut client = site.session();
    run(
        &mut client,
        &format!("set pg_session_jwt.jwt = '{}'", site.token("alice")),
    );
    let database = SERVER.database();
    run(
        &mut site.monitor,
        "create role activity_monitor login in role pg_monitor;
         create role activity_stats login in role pg_read_all_stats;
         create role activity_none login in role authenticated, anonymous, pg_read_all_settings, pg_signal_backend",
    );
    let count = "select count(*) from auth.activity() where user_id = 'alice'";
    for role in ["activity_monitor", "activity_stats", "postgres"] {
        let mut client = SERVER.connect(&database, role, "");
        assert!(one::<i64>(&mut client, count) > 0, "{role}");
    }
    for role in ["authenticated", "anonymous", "activity_none"] {
        let mut client = SERVER.connect(&database, "activity_none", "");
        run(&mut client, &format!("set role {role}"));
        rejects(&mut client, count, "42501", "permission denied for function activity");
    }
}
