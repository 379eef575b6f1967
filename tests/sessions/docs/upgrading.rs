//! The blocks of docs/upgrading-from-0.5.md, on a database of that version.

use std::collections::HashMap;

use testkit::cluster::with_own_scripts;
use testkit::guide::{PsqlSession, page};
use testkit::session::{one, run};

use crate::support::findings::findings;
use crate::support::old_versions::VERSION_0_5_0;

#[test]
fn blocks_upgrade_a_database_from_0_5_to_1_0() {
    let cluster = with_own_scripts();
    let mut admin = cluster.empty_database("d");
    run(&mut admin, "create role authenticated login");
    VERSION_0_5_0.install(&cluster, &mut admin);
    let session = PsqlSession {
        server: &cluster,
        port: cluster.port(),
        user: "postgres",
        database: "d",
        options: "",
        variables: HashMap::new(),
    };
    let mut printed = Vec::new();
    for block in page("upgrading-from-0.5") {
        printed.push(session.runs(&block));
    }
    assert_eq!(printed[1..3], ["", ""], "what prevents an update");
    let kept = "select rolcanlogin from pg_roles where rolname = 'authenticated'";
    assert!(one::<bool>(&mut admin, kept));
    // The page preloads nothing, and leaves the role of this site as it was: it could log in.
    let preload = "warning library_not_preloaded shared_preload_libraries";
    let login = "critical identity_forgeable authenticated";
    let expected = [login, preload, "warning role_login authenticated"];
    assert_eq!(findings(&mut cluster.superuser("d")), expected);
    run(&mut admin, "alter role authenticated nologin");
    assert_eq!(findings(&mut cluster.superuser("d")), [preload]);
}

#[test]
fn page_finds_what_prevents_an_update() {
    let cluster = with_own_scripts();
    let mut admin = cluster.empty_database("d");
    VERSION_0_5_0.install(&cluster, &mut admin);
    run(
        &mut admin,
        "create role anonymous createrole; create function auth.role() returns text language sql return 'theirs'",
    );
    let page = page("upgrading-from-0.5");
    let finds: Vec<String> = page[1..3]
        .iter()
        .map(|block| one(&mut admin, &first_as_text(&block.text)))
        .collect();
    assert_eq!(finds, ["anonymous", "auth.role()"]);
}

/// The query of a block, with its one column as text.
fn first_as_text(query: &str) -> String {
    let query = query.trim().trim_end_matches(';');
    format!("select found::text from ({query}) as rows (found)")
}
