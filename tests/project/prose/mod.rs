//! One language in sources and pages: the words of CONTRIBUTING.md, sentences that are read once, short headings.

mod files;
mod sentences;
mod words;

use std::fmt::Write as _;

use files::File;

/// A fault of one line, and what to write instead.
struct Fault {
    line: usize,
    advice: String,
}

fn assert_none(found: impl Fn(&File) -> Vec<Fault>) {
    let files = files::all();
    assert!(files.len() > 200, "only {} files were found", files.len());
    let mut report = String::new();
    for file in &files {
        for Fault { line, advice } in found(file) {
            writeln!(report, "{}:{line}: {advice}", file.name).unwrap();
        }
    }
    assert!(report.is_empty(), "\n{report}{} faults", report.lines().count());
}

#[test]
fn banned_words_are_absent() {
    assert_none(|file| words::banned_in(&file.text));
}

#[test]
fn sentences_have_at_most_30_words() {
    assert_none(sentences::too_long_in);
}

#[test]
fn headings_are_short_and_unique() {
    assert_none(|file| match file.is_page() {
        true => sentences::headings_in(&file.text),
        false => Vec::new(),
    });
}
