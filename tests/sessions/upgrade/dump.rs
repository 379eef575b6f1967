//! pg_dump: the contents of a dump.

use testkit::cluster::PLAIN;
use testkit::session::{Proxy, init, run};

use crate::support::application::fill;
use crate::support::dump::{TARGET, file, succeeds};
use crate::support::extension_catalog::{assert_same_facts, facts};

#[test]
fn a_dump_has_neither_token_nor_key() {
    let cluster = PLAIN.turn();
    let mut owner = cluster.owner("app");
    run(&mut owner, "create extension pg_session_jwt");
    let mut proxy = Proxy::new();
    let tokens = fill(&cluster, &mut owner, &mut proxy);
    // Made while a session with token and key is open, by one that has both as well.
    let mut client = cluster.connect("app", "app", &proxy.options());
    let token = proxy.token_of("carol");
    init(&mut client, &token);
    let secret = |text: &str| {
        let signed = tokens.iter().chain([&token]).flat_map(|token| token.split('.').skip(1));
        signed
            .map(str::to_owned)
            .chain([proxy.options().split('"').rev().nth(1).unwrap().to_owned()])
            .find(|secret| text.contains(secret))
    };
    let of_database = succeeds(&cluster, "pg_dump", &["--create", "app"]);
    let of_cluster = succeeds(&cluster, "pg_dumpall", &[]);
    for dump in [of_database, of_cluster] {
        assert!(
            dump.contains("CREATE EXTENSION IF NOT EXISTS pg_session_jwt WITH SCHEMA public;"),
            "{dump}"
        );
        assert!(
            dump.contains("of alice") && dump.contains("CREATE POLICY writing"),
            "{dump}"
        );
        assert!(
            !dump.contains("CREATE FUNCTION auth.") && !dump.contains("CREATE SCHEMA auth"),
            "{dump}"
        );
        assert_eq!(secret(&dump), None);
    }
    assert!(secret(&format!("x {token}")).is_some());
    assert!(secret(&proxy.options()).is_some());
}

#[test]
fn changed_privileges_on_the_functions_are_restored() {
    let source = PLAIN.turn();
    let mut admin = source.empty_database("app");
    run(&mut admin, "create extension pg_session_jwt; create role app");
    let plain = succeeds(&source, "pg_dump", &["app"]);
    assert!(!plain.contains("GRANT") && !plain.contains("REVOKE"), "{plain}");
    let changes = "revoke all on function auth.init() from public; grant execute on function auth.init() to app;
                   grant create on schema auth to app";
    run(&mut admin, changes);
    let dump = file(&source, "app.dump");
    succeeds(&source, "pg_dump", &["-Fc", "-f", &dump, "app"]);
    let target = TARGET.turn();
    target.run("create role app");
    target.run("create database app");
    succeeds(&target, "pg_restore", &["--exit-on-error", "-d", "app", &dump]);
    assert_same_facts("restored", &facts(&mut target.superuser("app")), &facts(&mut admin));
}
