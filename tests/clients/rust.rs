//! Clients of Rust: a separate package, built when they run.

use std::process::Command;

use crate::{database, does_the_scenario};

pub fn rust(name: &str) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    let package = testkit::root().join("tests/clients/rust/Cargo.toml");
    cargo.args(["run", "--quiet", "--locked", "--bin", name, "--manifest-path"]);
    cargo.arg(package);
    cargo
}

#[test]
fn tokio_postgres() {
    does_the_scenario(&mut rust("tokio_postgres"), &database());
}

#[test]
fn sqlx() {
    does_the_scenario(&mut rust("sqlx"), &database());
}
