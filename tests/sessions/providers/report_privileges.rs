//! auth.providers() shows addresses, paths and errors only to roles that may read the setting.

use testkit::loading::{PRELOADED, ordinary_user};
use testkit::provider::Provider;
use testkit::session::{init, one, rejects, run};

/// attack: 130
#[test]
fn only_roles_that_may_read_the_setting_may_call_it() {
    let provider = Provider::new("a");
    let database = PRELOADED.database();
    let user = ordinary_user(&PRELOADED, &database);
    let mut admin = PRELOADED.connect(&database, "postgres", "");
    run(
        &mut admin,
        &format!(
            "alter database {database} set pg_session_jwt.providers = '[{}]';
             create role {database}_owner login; alter database {database} owner to {database}_owner;
             create role {database}_auditor login in role pg_read_all_settings;
             create role {database}_monitor login in role pg_monitor;
             grant anonymous to {user}",
            provider.entry("")
        ),
    );
    let ask = "select kid from auth.providers()";
    for may in ["auditor", "monitor"] {
        let mut client = PRELOADED.connect(&database, &format!("{database}_{may}"), "");
        assert_eq!(one::<String>(&mut client, ask), "k1", "{may}");
    }
    let mut superuser = PRELOADED.connect(&database, "postgres", "");
    assert_eq!(one::<String>(&mut superuser, ask), "k1");
    let denied = "permission denied for function providers";
    for may_not in [format!("{database}_owner"), user.clone()] {
        let mut client = PRELOADED.connect(&database, &may_not, "");
        rejects(&mut client, ask, "42501", denied);
        init(&mut client, &provider.token("alice"));
        rejects(&mut client, ask, "42501", denied);
        rejects(
            &mut client,
            "explain verbose select auth.user_id() from auth.providers()",
            "42501",
            denied,
        );
    }
    for role in ["authenticated", "anonymous"] {
        for who in ["postgres", &user] {
            let mut client = PRELOADED.connect(&database, who, "");
            run(&mut client, &format!("set role {role}"));
            rejects(&mut client, ask, "42501", denied);
        }
    }
}
