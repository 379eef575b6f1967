//! PostgreSQL's client programs, such as pg_dump and pg_restore.

use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::sync::LazyLock;

use testkit::cluster::{Cluster, Turn};
use testkit::server::{Server, program, unprivileged_user};

/// The empty cluster into which dumps are restored.
pub static TARGET: LazyLock<Cluster> = LazyLock::new(|| Cluster::new(Server::start_empty("")));

/// Runs one of PostgreSQL's client programs on a cluster.
pub fn tool(cluster: &Turn, name: &str, arguments: &[&str]) -> Output {
    let mut command = program(name, unprivileged_user());
    command
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", cluster.port().to_string())
        .env("PGUSER", "postgres");
    command.args(arguments).output().unwrap()
}

pub fn succeeds(cluster: &Turn, name: &str, arguments: &[&str]) -> String {
    let output = tool(cluster, name, arguments);
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success() && error.is_empty(),
        "{name} {arguments:?}: {error}"
    );
    out.into_owned()
}

/// A file for a dump, in the directory of a cluster.
pub fn file(cluster: &Turn, name: &str) -> String {
    let path: PathBuf = cluster.directory().join(name);
    let _ = fs::remove_file(&path);
    path.into_os_string().into_string().unwrap()
}
