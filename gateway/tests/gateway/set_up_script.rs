//! gateway/setup.sql, with the variables that its comment names.

use testkit::session::{rows, run};

use crate::{SERVER, database, set_up};

#[test]
fn a_second_run_changes_nothing_and_restores_what_is_missing() {
    let database = database();
    let mut admin = SERVER.connect(&database, "postgres", "");
    let login = r#"login=an "odd" login"#;
    let state = r#"
        select rolcanlogin, rolinherit, rolconnlimit, array_to_string(rolconfig, ' '),
            (select string_agg(roleid::regrole::text, ' ' order by roleid::regrole::text) from pg_auth_members
             where member = role.oid and not admin_option),
            (select count(*) from pg_proc where has_function_privilege(role.oid, oid, 'execute')
             and proname in ('pg_cancel_backend', 'pg_terminate_backend', 'lo_create', 'lo_creat', 'lo_from_bytea', 'lo_put'))
        from pg_roles role where rolname = 'an "odd" login'"#;
    let wanted = [[
        Some("t"),
        Some("f"),
        Some("7"),
        Some("track_activities=off log_parameter_max_length=0"),
        Some("authenticated"),
        Some("0"),
    ]
    .map(|value| value.map(str::to_owned))];
    let variables = [login, "roles=authenticated", "connection_limit=7"];
    set_up(&SERVER, &database, &variables);
    assert_eq!(rows(&mut admin, state), wanted);
    let change = r#"alter role "an ""odd"" login" inherit connection limit 1;
        alter role "an ""odd"" login" reset all;
        revoke authenticated from "an ""odd"" login";
        grant execute on function pg_cancel_backend, lo_create to public"#;
    run(&mut admin, change);
    assert_ne!(rows(&mut admin, state), wanted);
    set_up(&SERVER, &database, &variables);
    assert_eq!(rows(&mut admin, state), wanted);
    set_up(&SERVER, &database, &variables);
    assert_eq!(rows(&mut admin, state), wanted);
    run(
        &mut admin,
        r#"drop owned by "an ""odd"" login"; drop role "an ""odd"" login""#,
    );
}
