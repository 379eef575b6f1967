//! Errors and notices of applications that do not use the extension, on a server that preloads it. Each equals the one
//! without the library, in every field and at every stage of a statement.
//!
//! The statements are in the .sql files of this directory; cases.rs describes their form.

use std::sync::LazyLock;

use crate::attacks::wire::Wire;

use super::answers::{Answer, Figures, Kind, readable};
use super::cases::{self, cases};
use super::servers::{DATABASE, INSTALLED, PRELOADED, WITH_BACKTRACES, WITHOUT, identified, session, session_of_alice};
use testkit::server::Server;

fn all_cases() -> Vec<String> {
    [
        cases::PARSE_AND_ANALYSE,
        cases::PLAN_AND_EXECUTE,
        cases::PLPGSQL,
        cases::CONSTRAINTS,
        cases::WAITS,
    ]
    .into_iter()
    .flat_map(cases)
    .collect()
}

type Cases = Vec<(String, Vec<Answer>)>;

/// The answers of the server without the library. Computed once for all tests, because cases see the effects of earlier
/// ones.
static EXPECTED: LazyLock<Cases> = LazyLock::new(|| answers_of(&WITHOUT, session, all_cases()));
static EXPECTED_OF_ALICE: LazyLock<Cases> =
    LazyLock::new(|| answers_of(&WITHOUT, session_of_alice, cases(cases::POLICIES)));

fn answers_of(server: &Server, session: fn(&Server) -> Wire, cases: Vec<String>) -> Cases {
    let answers = |case: String| {
        let answers = cases::answers(&mut session(server), &case);
        (case, answers)
    };
    cases.into_iter().map(answers).collect()
}

/// Asserts that a server answers each case like the server without the library.
fn is_the_same(server: &Server, session: fn(&Server) -> Wire, expected: &Cases) {
    let cases = expected.iter().map(|(case, _)| case.clone()).collect();
    let differences: Vec<String> = answers_of(server, session, cases)
        .iter()
        .zip(expected)
        .filter(|(with, without)| with != without)
        .map(|((case, answers), (_, expected))| difference(case, expected, answers))
        .collect();
    let count = differences.len();
    assert!(count == 0, "{count} of {}:\n{}", expected.len(), differences.join("\n"));
}

/// The answers that differ, those without the library first.
fn difference(case: &str, expected: &[Answer], answers: &[Answer]) -> String {
    let only_in = |answers: &[Answer], others: &[Answer]| -> Vec<String> {
        let only = answers.iter().filter(|answer| !others.contains(answer));
        only.map(|answer| format!("{:?} {}", answer.kind, answer.fields.join(" | ")))
            .collect()
    };
    format!(
        "{case}\n  without: {:#?}\n  with: {:#?}",
        only_in(expected, answers),
        only_in(answers, expected)
    )
}

#[test]
fn cases_cover_many_errors_and_every_field() {
    let mut figures = Figures::default();
    let mut without_errors = Vec::new();
    for (case, answers) in EXPECTED.iter().chain(EXPECTED_OF_ALICE.iter()) {
        if answers.iter().all(|answer| matches!(answer.kind, Kind::Other(_))) {
            without_errors.push(case);
        }
        figures.count(answers);
    }
    assert!(without_errors.is_empty(), "nothing to compare: {without_errors:#?}");
    println!("{figures:?}");
    // PostgreSQL's documentation of the protocol lists the letters.
    let letters = "SVCMDHPpqWstcdnFLR".chars().collect();
    assert_eq!(figures.letters, letters);
    assert!(
        figures.cases > 800 && figures.errors > 800 && figures.notices > 40,
        "{figures:?}"
    );
    assert!(figures.sqlstates.len() > 85, "{figures:?}");
}

/// attack: 137
#[test]
fn preloaded() {
    is_the_same(&PRELOADED, session, &EXPECTED);
}

/// attack: 137
#[test]
fn preloaded_with_rust_backtrace_in_the_environment() {
    is_the_same(&WITH_BACKTRACES, session, &EXPECTED);
}

#[test]
fn installed_in_a_session_with_an_identity() {
    is_the_same(&INSTALLED, |server| identified(server, DATABASE), &EXPECTED);
}

/// attack: 137
#[test]
fn on_tables_whose_policies_use_the_extension() {
    is_the_same(&PRELOADED, session_of_alice, &EXPECTED_OF_ALICE);
    is_the_same(&WITH_BACKTRACES, session_of_alice, &EXPECTED_OF_ALICE);
}

#[test]
fn rejected_login() {
    let rejected = |server: &Server, parameters: &[(&str, &str)]| -> Vec<Answer> {
        let (_, answer) = Wire::open(server.port(), parameters);
        answer.iter().filter_map(readable).collect()
    };
    for parameters in [
        &[("user", "missing_role")][..],
        &[("user", "bystander"), ("database", DATABASE)],
        &[("user", "postgres"), ("database", "nothing")],
        &[("user", "postgres"), ("work_mem", "x")],
        &[("user", "postgres"), ("nothing", "x")],
        &[("user", "postgres"), ("options", "-c nothing=1")],
        &[("user", "postgres"), ("options", "-x")],
        &[("user", "postgres"), ("client_encoding", "nothing")],
        &[("user", "postgres"), ("TimeZone", "nowhere")],
        &[("database", DATABASE)],
    ] {
        let expected = rejected(&WITHOUT, parameters);
        assert!(
            expected.iter().any(|answer| answer.kind == Kind::Error),
            "{parameters:?}"
        );
        assert_eq!(rejected(&PRELOADED, parameters), expected, "{parameters:?}");
        assert_eq!(rejected(&WITH_BACKTRACES, parameters), expected, "{parameters:?}");
    }
}
