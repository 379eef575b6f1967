//! Who may call the function, and hostile arguments.

use testkit::loading::{PRELOADED, ordinary_user};
use testkit::session::{one, rejection, rejects, rows, run};

const ASK: &str = "select from auth.provider_settings('https://a.supabase.co')";

/// attack: 130
#[test]
fn only_roles_that_may_read_the_setting_may_call_it() {
    let database = PRELOADED.database();
    let user = ordinary_user(&PRELOADED, &database);
    let mut admin = PRELOADED.connect(&database, "postgres", "");
    run(
        &mut admin,
        &format!(
            "create role {database}_owner login; alter database {database} owner to {database}_owner;
             create role {database}_auditor login in role pg_read_all_settings"
        ),
    );
    assert_eq!(rows(&mut admin, ASK).len(), 1);
    let mut auditor = PRELOADED.connect(&database, &format!("{database}_auditor"), "");
    assert_eq!(rows(&mut auditor, ASK).len(), 1);
    let alter: String = one(
        &mut auditor,
        "select statement from auth.provider_settings('https://a.supabase.co')",
    );
    let denied = "must be owner of database";
    rejects(&mut auditor, &alter, "42501", &format!("{denied} {database}"));
    for may_not in [format!("{database}_owner"), user] {
        let mut client = PRELOADED.connect(&database, &may_not, "");
        rejects(
            &mut client,
            ASK,
            "42501",
            "permission denied for function provider_settings",
        );
    }
}

#[test]
fn rejected_urls_and_values() {
    let mut client = PRELOADED.connect(&PRELOADED.database(), "postgres", "");
    for (arguments, message, detail) in [
        (
            "''".to_owned(),
            "URL does not identify the settings of a provider",
            "It does not begin with https://.".to_owned(),
        ),
        (
            "'https://dev.okta.com'".to_owned(),
            "URL does not identify the settings of a provider",
            "It belongs to Okta, the org's own server, whose access tokens cannot be verified.".to_owned(),
        ),
        (
            "repeat('a', 2049)".to_owned(),
            "URL does not identify the settings of a provider",
            "It has 2049 bytes; the limit is 2048.".to_owned(),
        ),
        (
            "repeat('a', 100000000)".to_owned(),
            "URL does not identify the settings of a provider",
            "It is too long, or has invalid characters.".to_owned(),
        ),
        (
            "'https://a.auth0.com', '[]'".to_owned(),
            "invalid values to fill in",
            "They were rejected: it is not an object.".to_owned(),
        ),
        (
            "'https://a.auth0.com', jsonb_build_object('audience', repeat('a', 1000000))".to_owned(),
            "invalid values to fill in",
            "They are too long, or have invalid characters.".to_owned(),
        ),
    ] {
        let error = rejection(&mut client, &format!("select from auth.provider_settings({arguments})"));
        assert_eq!(
            (error.sqlstate.as_str(), error.message.as_str(), error.detail),
            ("22023", message, Some(detail)),
            "{arguments}"
        );
    }
    for arguments in ["null", "'https://a.auth0.com', null"] {
        assert_eq!(
            rows(
                &mut client,
                &format!("select 1 from auth.provider_settings({arguments})")
            )
            .len(),
            0
        );
    }
}

#[test]
fn it_writes_nothing() {
    let database = PRELOADED.database();
    let mut client = PRELOADED.connect(&database, "postgres", "");
    run(&mut client, "begin read only");
    assert_eq!(rows(&mut client, ASK).len(), 1);
    let unassigned = "select pg_current_xact_id_if_assigned() is null";
    assert!(one::<bool>(&mut client, unassigned));
    run(&mut client, "commit");
}
