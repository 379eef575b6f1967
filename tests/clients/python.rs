//! Clients of Python.

use std::process::Command;

use crate::languages::python_modules;
use crate::{SERVER, connects, database, does_the_scenario, laid_out, output};

pub fn python(file: &str) -> Command {
    let mut python = Command::new(laid_out().join("python/bin/python3"));
    python.arg(testkit::root().join("tests/clients/python").join(file));
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    python.env("PYTHONPATH", python_modules());
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

/// What docs/languages.md promises: rejections without the token, and nothing of one request in the next.
#[test]
fn promises() {
    for file in ["with_psycopg.py", "with_asyncpg.py", "with_sqlalchemy.py"] {
        let printed = output(connects(&mut python(file), SERVER.port(), &database()).env("PROMISES", "1"));
        assert_eq!(printed, "promises kept\n", "{file}");
    }
}
