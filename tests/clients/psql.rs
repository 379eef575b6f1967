//! psql, of the PostgreSQL under test.

use testkit::server::program;

use crate::{database, does_the_scenario};

#[test]
fn psql() {
    let script = testkit::root().join("tests/clients/psql/scenario.sql");
    does_the_scenario(
        program("psql", None).args(["-XqAt", "-f", script.to_str().unwrap()]),
        &database(),
    );
}
