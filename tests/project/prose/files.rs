//! The files whose language is ours.

use std::fs;
use std::path::Path;

use testkit::root;

/// Files that keep their words: released scripts, what a tool writes, texts of others, and the table of banned words.
const LEFT_OUT: [&str; 9] = [
    "tests/fixtures/upgrade/",
    "tests/upgrade/",
    "tests/project/prose/words.rs",
    "sql/pg_session_jwt--0.3.1--0.4.0.sql",
    "sql/pg_session_jwt--0.4.0--0.5.0.sql",
    "Cargo.lock",
    "fuzz/Cargo.lock",
    "LICENSE",
    "docs/performance/",
];

const DIRECTORIES_LEFT_OUT: [&str; 5] = [".git", "target", "node_modules", "results", "dist"];

/// How comments begin in the files with these endings; Markdown is prose throughout.
const COMMENTS: [(&str, &[&str]); 15] = [
    ("md", &[]),
    ("rs", &["//!", "///", "//"]),
    ("c", &["//", " *", "/*"]),
    ("js", &["//", " *", "/**"]),
    ("mjs", &["//", " *", "/**"]),
    ("ts", &["//", " *", "/**"]),
    ("tsx", &["//", " *", "/**"]),
    ("sql", &["--"]),
    ("sh", &["#"]),
    ("py", &["#"]),
    ("toml", &["#"]),
    ("yml", &["#"]),
    ("yaml", &["#"]),
    ("Makefile", &["#"]),
    ("Dockerfile", &["#"]),
];

pub struct File {
    /// Its path below the project's directory.
    pub name: String,
    pub text: String,
    comment: &'static [&'static str],
}

impl File {
    /// Whether the file is Markdown.
    pub fn is_page(&self) -> bool {
        self.comment.is_empty()
    }

    /// The prose of each line, by the line's number: None for a line without prose.
    pub fn prose(&self) -> impl Iterator<Item = (usize, Option<&str>)> {
        let mut is_in_block = false;
        self.text.lines().enumerate().map(move |(index, line)| {
            let prose = match self.comment {
                [] => Some(line),
                markers => markers
                    .iter()
                    .find_map(|marker| line.trim_start().strip_prefix(marker.trim_start())),
            };
            let is_fence = prose.is_some_and(|prose| prose.trim_start().starts_with("```"));
            is_in_block ^= is_fence;
            (index + 1, prose.filter(|_| !is_in_block && !is_fence))
        })
    }
}

/// All files of the project with an ending of [`COMMENTS`].
pub fn all() -> Vec<File> {
    let mut found = Vec::new();
    collect(root(), &mut found);
    found
}

fn collect(directory: &Path, found: &mut Vec<File>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let last = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !DIRECTORIES_LEFT_OUT.contains(&last) {
                collect(&path, found);
            }
            continue;
        }
        let ending = last.rsplit('.').next().unwrap();
        let comment = COMMENTS.iter().find(|(known, _)| *known == ending);
        if let Some((_, comment)) = comment
            && !LEFT_OUT.iter().any(|left_out| name.starts_with(left_out))
        {
            let text = fs::read_to_string(&path).unwrap();
            found.push(File { name, text, comment });
        }
    }
}
