//! From a provider's URL to the first row: the statement by `\gexec`, a table, and tokens of the provider's shape. Nothing of
//! the statement changes: its addresses lead to servers of the test.

use postgres::Client;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::messages;
use testkit::session::{one, rejects, rows, run};

use super::case::{Case, Other};
use super::cases::case;
use super::internet::{INTERNET, own_document};
use super::{STORED, gexec, psql, store};
use crate::providers::shapes::shape::{Says, Shape};

/// The table of docs/getting-started.md.
const TODOS: &str = "create table todos (user_id text not null default auth.user_id(), task text);
    alter table todos enable row level security;
    create policy own_todos on todos to authenticated
        using ((select auth.user_id()) = user_id) with check ((select auth.user_id()) = user_id);
    grant select, insert, update, delete on todos to authenticated";

/// Runs a statement with a token, as a back end does.
fn with_token(role: &str, token: &str, sql: &str) -> String {
    format!("begin; set local role {role}; select auth.jwt_session_init('{token}', true); {sql}; commit")
}

/// A database for which the statement of the provider's URL has run.
fn database(case: &Case) -> String {
    let database = INTERNET.server.database();
    assert_eq!(
        psql(&INTERNET.server, &database, &gexec(case.url, case.fill_in), "sql"),
        ""
    );
    database
}

/// A token of the provider, with this payload.
fn signed(name: &str, case: &Case, payload: String) -> String {
    let shape = &case.shape;
    let signer = INTERNET.signer(name);
    signer.token_with_header(shape.alg, shape.header(shape.kid), payload)
}

fn token(name: &str, case: &Case, says: Says<'_>) -> String {
    signed(name, case, case.shape.payload(says))
}

/// Two users write a row each, and each sees only her own.
fn users_have_their_own_rows(client: &mut Client, name: &str, case: &Case) {
    let token = |user| token(name, case, case.shape.says(user));
    let users = [case.shape.user_id, "another user"];
    for user in users {
        let insert = "insert into todos (task) values ('water the plants')";
        run(client, &with_token(case.role, &token(user), insert));
    }
    for user in users {
        let select = with_token(case.role, &token(user), "select user_id, task from todos");
        let own = [Some(user.to_owned()), Some("water the plants".to_owned())];
        assert_eq!(rows(client, &select), [own.to_vec()], "{user}");
    }
}

/// Where the keys are from.
const SOURCES: &str = "select distinct source, location, last_error from auth.providers()";

fn of_source(source: &str, case: &Case) -> [Option<String>; 3] {
    [Some(source.to_owned()), Some(case.keys.to_owned()), None]
}

#[rstest]
fn each_user_has_her_own_rows(
    #[values(
        "clerk",
        "auth0",
        "stack_auth",
        "stack_auth_anonymous",
        "stytch",
        "azure_ad_b2c",
        "entra",
        "neon_auth",
        "better_auth",
        "supabase",
        "firebase",
        "google_id",
        "cognito",
        "keycloak",
        "workos",
        "descope",
        "okta",
        "another"
    )]
    name: &str,
) {
    let case = case(name);
    let database = database(&case);
    let mut admin = INTERNET.server.connect(&database, "postgres", "");
    run(&mut admin, &TODOS.replace("authenticated", case.role));
    let mut client = INTERNET.server.connect(&database, "postgres", "");
    users_have_their_own_rows(&mut client, name, &case);
    assert_eq!(one::<i64>(&mut admin, "select count(*) from todos"), 2);
    // One of two forms of an issuer has the same keys as the other.
    let source = if name == "another" { "discovery" } else { "jwks_url" };
    assert_eq!(rows(&mut client, SOURCES), [of_source(source, &case)]);

    let alice = case.shape.says(case.shape.user_id);
    for Other(own, other, message) in &case.others {
        let payload = case.shape.payload.replacen(own, other, 1);
        assert_ne!(payload, case.shape.payload, "{own}");
        let shape = Shape {
            payload: Box::leak(payload.into_boxed_str()),
            ..case.shape
        };
        let token = signed(name, &case, shape.payload(alice));
        rejects(
            &mut client,
            &with_token(case.role, &token, "select from todos"),
            "28000",
            message,
        );
        run(&mut client, "rollback");
    }
    let other_role = if case.role == "anonymous" {
        "authenticated"
    } else {
        "anonymous"
    };
    let token_of_alice = token(name, &case, alice);
    let sql = with_token(other_role, &token_of_alice, "select from todos");
    rejects(&mut client, &sql, "28000", messages::ROLE);
    run(&mut client, "rollback");

    if let Some(iss) = case.also {
        let token = token(name, &case, Says { iss, ..alice });
        let count = with_token(case.role, &token, "select count(*) from todos");
        assert_eq!(rows(&mut client, &count), [[Some("1".to_owned())]], "{iss}");
    }
}

/// With the issuer alone, or the address of the document if it is elsewhere, the document leads to the same keys.
#[rstest]
fn document_leads_to_the_keys(
    #[values(
        "clerk",
        "auth0",
        "azure_ad_b2c",
        "entra",
        "supabase",
        "firebase",
        "google_id",
        "cognito",
        "keycloak",
        "workos",
        "okta"
    )]
    name: &str,
) {
    let case = case(name);
    let database = database(&case);
    let mut admin = INTERNET.server.connect(&database, "postgres", "");
    let mut entries: Value = serde_json::from_str(&one::<String>(&mut admin, STORED)).unwrap();
    let entry = entries[0].as_object_mut().unwrap();
    assert_eq!(entry.remove("jwks_url").unwrap(), case.keys);
    assert_eq!(entry["issuer"], case.shape.issuer);
    let (address, _) = own_document(name, &case).unwrap();
    if !address.starts_with(case.shape.issuer.trim_end_matches('/')) {
        entry.insert("discovery_url".to_owned(), address.as_str().into());
    }
    if name == "workos" {
        // Its tokens have neither `aud` nor `typ`, and an issuer alone accepts access tokens by their type.
        entry.insert("claims".to_owned(), json!({"sid": {"present": true}}));
    }
    let entry = Value::from(entry.clone());
    store(&mut admin, &database, &format!("[{entry}]"));
    run(&mut admin, &TODOS.replace("authenticated", case.role));
    let mut client = INTERNET.server.connect(&database, "postgres", "");
    users_have_their_own_rows(&mut client, name, &case);
    assert_eq!(rows(&mut client, SOURCES), [of_source("discovery", &case)]);
    assert_eq!(INTERNET.requests(&address), 1);
}
