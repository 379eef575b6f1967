//! `pg_session_jwt.log_user_id`: the user of a session in the server's log, and not at the client.

use std::fs;
use std::sync::LazyLock;

use postgres::Client;
use serde_json::Value;

use testkit::key_server::wait_until;
use testkit::server::Server;
use testkit::session::{one, run};

/// A server that writes each format of the log.
static LOGGED: LazyLock<Server> = LazyLock::new(|| {
    Server::start(
        "logging_collector = on\nlog_destination = 'stderr,csvlog,jsonlog'\nlog_directory = 'log'\n\
         log_filename = 'server.log'\npg_session_jwt.log_user_id = on\nshared_preload_libraries = 'pg_session_jwt'",
    )
});

fn log(suffix: &str) -> String {
    let path = LOGGED.directory().join(format!("data/log/server.{suffix}"));
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}

/// A session in claims mode with this `sub`, as JSON.
fn session(database: &str, sub: &str) -> Client {
    let mut client = LOGGED.connect(database, "postgres", "");
    let set = format!(r#"select set_config('request.jwt.claims', '{{"sub":{sub}}}', false), auth.user_id()"#);
    run(&mut client, &set);
    client
}

/// The `detail` of the one message in the log that has this text.
fn detail(message: &str) -> Option<String> {
    let find = || {
        let log = log("json");
        let of_message = |line: &&str| line.contains(&format!("\"message\":\"{message}"));
        log.lines().find(of_message).map(str::to_owned)
    };
    wait_until(message, || find().is_some());
    let line: Value = serde_json::from_str(&find().unwrap()).unwrap();
    line.get("detail").map(|detail| detail.as_str().unwrap().to_owned())
}

#[test]
fn each_format_has_the_user_and_the_client_has_not() {
    let mut client = session(&LOGGED.database(), r#""alice""#);
    let error = client
        .batch_execute("do $$ begin raise exception 'formats' using detail = 'the detail'; end $$")
        .unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!((error.message(), error.detail()), ("formats", Some("the detail")));
    assert_eq!(
        detail("formats").unwrap(),
        "pg_session_jwt user_id: \"alice\"\nthe detail"
    );
    let error = client
        .batch_execute("do $$ begin raise exception 'bare'; end $$")
        .unwrap_err();
    assert_eq!(error.as_db_error().unwrap().detail(), None);
    assert_eq!(detail("bare").unwrap(), "pg_session_jwt user_id: \"alice\"");
    assert!(
        log("log").contains("ERROR:  formats\n")
            && log("log").contains("DETAIL:  pg_session_jwt user_id: \"alice\"\n\tthe detail\n"),
        "{}",
        log("log")
    );
    assert!(
        log("csv").contains("\"formats\",\"pg_session_jwt user_id: \"\"alice\"\"\nthe detail\","),
        "{}",
        log("csv")
    );
}

#[test]
fn parameters_in_the_log_are_kept() {
    let mut client = session(&LOGGED.database(), r#""alice""#);
    run(&mut client, "set log_min_duration_statement = 0");
    client.query("select $1::text /* bound */", &[&"value"]).unwrap();
    let log_of = || {
        log("json")
            .lines()
            .filter(|line| line.contains("/* bound */"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    wait_until("the statement", || log_of().iter().any(|line| line.contains("execute")));
    let execute = log_of().into_iter().find(|line| line.contains("execute")).unwrap();
    let line: Value = serde_json::from_str(&execute).unwrap();
    let detail = line["detail"].as_str().unwrap();
    let (first, rest) = detail.split_once('\n').unwrap();
    assert_eq!(first, "pg_session_jwt user_id: \"alice\"");
    assert!(rest.to_lowercase().contains("parameters: $1 = 'value'"), "{rest}");
}

#[test]
fn only_an_identity_that_counts_is_named() {
    let database = LOGGED.database();
    let mut client = LOGGED.connect(&database, "postgres", "");
    let says = |client: &mut Client, text: &str| {
        run(client, &format!("do $$ begin raise log '{text}'; end $$"));
        detail(text)
    };
    assert_eq!(says(&mut client, "no identity"), None);
    run(&mut client, r#"set request.jwt.claims = '{"sub":"alice"}'"#);
    assert_eq!(says(&mut client, "unused claims"), None);
    run(&mut client, "select auth.user_id()");
    let alice = Some("pg_session_jwt user_id: \"alice\"".to_owned());
    assert_eq!(says(&mut client, "used claims"), alice);
    run(&mut client, "set pg_session_jwt.log_user_id = off");
    assert_eq!(says(&mut client, "off"), None);
    run(&mut client, "reset pg_session_jwt.log_user_id");
    assert_eq!(says(&mut client, "on again"), alice);
    run(&mut client, "set pg_session_jwt.claims_fallback = off");
    assert_eq!(says(&mut client, "not trusted"), None);
    run(
        &mut client,
        "reset pg_session_jwt.claims_fallback; select auth.user_id()",
    );
    assert_eq!(says(&mut client, "trusted"), alice);
    run(&mut client, r#"begin; set local request.jwt.claims = '{"sub":"bob"}'"#);
    assert_eq!(
        says(&mut client, "within"),
        Some("pg_session_jwt user_id: \"bob\"".to_owned())
    );
    client.batch_execute("select 1 / 0").unwrap_err();
    run(&mut client, "rollback");
    assert_eq!(says(&mut client, "after the rollback"), alice);
    run(&mut client, "discard all");
    assert_eq!(says(&mut client, "after discard"), None);
    run(
        &mut client,
        r#"set request.jwt.claims = '{"iss":"x"}'; select auth.user_id()"#,
    );
    assert_eq!(says(&mut client, "without a user id"), None);
}

/// attack: 113
#[test]
fn user_id_cannot_forge_a_line() {
    let database = LOGGED.database();
    for (number, (sub, logged)) in [
        (r#""a\nb\u0007\u001b[2J\"\\""#, r#"a\u{a}b\u{7}\u{1b}[2J\"\\"#),
        (r#""\u202e\u0085ä""#, r"\u{202e}\u{85}\u{e4}"),
        (r#""pg_session_jwt audit: {}""#, "pg_session_jwt *****: {}"),
        (r#""pg_session_jwt user_id: x""#, "pg_session_jwt *******: x"),
        (r#""""#, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let mut client = session(&database, &sub.replace('\'', "''"));
        run(&mut client, &format!("do $$ begin raise log 'forger {number}'; end $$"));
        assert_eq!(
            detail(&format!("forger {number}")).unwrap(),
            format!("pg_session_jwt user_id: \"{logged}\"")
        );
    }
    // Nor can any other text.
    let mut client = session(&database, r#""mallory""#);
    run(
        &mut client,
        r#"do $$ begin raise log 'claim: pg_session_jwt user_id: "bob"' using detail = 'PG_Session_JWT  user_id: "bob"'; end $$"#,
    );
    assert_eq!(
        detail("claim: pg_session_jwt *******").unwrap(),
        "pg_session_jwt user_id: \"mallory\"\nPG_Session_JWT  *******: \"bob\""
    );
}

/// 256 bytes are logged whole, and a longer one is truncated to as many: each byte can become 6.
#[test]
fn longest_user_id_has_room() {
    let database = LOGGED.database();
    for (count, logged) in [(256, r"\u{1f}".repeat(256)), (257, r"\u{1f}".repeat(253) + "...")] {
        let mut client = session(&database, &format!(r#""{}""#, r"\u001f".repeat(count)));
        run(&mut client, &format!("do $$ begin raise log 'longest {count}'; end $$"));
        assert_eq!(
            detail(&format!("longest {count}")).unwrap(),
            format!("pg_session_jwt user_id: \"{logged}\"")
        );
    }
}

#[test]
fn bytes_of_other_encodings_are_escaped() {
    let database = LOGGED.database_with("encoding 'LATIN1' template template0 locale 'C'");
    let mut client = session(&database, r#""\u00e4lice""#);
    run(&mut client, "do $$ begin raise log 'latin'; end $$");
    assert_eq!(detail("latin").unwrap(), r#"pg_session_jwt user_id: "\xe4lice""#);
}

#[test]
fn messages_leave_no_memory_behind() {
    let mut client = session(&LOGGED.database(), r#""alice""#);
    let messages =
        "do $$ begin for i in 1 .. 2000 loop raise log 'much' using detail = repeat('x', 1000); end loop; end $$";
    let used = "select sum(total_bytes)::bigint from pg_backend_memory_contexts where name = 'ErrorContext'";
    run(&mut client, messages);
    let before: i64 = one(&mut client, used);
    run(&mut client, messages);
    assert_eq!(one::<i64>(&mut client, used), before);
}
