//! tests/attacks.md tells the truth: every attack has its number, and what is named there exists.

use std::collections::BTreeSet;
use std::fs;

use testkit::root;

const LAST: usize = 154;

/// What the table calls the suites, and where they are.
const SUITES: [(&str, &str); 3] = [
    ("core::", "crates/token/tests/core"),
    ("project::", "tests/project"),
    ("sessions::", "tests/sessions"),
];

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A line of the table: its cells.
struct Row {
    number: usize,
    attack: String,
    kinds: BTreeSet<String>,
    places: Vec<String>,
}

fn rows() -> Vec<Row> {
    let table = read("tests/attacks.md");
    let lines = table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| #"));
    lines.map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [number, attack, kinds, places] = cells[..] else {
        panic!("four cells: {line}")
    };
    let places = places.split("`, `").map(|place| place.trim_matches('`').to_owned());
    Row {
        number: number.parse().unwrap_or_else(|_| panic!("a number: {line}")),
        attack: attack.to_owned(),
        kinds: kinds.split(", ").map(str::to_owned).collect(),
        places: places.collect(),
    }
}

fn kind(place: &str) -> &'static str {
    match place {
        _ if SUITES.iter().any(|(suite, _)| place.starts_with(suite)) => "test",
        _ if place.starts_with("SECURITY.md#") => "document",
        _ if place.starts_with("auth.check: ") => "finding",
        _ if place.strip_prefix("deny.toml: ").is_some_and(is_banned) => "lint",
        _ => panic!("no test, paragraph, finding or banned crate: {place}"),
    }
}

fn is_banned(name: &str) -> bool {
    read("deny.toml").contains(&format!("    \"{name}\",\n"))
}

/// The places of one kind in the whole table, without what they all begin with.
fn places(prefix: &str) -> BTreeSet<String> {
    let places = rows().into_iter().flat_map(|row| row.places);
    let found: BTreeSet<_> = places
        .filter_map(|place| place.strip_prefix(prefix).map(str::to_owned))
        .collect();
    assert!(!found.is_empty(), "{prefix}");
    found
}

#[test]
fn every_attack_is_in_the_table_once_with_what_answers_it() {
    let rows = rows();
    let numbers: Vec<usize> = rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=LAST).collect::<Vec<_>>());
    for row in rows {
        assert!(!row.attack.is_empty(), "{}", row.number);
        let kinds: BTreeSet<String> = row.places.iter().map(|place| kind(place).to_owned()).collect();
        assert_eq!(row.kinds, kinds, "{}", row.number);
    }
}

#[test]
fn every_test_in_the_table_is_a_test() {
    for (suite, directory) in SUITES {
        for place in places(suite) {
            let (module, function) = place.rsplit_once("::").expect("a module and a function");
            let mut path = format!("{directory}/{}.rs", module.replace("::", "/"));
            if !root().join(&path).exists() {
                path = format!("{directory}/{}/mod.rs", module.replace("::", "/"));
            }
            let source = read(&path);
            assert!(is_a_test(&source, function), "{path} has no test {function}");
        }
    }
}

/// A function that is marked as a test, with nothing but other attributes between.
fn is_a_test(source: &str, function: &str) -> bool {
    let head = format!("fn {function}() {{");
    let lines: Vec<&str> = source.lines().collect();
    let Some(at) = lines.iter().position(|line| line.trim() == head) else {
        return false;
    };
    let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
    attributes.into_iter().any(|line| *line == "#[test]")
}

#[test]
fn a_function_is_a_test_only_where_it_is_marked() {
    let source =
        "#[test]\nfn marked() {\n}\n\nfn plain() {\n}\n#[test]\n#[ignore]\nfn both() {\n}\n// fn marked_not() {";
    for (function, expected) in [
        ("marked", true),
        ("plain", false),
        ("both", true),
        ("marked_not", false),
    ] {
        assert_eq!(is_a_test(source, function), expected, "{function}");
    }
}

#[test]
fn every_paragraph_in_the_table_is_in_security_md() {
    let security = read("SECURITY.md");
    let headings = security.lines().filter_map(|line| line.strip_prefix("## "));
    let bold = security.lines().filter_map(|line| {
        let line = line.strip_prefix("- ").unwrap_or(line);
        line.strip_prefix("**")?.split_once("**").map(|(words, _)| words)
    });
    let anchors: BTreeSet<String> = headings.chain(bold).map(anchor).collect();
    for place in places("SECURITY.md#") {
        assert!(anchors.contains(&place), "{place}: {anchors:?}");
    }
}

/// The words of a heading in lower case, with a hyphen for all that is no letter or digit between them.
fn anchor(words: &str) -> String {
    let words = words.to_lowercase();
    let words = words.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

#[test]
fn every_finding_in_the_table_is_one_of_the_check_up() {
    let findings = places("auth.check: ");
    for finding in &findings {
        let plain = finding
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter == '_');
        assert!(plain, "{finding}");
    }
    let Ok(page) = fs::read_to_string(root().join("docs/check.md")) else {
        return;
    };
    let words: BTreeSet<&str> = page
        .split(|letter: char| letter != '_' && !letter.is_alphanumeric())
        .collect();
    for finding in findings {
        assert!(words.contains(finding.as_str()), "docs/check.md has no {finding}");
    }
}

#[test]
fn every_attack_of_the_suite_is_in_the_table() {
    let named = places("sessions::attacks::");
    for entry in fs::read_dir(root().join("tests/sessions/attacks")).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let source = fs::read_to_string(&path).unwrap();
        for function in source.lines().filter_map(|line| line.strip_prefix("fn ")) {
            let function = function.split('(').next().unwrap();
            if is_a_test(&source, function) {
                assert!(named.contains(&format!("{module}::{function}")), "{module}::{function}");
            }
        }
    }
}
