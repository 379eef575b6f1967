//! docs/development.md names files that exist.

use std::fs;

use testkit::root;

#[test]
fn every_file_of_the_walks_exists() {
    let page = fs::read_to_string(root().join("docs/development.md")).unwrap();
    let files: Vec<&str> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.ends_with(".rs"))
        .collect();
    assert!(!files.is_empty());
    for file in files {
        let exists = ["", "crates/token/src"]
            .iter()
            .any(|directory| root().join(directory).join(file).exists());
        assert!(exists, "docs/development.md names {file}");
    }
}
