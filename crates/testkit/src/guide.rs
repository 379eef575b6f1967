//! The blocks of a page in docs, run by psql as a reader would run them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::server::{Server, program, unprivileged_user};

pub struct Block {
    pub fence: String,
    pub text: String,
}

/// The fenced blocks of a Markdown text.
pub fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in markdown.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(fence), None) => {
                open = Some(Block {
                    fence: fence.to_owned(),
                    text: String::new(),
                })
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// The output that the block states.
pub fn expected(block: &Block) -> Vec<&str> {
    block
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("-- => "))
        .collect()
}

/// The variables that a page passes to psql, after a block that calls `scripts/dev-tokens.sh`; its key is stored in this
/// directory.
pub fn dev_tokens(script: &str, directory: &Path) -> HashMap<&'static str, String> {
    let show = r#"printf '%s\n' "$PROVIDERS" "$ALICE" "$BOB" "$EXPIRED""#;
    let output = Command::new("bash")
        .args(["-c", &format!("set -euo pipefail\n{script}\n{show}")])
        .current_dir(crate::root())
        .env("DEV_KEY", directory.join("dev-key.pem"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8(output.stdout).unwrap();
    let names = ["providers", "alice", "bob", "expired"];
    names.into_iter().zip(shown.lines().map(str::to_owned)).collect()
}

/// The blocks of a page in docs, in order.
pub fn page(name: &str) -> Vec<Block> {
    blocks_of(&format!("docs/{name}.md"))
}

/// The blocks of a file of the project, in order.
pub fn blocks_of(path: &str) -> Vec<Block> {
    blocks(&fs::read_to_string(crate::root().join(path)).unwrap())
}

/// The session that runs a block.
pub struct PsqlSession<'a> {
    pub server: &'a Server,
    pub port: u16,
    pub user: &'a str,
    pub database: &'a str,
    /// Its startup options.
    pub options: &'a str,
    /// The values of the page's psql variables (`:'name'`).
    pub variables: HashMap<&'static str, String>,
}

impl PsqlSession<'_> {
    /// Runs a block in a new session and returns all its output. The block must print the output that it states, and fail
    /// if its fence says so.
    pub fn runs(&self, block: &Block) -> String {
        let mut psql = program("psql", unprivileged_user());
        psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"]);
        psql.args(["-p", &self.port.to_string(), "-U", self.user, "-d", self.database]);
        for (name, value) in &self.variables {
            psql.args(["-v", &format!("{name}={value}")]);
        }
        // From a file, because psql does not replace variables in the argument of -c. The name is unique to this run.
        let file = self.server.directory().join(format!("{}.sql", self.database));
        fs::write(&file, &block.text).unwrap();
        let output = psql
            .arg("-f")
            .arg(file)
            .env("PGOPTIONS", self.options)
            .output()
            .unwrap();
        let [out, error] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        let fails = block.fence.ends_with(" error");
        assert_eq!(output.status.success(), !fails, "{}\n{error}", block.text);
        let shown = if fails { &error } else { &out };
        for line in expected(block) {
            let found = shown
                .lines()
                .any(|shown| shown == line || shown.ends_with(&format!(" {line}")));
            assert!(found, "{line} is not in:\n{shown}\nof\n{}", block.text);
        }
        out
    }
}
