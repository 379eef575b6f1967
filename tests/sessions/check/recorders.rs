//! auth.check() and the libraries that record statements: their settings are known by name, also in a session that has not
//! loaded them.

use testkit::server::{Server, major};
use testkit::session::run;

use crate::check::support::{Site, column, found, owned, page_block};

const HOLES: [(&str, &[(&str, &str)]); 12] = [
    ("pgaudit.log = 'all'", &[("logged_statements", "pgaudit.log")]),
    ("pgaudit.log = 'ALL, -misc'", &[("logged_statements", "pgaudit.log")]),
    ("pgaudit.log = 'read'", &[("logged_statements", "pgaudit.log")]),
    ("pgaudit.log = 'ddl,Function'", &[("logged_statements", "pgaudit.log")]),
    (
        "pgaudit.log = 'role, misc_set'",
        &[("logged_statements", "pgaudit.log")],
    ),
    (
        "pgaudit.log = 'misc'; pgaudit.log_parameter = on",
        &[
            ("logged_parameters", "pgaudit.log_parameter"),
            ("logged_statements", "pgaudit.log"),
        ],
    ),
    (
        "pgaudit.log = 'read'; pgaudit.log_parameter = on; pgaudit.log_statement = off",
        &[("logged_parameters", "pgaudit.log_parameter")],
    ),
    (
        "pgaudit.log = 'read'; pgaudit.log_parameter = on; pgaudit.log_parameter_max_size = 1000",
        &[
            ("logged_parameters", "pgaudit.log_parameter"),
            ("logged_statements", "pgaudit.log"),
        ],
    ),
    (
        "auto_explain.log_min_duration = '1s'; auto_explain.log_parameter_max_length = 10",
        &[
            ("logged_parameters", "auto_explain.log_parameter_max_length"),
            ("logged_statements", "auto_explain.log_min_duration"),
        ],
    ),
    (
        "pg_stat_monitor.pgsm_normalized_query = off",
        &[("literals_stored", "pg_stat_monitor.pgsm_normalized_query")],
    ),
    (
        "pg_stat_monitor.pgsm_normalized_query = 'no'; pg_stat_monitor.pgsm_track_utility = 'yes'",
        &[
            ("literals_stored", "pg_stat_monitor.pgsm_normalized_query"),
            (
                "pg_stat_statements_tracks_utility",
                "pg_stat_monitor.pgsm_track_utility",
            ),
        ],
    ),
    (
        "pg_stat_monitor.pgsm_track_utility = 1",
        &[(
            "pg_stat_statements_tracks_utility",
            "pg_stat_monitor.pgsm_track_utility",
        )],
    ),
];

const SAFE: [&str; 11] = [
    "pgaudit.log = 'none'",
    "pgaudit.log = ''",
    "pgaudit.log = 'write, ddl, role'",
    "pgaudit.log = 'all, -read, -function, -misc, -misc_set'",
    "pgaudit.log = 'read'; pgaudit.log_statement = off",
    "pgaudit.log = 'write'; pgaudit.log_parameter = on",
    "pgaudit.log_parameter = on",
    "pgaudit.log = 'read'; pgaudit.log_statement = off; pgaudit.log_parameter = on; pgaudit.log_parameter_max_size = 64",
    "auto_explain.log_min_duration = -1; auto_explain.log_parameter_max_length = -1",
    "pg_stat_monitor.pgsm_normalized_query = on; pg_stat_monitor.pgsm_track_utility = off",
    "pg_stat_monitor.pgsm_max = 100",
];

#[test]
fn stored_settings() {
    let mut site = Site::new();
    for (settings, expected) in HOLES.iter().copied().chain(SAFE.map(|safe| (safe, &[][..]))) {
        for setting in settings.split("; ") {
            run(&mut site.admin, &format!("alter database site set {setting}"));
        }
        let stored: Vec<(String, String)> = owned(expected)
            .into_iter()
            .map(|(finding, object)| (finding, format!("DATABASE site: {object}")))
            .collect();
        assert_eq!(found(&mut site.cluster.superuser("site")), stored, "{settings}");
        run(&mut site.admin, "alter database site reset all");
    }
}

/// In postgresql.conf, without the library.
#[test]
fn settings_of_the_server_without_the_library() {
    let conf = page_block("README.md", "conf", "");
    for (settings, expected) in [
        HOLES[0],
        HOLES[4],
        HOLES[5],
        HOLES[6],
        HOLES[10],
        (SAFE[2], &[]),
        (SAFE[4], &[]),
        (SAFE[7], &[]),
    ] {
        let server = Server::start(&format!("{conf}\n{}", settings.replace("; ", "\n")));
        let mut admin = server.connect("template1", "postgres", "");
        assert_eq!(found(&mut admin), owned(expected), "{settings}");
    }
    let server = Server::start(&format!(
        "{conf}\nauto_explain.log_min_duration = 0\npgaudit.log = read"
    ));
    let mut admin = server.connect("template1", "postgres", "");
    let mut expected = vec![
        ("logged_statements", "auto_explain.log_min_duration"),
        ("logged_statements", "pgaudit.log"),
    ];
    if major() >= 16 {
        expected.insert(0, ("logged_parameters", "auto_explain.log_parameter_max_length"));
    }
    assert_eq!(found(&mut admin), owned(&expected));
    let remedy = "select remedy from auth.check() where object = 'pgaudit.log'";
    assert_eq!(
        testkit::session::one::<String>(&mut admin, remedy),
        "ALTER SYSTEM SET pgaudit.log = 'write, ddl, role'; SELECT pg_reload_conf(); -- unless all tokens are bound parameters"
    );
    // The owner of the database may not see them, and gets no error.
    run(
        &mut admin,
        "create role owner login; alter database template1 owner to owner",
    );
    let mut owner = server.connect("template1", "owner", "");
    assert_eq!(found(&mut owner), []);
}

/// A setting of one role, and one that hides the statements of the whole server.
#[test]
fn settings_of_a_role() {
    let mut site = Site::new();
    site.finds(
        "create role app; alter role app set pgaudit.log = 'read'",
        &[("logged_statements", "ROLE app: pgaudit.log")],
        "alter role app set pgaudit.log_statement = off",
    );
    site.finds(
        "alter role app set pgaudit.log_parameter = on",
        &[("logged_parameters", "ROLE app: pgaudit.log_parameter")],
        "alter role app set pgaudit.log_parameter_max_size = 20",
    );
    run(
        &mut site.admin,
        "alter role app reset all; alter role app set pgaudit.log = 'all'",
    );
    assert_eq!(
        column(&mut site.admin, "remedy", "logged_statements"),
        "ALTER ROLE app SET pgaudit.log = 'write, ddl, role'; -- unless all tokens are bound parameters"
    );
}
