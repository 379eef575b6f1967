//! pgAudit itself: what it writes of a token, and that auth.check() says so.
//!
//! The library belongs to one major; scripts/pgaudit.sh puts it where an apt source has it. Elsewhere nothing is tested here,
//! and recorders.rs tests its settings by their names.

use postgres::Client;
use testkit::provider::Provider;
use testkit::server::{Server, pg_config};
use testkit::session::{run, user_id};

use crate::check::support::{found, owned, page_block};

const LIBRARIES: &str = "shared_preload_libraries = 'pg_session_jwt'";

/// A server that has loaded pgAudit and trusts the provider; None where there is no pgAudit.
fn server(provider: &Provider, libraries: &str, settings: &str) -> Option<Server> {
    if !pg_config("--pkglibdir").join("pgaudit.so").exists() {
        return None;
    }
    let conf = page_block("README.md", "conf", "");
    assert!(conf.contains(LIBRARIES));
    let conf = conf.replace(LIBRARIES, &format!("shared_preload_libraries = '{libraries}'"));
    let providers = format!("[{}]", provider.entry(r#","audience":"todos""#));
    Some(Server::start(&format!(
        "{conf}\npg_session_jwt.providers = '{providers}'\n{settings}"
    )))
}

/// The line that pgAudit has written about a statement with this text.
fn audited(server: &Server, text: &str) -> Option<String> {
    let log = server.log();
    let mut lines = log
        .lines()
        .filter(|line| line.contains(" AUDIT: ") && line.contains(text));
    let line = lines.next().map(str::to_owned);
    assert_eq!(lines.next(), None, "{text}");
    line
}

fn token(provider: &Provider) -> String {
    provider.token_with(r#""sub":"alice","aud":"todos""#)
}

const PARAMETERS: &str = "pgaudit.log = 'read'\npgaudit.log_parameter = on";

/// attack: 99
#[test]
fn parameters_are_written_where_auth_check_says_so() {
    let provider = Provider::new("https://id.example/");
    let parameters = ("logged_parameters", "pgaudit.log_parameter");
    let statements = ("logged_statements", "pgaudit.log");
    for (settings, is_written, expected) in [
        (PARAMETERS, Some(true), &[parameters, statements][..]),
        ("pgaudit.log = 'read'", Some(false), &[statements]),
        (
            "pgaudit.log = 'write, ddl, role'\npgaudit.log_parameter = on",
            None,
            &[],
        ),
    ] {
        // The library that is loaded last is the first to see a report.
        for libraries in ["pg_session_jwt, pgaudit", "pgaudit, pg_session_jwt"] {
            let Some(server) = server(&provider, libraries, settings) else {
                return;
            };
            let mut admin = server.connect("template1", "postgres", "");
            assert_eq!(found(&mut admin), owned(expected), "{settings}");
            let token = token(&provider);
            admin
                .query("select auth.jwt_session_init($1) as valid", &[&token])
                .unwrap();
            assert_eq!(user_id(&mut admin).as_deref(), Some("alice"));
            let line = audited(&server, "as valid");
            assert_eq!(line.map(|line| line.contains(&token)), is_written, "{settings}");
            // The error of a token that may be valid elsewhere has no statement, but pgAudit has written it before.
            let other = Provider::new("https://other.example/").token("bob");
            let rejected = admin.query("select auth.jwt_session_init($1) as invalid", &[&other]);
            assert_eq!(rejected.unwrap_err().as_db_error().unwrap().code().code(), "28000");
            let line = audited(&server, "as invalid");
            assert_eq!(line.map(|line| line.contains(&other)), is_written, "{settings}");
            let without_audit = server.log();
            let mut without_audit = without_audit.lines().filter(|line| !line.contains(" AUDIT: "));
            assert!(!without_audit.any(|line| line.contains(&token) || line.contains(&other)));
        }
    }
}

/// The extension hides the statements of its reports only, and those of pgAudit are not among them: loading it changes nothing.
#[test]
fn audit_is_the_same_with_and_without_the_library() {
    let provider = Provider::new("https://id.example/");
    let Some(server) = server(&provider, "pgaudit", PARAMETERS) else {
        return;
    };
    let mut client = server.connect("template1", "postgres", "");
    let token = token(&provider);
    let show = |client: &mut Client, statement: &str| {
        client.query(statement, &[&token]).unwrap();
    };
    show(&mut client, "select $1::text as before");
    run(&mut client, "load 'pg_session_jwt'");
    show(&mut client, "select $1::text as after");
    for text in ["as before", "as after"] {
        assert!(audited(&server, text).unwrap().contains(&token), "{text}");
    }
}
