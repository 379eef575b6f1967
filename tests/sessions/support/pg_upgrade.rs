//! pg_upgrade between two clusters.

use std::path::Path;

use testkit::server::{pg_config, program, unprivileged_user};

/// Carries the old cluster over into the new one, which initdb has just created.
pub fn upgrade(directory: &Path, old_programs: &Path, old: &Path, new: &Path) {
    let mut command = program("pg_upgrade", unprivileged_user());
    command
        .current_dir(directory)
        .args(["--username=postgres", "--no-sync"]);
    command.arg("--socketdir").arg(directory);
    command.arg("--old-datadir").arg(old).arg("--new-datadir").arg(new);
    command.arg("--old-bindir").arg(old_programs);
    command.arg("--new-bindir").arg(pg_config("--bindir"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
