//! Uses among the files of `src` go one way: from each room to the rooms below it. In `src` and in the verifier, no files
//! `use` each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use testkit::root;

/// From the bottom up; a room uses the rooms before it.
const ROOMS: [&str; 13] = [
    "pg",
    "statistics",
    "guc",
    "error",
    "jwks",
    "keys",
    "identity",
    "planner",
    "settings",
    "check",
    "oauth",
    "worker",
    "functions",
];

/// The files that each file uses, by their paths below `crate::`.
type Uses = BTreeMap<String, BTreeSet<String>>;

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The module of a path: in `src`, `keys::file` for `src/keys/file.rs`, and `keys` for `src/keys/mod.rs`.
fn module(path: &Path, directory: &Path) -> String {
    let path = path.strip_prefix(directory).unwrap().with_extension("");
    let parts = path.iter().map(|part| part.to_str().unwrap());
    parts.filter(|part| *part != "mod").collect::<Vec<_>>().join("::")
}

/// The paths after `crate::` and `super::` in a source, with each branch of their braces.
fn paths(source: &str, parent: &str) -> Vec<String> {
    let code: String = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let mut found = Vec::new();
    for (word, prefix) in [("crate::", String::new()), ("super::", format!("{parent}::"))] {
        for (at, _) in code.match_indices(word) {
            let before = code[..at].chars().next_back();
            if before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_' && letter != ':') {
                branches(&code[at + word.len()..], &prefix, &mut found);
            }
        }
    }
    found
}

/// Reads one path and its braces; returns the text after them.
fn branches<'a>(text: &'a str, prefix: &str, found: &mut Vec<String>) -> &'a str {
    let text = text.trim_start();
    let end = text
        .find(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != ':')
        .unwrap_or(text.len());
    let (path, mut rest) = text.split_at(end);
    let path = format!("{prefix}{path}");
    let Some(prefix) = path.strip_suffix("::").filter(|_| rest.starts_with('{')) else {
        found.push(path);
        return rest;
    };
    while let Some(inside) = rest.strip_prefix(['{', ',']) {
        if inside.trim_start().starts_with('}') {
            return &inside.trim_start()[1..];
        }
        rest = branches(inside, &format!("{prefix}::"), found).trim_start();
        if let Some(name) = rest.strip_prefix("as ") {
            rest = name
                .trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_')
                .trim_start();
        }
        if let Some(behind) = rest.strip_prefix('}') {
            return behind;
        }
    }
    rest
}

/// The uses among the files of a directory.
fn uses(directory: &str) -> Uses {
    let mut all = Vec::new();
    let directory = root().join(directory);
    files(&directory, &mut all);
    let modules: BTreeSet<String> = all.iter().map(|path| module(path, &directory)).collect();
    let mut uses = Uses::new();
    for path in all {
        let user = module(&path, &directory);
        if user == "lib" || user == "tests" {
            continue;
        }
        let parent = user.rsplit_once("::").map_or("", |(parent, _)| parent).to_owned();
        // A path names a module or an item in it.
        let used = |path: &String| {
            let ends = path.match_indices("::").map(|(at, _)| at).chain([path.len()]);
            let longest = ends
                .map(|end| &path[..end])
                .filter(|name| modules.contains(*name))
                .last();
            longest.map(str::to_owned)
        };
        let source = fs::read_to_string(&path).unwrap();
        let mut found: BTreeSet<String> = paths(&source, &parent).iter().filter_map(used).collect();
        found.remove(&user);
        uses.insert(user, found);
    }
    assert!(uses.len() > 15, "{uses:?}");
    uses
}

fn floor(module: &str) -> usize {
    let room = module.split("::").next().unwrap();
    ROOMS
        .iter()
        .position(|known| *known == room)
        .unwrap_or_else(|| panic!("{room} has no place in ROOMS"))
}

#[test]
fn a_room_uses_only_those_below_it() {
    let uses = uses("src");
    assert!(uses.len() > 60, "{uses:?}");
    for (user, used) in uses {
        for used in used {
            assert!(floor(&used) <= floor(&user), "{user} uses {used}, which is above it");
        }
    }
}

#[test]
fn no_files_of_the_extension_use_each_other() {
    assert_no_circle("src");
}

#[test]
fn no_files_of_the_verifier_use_each_other() {
    assert_no_circle("crates/token/src");
}

/// Fails if files of a directory use each other, directly or through others.
fn assert_no_circle(directory: &str) {
    let mut left = uses(directory);
    loop {
        let used: BTreeSet<String> = left.values().flatten().cloned().collect();
        let before = left.len();
        // A file that uses no remaining file, or is used by none, is in no circle.
        left.retain(|user, uses| !uses.is_empty() && used.contains(user));
        if left.len() == before {
            break;
        }
        let remaining: BTreeSet<String> = left.keys().cloned().collect();
        for uses in left.values_mut() {
            uses.retain(|used| remaining.contains(used));
        }
    }
    assert!(left.is_empty(), "a circle among these: {left:#?}");
}

#[test]
fn the_paths_of_a_source_are_found() {
    let source =
        "use crate::a::b::{self, c::{D, e as f}, G};\n// crate::not\nuse super::h;\nlet x = crate::i::j(my_crate::k);";
    let expected = ["a::b::self", "a::b::c::D", "a::b::c::e", "a::b::G", "i::j", "p::h"];
    assert_eq!(paths(source, "p"), expected);
}
