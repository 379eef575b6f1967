//! The lines `/// attack: 23` above tests.

use std::fs;
use std::path::Path;

use testkit::root;

/// The suites whose tests may answer an attack: the name of each in the table, and its directory.
const SUITES: [(&str, &str); 4] = [
    ("core", "crates/token/tests"),
    ("gateway", "gateway/tests"),
    ("project", "tests/project"),
    ("sessions", "tests/sessions"),
];

/// A function with the attribute of a test.
#[derive(Debug, PartialEq, Eq)]
pub struct Test {
    /// Its suite and its file, such as `sessions::attacks::bombs`.
    pub module: String,
    pub name: String,
    pub attacks: Vec<usize>,
}

/// The tests of all suites.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for (suite, directory) in SUITES {
        read(&root().join(directory), suite, &mut tests);
    }
    tests
}

fn read(directory: &Path, module: &str, tests: &mut Vec<Test>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let inner = match name {
            "mod" | "main" => module.to_owned(),
            // crates/token/tests/core and gateway/tests/gateway are the suites themselves.
            _ if name == module => module.to_owned(),
            _ => format!("{module}::{name}"),
        };
        if path.is_dir() {
            read(&path, &inner, tests);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            tests.extend(tests_of(&fs::read_to_string(&path).unwrap(), &inner));
        }
    }
}

/// The tests of a source. A number of an attack stands above the attributes of its test, and nowhere else.
pub fn tests_of(source: &str, module: &str) -> Vec<Test> {
    let mut tests = Vec::new();
    let (mut attacks, mut is_test) = (Vec::new(), false);
    for line in source.lines().map(str::trim) {
        if let Some(numbers) = line.strip_prefix("/// attack: ") {
            let numbers = numbers.split(", ").map(|number| number.parse());
            attacks = numbers
                .collect::<Result<_, _>>()
                .unwrap_or_else(|_| panic!("{module}: {line}"));
        } else if line == "#[test]" || line == "#[rstest]" {
            is_test = true;
        } else if let Some(name) = function(line) {
            let attacks = std::mem::take(&mut attacks);
            if std::mem::take(&mut is_test) {
                tests.push(Test {
                    module: module.to_owned(),
                    name: name.to_owned(),
                    attacks,
                });
            } else {
                assert!(
                    attacks.is_empty(),
                    "{module}: {name} is not a test, but answers {attacks:?}"
                );
            }
        }
    }
    tests
}

/// The name of the function that begins on this line.
fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    line.strip_prefix("fn ")?.split(['(', '<']).next()
}

#[test]
fn a_number_belongs_to_the_test_below_it() {
    let source =
        "/// Text.\n/// attack: 7, 12\n#[test]\n#[ignore]\nfn both() {\n}\n\nfn helper() {\n}\n#[test]\nfn none() {";
    let test = |name: &str, attacks: &[usize]| Test {
        module: "m".to_owned(),
        name: name.to_owned(),
        attacks: attacks.to_vec(),
    };
    assert_eq!(tests_of(source, "m"), [test("both", &[7, 12]), test("none", &[])]);
}

#[test]
#[should_panic(expected = "helper is not a test")]
fn a_number_above_a_function_that_is_not_a_test_is_an_error() {
    tests_of("/// attack: 7\nfn helper() {", "m");
}
