//! Clients of Node.js.

use std::process::Command;

use crate::{database, does_the_scenario, laid_out};

pub fn node(file: &str) -> Command {
    let mut node = Command::new("node");
    node.arg(laid_out().join("node").join(file));
    node
}

#[test]
fn pg() {
    does_the_scenario(&mut node("pg.mjs"), &database());
}

#[test]
fn postgres() {
    does_the_scenario(&mut node("postgres.mjs"), &database());
}

#[test]
fn kysely() {
    does_the_scenario(&mut node("kysely.mjs"), &database());
}
