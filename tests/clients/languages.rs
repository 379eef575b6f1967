//! docs/languages.md: its Python as modules, and its SQL as any driver sends it. Its Rust is in tests/clients/rust.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use postgres::Client;
use testkit::guide::page;

use crate::{ALICE, SERVER, database, token};

/// A directory with a module for each driver of Python, such as `page_asyncpg`.
pub fn python_modules() -> &'static Path {
    static MODULES: LazyLock<PathBuf> = LazyLock::new(|| {
        let directory = SERVER.directory().join("python");
        fs::create_dir(&directory).unwrap();
        for block in page("languages") {
            if let Some(driver) = block.fence.strip_prefix("py ") {
                fs::write(directory.join(format!("page_{driver}.py")), block.text).unwrap();
            }
        }
        directory
    });
    &MODULES
}

/// The user ids of the rows that the transaction of this block sees.
fn seen(client: &mut Client, fence: &str, token: Option<&str>) -> Vec<String> {
    let block = page("languages")
        .into_iter()
        .find(|block| block.fence == fence)
        .unwrap();
    let mut seen = Vec::new();
    for statement in block.text.split(";\n").filter(|statement| !statement.is_empty()) {
        let rows = match (token, statement.contains("$1")) {
            (Some(token), true) => client.query(statement, &[&token]),
            _ => client.query(statement, &[]),
        };
        if statement.contains("FROM todos") {
            seen = rows.unwrap().iter().map(|row| row.get("user_id")).collect();
        } else {
            rows.unwrap();
        }
    }
    seen
}

#[test]
fn statements_of_other_drivers() {
    let database = database();
    let mut client = SERVER.connect(&database, "app", "");
    let mut owner = SERVER.connect(&database, "owner", "");
    let rows =
        format!("insert into todos (user_id, task) values ('{ALICE}', 'water the plants'), ('bob', 'feed the cat')");
    owner.batch_execute(&rows).unwrap();
    let alice = token(ALICE, 600);
    for _ in 0..2 {
        assert_eq!(seen(&mut client, "sql user", Some(&alice)), [ALICE]);
        assert_eq!(seen(&mut client, "sql visitor", None), [""; 0]);
    }
    // What other code has left in the session does not reach a visitor.
    let left = format!("set role authenticated; select auth.jwt_session_init('{alice}'); reset role");
    client.batch_execute(&left).unwrap();
    assert_eq!(seen(&mut client, "sql visitor", None), [""; 0]);
}
