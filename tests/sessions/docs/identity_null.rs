//! docs/why-is-my-identity-null.md lists every reason of `auth.status()`, and each block produces its reason.

use std::collections::HashMap;
use std::fs;

use testkit::guide::{PsqlSession, page};
use testkit::provider::Provider;
use testkit::server::{SHARED, Server};
use testkit::session::{Proxy, now, run};

use crate::support::pooling::{PROVIDER, SERVER};

fn text(file: &str) -> String {
    fs::read_to_string(testkit::root().join(file)).unwrap()
}

/// A database with this setting, on a server.
fn database_with(server: &Server, setting: &str) -> String {
    let database = server.database();
    let mut admin = server.connect("postgres", "postgres", "");
    run(&mut admin, &format!("alter database {database} set {setting}"));
    database
}

#[test]
fn every_block_shows_the_reason_above_it() {
    let claims = database_with(&SERVER, "pg_session_jwt.providers = ''");
    let off = database_with(&SERVER, "pg_session_jwt.providers = ''");
    let mut admin = SERVER.connect("postgres", "postgres", "");
    run(
        &mut admin,
        &format!("alter database {off} set pg_session_jwt.claims_fallback = off"),
    );
    // Stored by a session without the library, which would have rejected it.
    let stored = database_with(&SHARED, &format!("pg_session_jwt.jwk = '{}'", Proxy::new().jwk()));
    let provider = SERVER.database();
    let places = HashMap::from([
        ("sql provider", (&*SERVER, "app", &provider, "")),
        ("sql superuser", (&*SERVER, "postgres", &provider, "")),
        ("sql claims", (&*SERVER, "app", &claims, "")),
        ("sql off", (&*SERVER, "app", &off, "")),
        ("sql keyless", (&*SERVER, "app", &claims, "-c pg_session_jwt.jwt=a.b.c")),
        ("sql unusable", (&*SERVER, "app", &claims, "-c pg_session_jwt.jwk={}")),
        ("sql stored", (&*SHARED, "postgres", &stored, "")),
    ]);
    let variables = HashMap::from([
        ("alice", PROVIDER.token("alice")),
        ("number", PROVIDER.token_with(r#""sub":7"#)),
        ("machine", PROVIDER.token_with(r#""client_id":"m1""#)),
        (
            "old",
            PROVIDER.token_with(&format!(r#""sub":"alice","exp":{}"#, now() - 30)),
        ),
        (
            "others",
            format!("[{}]", Provider::new("https://other.example/").entry("")),
        ),
    ]);
    let mut run = 0;
    for block in page("why-is-my-identity-null") {
        let (server, user, database, options) = places[block.fence.as_str()];
        let session = PsqlSession {
            server,
            port: server.port(),
            user,
            database,
            options,
            variables: variables.clone(),
        };
        session.runs(&block);
        run += 1;
    }
    assert!(run > 0, "no block ran");
}

#[test]
fn every_reason_has_a_heading_and_a_block() {
    let page = text("docs/why-is-my-identity-null.md");
    for section in page.split("\nReason: `").skip(1) {
        // The constant part: before the `(…)` or `: …` that stands for the rest.
        let reason = section.split('`').next().unwrap();
        let reason = reason.trim_end_matches(" (…)").trim_end_matches(": …");
        let reason = reason.replace("providers\" is set but cannot", "jwk\" is set but cannot");
        let mut printed = section.lines().filter(|line| line.starts_with("-- => "));
        assert!(printed.next().unwrap().ends_with(&format!("|{reason}")), "{reason}");
    }
    let source = text("src/functions/status.rs");
    // The reason of a lint attribute is not one of the session.
    let lines = source.lines().filter(|line| !line.contains("reason = \""));
    let words = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
    let reasons: Vec<&str> = words
        .filter(|words| words.contains(' ') && !words.contains('{'))
        .collect();
    assert!(!reasons.is_empty());
    for reason in reasons {
        assert!(page.contains(&format!("\nReason: `{reason}`\n")), "{reason}");
    }
}
