//! The extension frees memory of PostgreSQL's only where CONTRIBUTING.md ("Memory ownership") permits it.

use std::fs;
use std::path::{Path, PathBuf};

/// Calls that free or reset memory of PostgreSQL's.
const FREES: [&str; 11] = [
    "pfree",
    "repalloc",
    "MemoryContextReset",
    "MemoryContextDelete",
    "guc_free",
    "libc::free",
    "heap_freetuple",
    "FreeErrorData",
    "list_free",
    "bms_free",
    "memory.reset()",
];

/// The files that may do so, and the call. The head of each file says why that is after the last use.
const ALLOWED: [(&str, &str); 3] = [
    ("src/functions/call_site_cache.rs", "MemoryContextReset"),
    ("src/pg/log_user.rs", "pfree"),
    ("src/pg/memory.rs", "memory.reset()"),
];

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// attack: 136
#[test]
fn nothing_is_freed_but_where_it_is_said_why() {
    let root = testkit::root();
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    assert!(files.len() > 50, "{files:?}");
    let mut seen = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            for word in FREES.iter().filter(|word| line.contains(**word)) {
                assert!(ALLOWED.contains(&(name.as_str(), *word)), "{name}: {line}");
                seen.push((name.clone(), *word));
            }
        }
    }
    for (file, word) in ALLOWED {
        assert!(seen.contains(&(file.to_owned(), word)), "{file} no longer has {word}");
    }
}
