//! Servers with environment variables.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use testkit::server::pg_config;

/// The variables of proxies, which the environment of the tests may have.
pub const WITHOUT_PROXIES: &str = "unset https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY\n";

/// A program in this directory that runs these lines of shell, and then PostgreSQL.
pub fn program(directory: &Path, lines: &str) -> PathBuf {
    let script = directory.join("postgres");
    let postgres = pg_config("--bindir").join("postgres");
    let text = format!("#!/bin/sh\n{lines}\nexec '{}' \"$@\"\n", postgres.display());
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    script
}
