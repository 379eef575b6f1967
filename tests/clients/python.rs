//! Clients of Python.

use std::process::Command;

use crate::{database, does_the_scenario, laid_out};

pub fn python(file: &str) -> Command {
    let mut python = Command::new(laid_out().join("python/bin/python3"));
    python.arg(testkit::root().join("tests/clients/python").join(file));
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

#[test]
fn psycopg() {
    does_the_scenario(&mut python("with_psycopg.py"), &database());
}

#[test]
fn asyncpg() {
    does_the_scenario(&mut python("with_asyncpg.py"), &database());
}

#[test]
fn sqlalchemy() {
    does_the_scenario(&mut python("with_sqlalchemy.py"), &database());
}
