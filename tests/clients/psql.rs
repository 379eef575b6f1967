//! psql, of the PostgreSQL under test.

use crate::server::program;
use crate::{database, does_the_scenario};

#[test]
fn psql() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/psql/scenario.sql");
    does_the_scenario(program("psql", None).args(["-XqAt", "-f", script]), &database());
}
