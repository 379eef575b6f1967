//! Writes the blocks of docs/languages.md to files that the clients include.

use std::path::Path;
use std::{env, fs};

fn main() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/languages.md");
    println!("cargo::rerun-if-changed={}", page.display());
    let page = fs::read_to_string(page).unwrap();
    for driver in ["tokio_postgres", "sqlx"] {
        let (_, rest) = page.split_once(&format!("\n```rust {driver}\n")).unwrap();
        let (block, _) = rest.split_once("\n```\n").unwrap();
        let file = Path::new(&env::var("OUT_DIR").unwrap()).join(format!("{driver}.rs"));
        fs::write(file, block).unwrap();
    }
}
