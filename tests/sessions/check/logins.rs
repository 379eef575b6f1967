//! auth.check() where OAuth logins are enabled (since PostgreSQL 18).

use testkit::key_server::wait_until;
use testkit::session::{one, run};

use crate::check::support::{found, owned};
use crate::support::oauth_server::{conf, entry, server_with};

const WITHOUT_ROLES: (&str, &str) = ("provider_without_roles", "pg_session_jwt.providers [2]");

/// The findings about providers.
fn of_providers(client: &mut postgres::Client) -> Vec<(String, String)> {
    let mut all = found(client);
    all.retain(|(finding, _)| finding.starts_with("provider_"));
    all
}

/// A token for another application opens a login, unless there is an audience, or rules for claims.
#[test]
fn logins_need_an_audience() {
    let roles = r#""roles":["authenticated"]"#;
    for (more, expected) in [
        (
            format!(",{roles}"),
            &[("login_without_audience", "pg_session_jwt.providers [1]")][..],
        ),
        (format!(r#",{roles},"audience":"api""#), &[]),
        (format!(r#",{roles},"claims":{{"azp":"app"}}"#), &[]),
    ] {
        let Some(server) = server_with(&conf(&[entry(&more)], "")) else {
            return;
        };
        let mut admin = server.connect("template1", "postgres", "");
        let mut all = found(&mut admin);
        all.retain(|(finding, _)| finding.contains("audience"));
        assert_eq!(all, owned(expected), "{more}");
    }
}

#[test]
fn providers_without_roles_are_reported() {
    let named = entry(r#","audience":"api","roles":["authenticated"]"#);
    let unnamed = entry(r#","audience":"api""#).replace("\"issuer\":\"", "\"issuer\":\"https://other.");
    let Some(server) = server_with(&conf(&[named, unnamed], "")) else {
        return;
    };
    let mut admin = server.connect("template1", "postgres", "");
    assert_eq!(of_providers(&mut admin), owned(&[WITHOUT_ROLES]));
    // A caller that may not read pg_hba.conf gets the finding, too.
    run(
        &mut admin,
        "create role auditor in role pg_read_all_settings; set role auditor",
    );
    assert_eq!(of_providers(&mut admin), owned(&[WITHOUT_ROLES]));
    run(&mut admin, "reset role");
    // Without a line for OAuth, or with another library as the validator, there are no OAuth logins.
    let hba = server.directory().join("data/pg_hba.conf");
    let rules = std::fs::read_to_string(&hba).unwrap();
    let without: Vec<&str> = rules.lines().filter(|line| !line.contains("oauth")).collect();
    assert_ne!(without.len(), rules.lines().count());
    std::fs::write(&hba, without.join("\n") + "\n").unwrap();
    assert_eq!(of_providers(&mut admin), []);
    std::fs::write(&hba, rules).unwrap();
    assert_eq!(of_providers(&mut admin), owned(&[WITHOUT_ROLES]));
    let others = "pg_session_jwt_not";
    run(
        &mut admin,
        &format!("alter system set oauth_validator_libraries = '{others}'"),
    );
    run(&mut admin, "select pg_reload_conf()");
    wait_until("the reload", || {
        one::<String>(&mut admin, "show oauth_validator_libraries") == others
    });
    assert_eq!(of_providers(&mut admin), []);
}
