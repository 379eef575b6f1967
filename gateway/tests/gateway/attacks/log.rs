//! The server's log and statistics: no token of others, and no line that imitates the audit log.

use std::sync::LazyLock;

use rstest::rstest;
use serde_json::{Value, json};
use testkit::server::{Server, pg_config};
use testkit::session::{rows, run, ways_to_present};

use super::leaks::hides;
use super::plans::PARALLEL;
use super::scene::{MALLORY, Scene, WHO, database_with_rows, forged, victim};
use crate::{BOB, create_login, settings, token};

const AUDIT: &str = "pg_session_jwt audit: ";

/// A server that logs all that it can, and no text of a statement that succeeds.
static LOGGING: LazyLock<Server> = LazyLock::new(|| {
    let libraries = if has_statistics() { "pg_stat_statements, " } else { "" };
    let settings = settings().replace("'pg_session_jwt'", &format!("'{libraries}pg_session_jwt'"));
    let server = Server::start(&format!(
        "{settings}\npg_session_jwt.audit_log = on\nlog_parameter_max_length = -1\nlog_parameter_max_length_on_error = -1"
    ));
    create_login(&server);
    server
});

fn has_statistics() -> bool {
    let control = "extension/pg_stat_statements.control";
    pg_config("--sharedir").join(control).exists()
}

fn scene() -> Scene {
    static DATABASE: LazyLock<String> = LazyLock::new(|| database_with_rows(&LOGGING));
    Scene::on(&LOGGING, &DATABASE)
}

fn tokens() -> [String; 3] {
    [token(BOB, 600), token(BOB, -600), forged()]
}

/// Tokens in the header and as parameters.
/// attack: 96, 97
#[test]
fn no_bound_token_is_logged() {
    let scene = scene();
    let tokens = tokens();
    for token in &tokens {
        let parameter = [json!(token)];
        for role in ["authenticated", "anonymous"] {
            let client = scene.gateway.client(role, Some(token));
            client.query("select auth.user_id()", &[]);
            client.query("select 1 / 0, $1::text", &parameter);
        }
        for sql in [
            "select auth.jwt_session_init($1)",
            "select set_config('pg_session_jwt.jwt', $1, true)",
            "select 1 / 0, $1::text",
        ] {
            scene.mallory().query(sql, &parameter);
        }
    }
    let log = LOGGING.log();
    assert!(
        log.contains(AUDIT) && log.contains("division by zero"),
        "something is logged"
    );
    for token in &tokens {
        hides(&log, token);
    }
    if !has_statistics() {
        eprintln!("this PostgreSQL came without pg_stat_statements");
        return;
    }
    let mut admin = LOGGING.connect("postgres", "postgres", "");
    run(&mut admin, "create extension pg_stat_statements");
    let texts = format!("{:?}", rows(&mut admin, "select query from pg_stat_statements"));
    // Statements that differ in case only are one.
    let seen = texts.to_lowercase();
    assert!(seen.contains("select auth.jwt_session_init($1, $2)"), "{texts}");
    for token in &tokens {
        hides(&texts, token);
    }
}

/// Rejections in parallel workers, and tokens in the text of the statement that rejects them.
/// attack: 97, 98, 141
#[test]
fn no_rejected_statement_is_logged() {
    let scene = scene();
    let tokens = tokens();
    let worker = "create function pg_temp.f() returns text language plpgsql parallel safe as
                  $$ begin perform auth.jwt_session_init('a.b.c'); return auth.user_id(); end $$";
    let call = "select count(*) from public.many where pg_temp.f() is null";
    let statements = [&PARALLEL[..], &[worker, call]].concat();
    assert_eq!(
        scene.answer(&scene.gateway.with(&tokens[0]), &statements),
        json!("55000")
    );
    for token in &tokens[1..] {
        for sql in ways_to_present(token) {
            scene.mallory_gets(&[&sql], &json!("28000"));
            scene.visitor_gets(&[&sql], &json!("28000"));
        }
    }
    let log = LOGGING.log();
    for token in &tokens {
        hides(&log, token);
    }
}

/// attack: 113, 143
#[rstest]
#[case("raise log '{}'")]
#[case("raise warning '{}'")]
#[case("raise log E'x\\n{}'")]
#[case("raise log E'\\ufeff{}'")]
#[case("raise log E'\\u200b{}'")]
#[case("raise log 'LOG:  {}'")]
#[case("raise log 'x' using detail = E'x\\n{}'")]
#[case("raise log 'x' using hint = E'x\\n{}'")]
#[case("perform auth.jwt_session_init('{hers}'); raise log '{}'")]
fn her_log_line_is_no_audit_line(#[case] raise: &str) {
    let scene = scene();
    let mark = format!(
        "forged{}",
        scene.visitor().rows("select pg_backend_pid()")[0][0].as_str().unwrap()
    );
    let line = format!(r#"{AUDIT}{{"event":"accepted","sub":"{BOB}","kid":"{mark}"}}"#);
    let block = format!("do $$ begin {}; end $$", raise.replace("{}", &line));
    scene.mallory_gets(&[&block], &json!([]));
    scene.mallory_gets(
        &[&block
            .replace("raise log", "raise exception")
            .replace("raise warning", "raise exception")],
        &json!("P0001"),
    );
    let log = LOGGING.log();
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains(&mark) && !line.contains("STATEMENT:  "))
        .collect();
    assert!(lines.len() >= 2, "{lines:?}");
    for line in lines {
        // Characters that a reader might take for a space.
        let plain: String = line.to_lowercase().chars().filter(char::is_ascii_graphic).collect();
        assert!(!plain.contains("pg_session_jwtaudit"), "{line}");
    }
}

/// What a token says cannot begin a line, whether it is accepted or not.
/// attack: 113
#[test]
fn claims_forge_no_line() {
    let scene = scene();
    let odd =
        format!("mark\\n2026-01-01 LOG:  {AUDIT}{{\\u0022sub\\u0022:\\u0022{BOB}\\u0022}}\\r\\u001b[2J\\u202emark");
    let signed = |header: &str, payload: &str| victim().signed(header, payload);
    let claims = victim().payload(&format!(r#""sub":"{odd}""#));
    let tokens = [
        (signed(testkit::forgeries::HEADER, &claims), json!([[null, null]])),
        (
            signed(&format!(r#"{{"alg":"EdDSA","kid":"{odd}"}}"#), &claims),
            json!("28000"),
        ),
        (
            signed(testkit::forgeries::HEADER, &claims.replace("https://id.example/", &odd)),
            json!("28000"),
        ),
    ];
    for (token, expected) in tokens {
        let answer = scene.answer(&scene.gateway.with(&token), &["select auth.uid(), auth.email()"]);
        assert_eq!(answer, expected);
    }
    let log = LOGGING.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("2026-01-01")).collect();
    let audit = format!("LOG:  {AUDIT}{{");
    let texts = lines.iter().map(|line| line.split_once(' ').unwrap().1);
    assert_eq!(texts.filter(|text| text.starts_with(&audit)).count(), 3, "{lines:?}");
    for line in lines {
        assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
        let (pid, text) = line.split_once(' ').unwrap();
        let known = ["LOG:  ", "ERROR:  ", "DETAIL:  "]
            .iter()
            .any(|kind| text.starts_with(kind));
        assert!(pid.parse::<u32>().is_ok() && known, "{line:?}");
    }
    let who: Value = scene.answer(&scene.mallory(), &[WHO]);
    assert_eq!(who, json!([[MALLORY, "own"]]));
}
