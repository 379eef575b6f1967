//! Data directories of servers: initdb makes one for each test process, and the others are copies of it.
//!
//! A copy takes a tenth of initdb's time, and the session tests start hundreds of servers.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::children::deleted_with_this_process;
use crate::server::{program, program_at, unprivileged_user};

/// Creates a data directory, as initdb does.
pub fn create(data: &Path, owner: Option<(u32, u32)>) {
    static ORIGINAL: LazyLock<PathBuf> = LazyLock::new(|| {
        let name = format!("pg_session_jwt-{}-data", std::process::id());
        let original = std::env::temp_dir().join(name);
        deleted_with_this_process(&original);
        std::fs::create_dir(&original).unwrap();
        let owner = unprivileged_user();
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::chown(&original, Some(uid), Some(gid)).unwrap();
        }
        initdb(&original, owner);
        original
    });
    let mut copy = program_at(Path::new("cp"), owner);
    succeeds(copy.arg("-Rp").arg(&*ORIGINAL).arg(data));
}

/// Runs initdb, for a data directory that has its own system identifier.
pub fn initdb(data: &Path, owner: Option<(u32, u32)>) {
    let options = [
        "--auth=trust",
        "--username=postgres",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "-D",
    ];
    succeeds(program("initdb", owner).args(options).arg(data));
}

fn succeeds(command: &mut std::process::Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
