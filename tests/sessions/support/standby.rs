//! Streaming standbys.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::server::{Server, pg_config, program, unprivileged_user};

/// A standby of the primary, with these lines in its postgresql.conf.
pub fn standby_of(primary: &Server, conf: &str) -> Server {
    let port = primary.port();
    let conf = format!("{conf}\nprimary_conninfo = 'host=127.0.0.1 port={port} user=postgres'");
    Server::start_program(&conf, |directory| copy(port, directory))
}

/// Replaces the data of a stopped server by a copy of the primary's, except for its settings.
fn copy(primary: u16, directory: &Path) -> PathBuf {
    let data = directory.join("data");
    let settings = data.join("postgresql.auto.conf");
    let own = fs::read(&settings).unwrap();
    fs::remove_dir_all(&data).unwrap();
    let output = program("pg_basebackup", unprivileged_user())
        .args([
            "--host=127.0.0.1",
            "--username=postgres",
            "--checkpoint=fast",
            "--no-sync",
        ])
        .arg(format!("--port={primary}"))
        .arg("-D")
        .arg(&data)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::write(settings, own).unwrap();
    fs::write(data.join("standby.signal"), "").unwrap();
    pg_config("--bindir").join("postgres")
}
