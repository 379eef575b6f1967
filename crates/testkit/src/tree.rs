//! A private copy of the PostgreSQL under test. A test may put scripts into its extension directory.
//!
//! PostgreSQL finds its directories relative to its program (`make_relative_path` in src/port/path.c). The program is
//! therefore copied into a tree of the same shape, in which all but the extension directory are links. The installed
//! PostgreSQL stays unchanged, and test runs do not interfere. (PostgreSQL 18's `extension_control_path` could do this;
//! the copy works on every major.)

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::server::pg_config;

/// Makes the copy in the directory of a server and returns its program.
pub fn make(directory: &Path) -> PathBuf {
    let (real, program, extensions) = layout();
    let copy = directory.join("tree");
    mirror(&real, &copy, &[&program, &extensions]);
    copy.join(program.strip_prefix(&real).unwrap())
}

/// The extension directory of the copy that was made in this directory.
pub fn extension_directory(directory: &Path) -> PathBuf {
    let (real, _, extensions) = layout();
    directory.join("tree").join(extensions.strip_prefix(real).unwrap())
}

/// Restores the installed scripts of the extension in the copy and removes all other scripts of the extension.
pub fn reset_scripts(directory: &Path) {
    let (copy, (_, _, real)) = (extension_directory(directory), layout());
    let is_ours = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"pg_session_jwt"))
    };
    let ours = |directory: &Path| {
        fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(is_ours)
    };
    for script in ours(&copy) {
        fs::remove_file(script).unwrap();
    }
    for script in ours(&real) {
        fs::copy(&script, copy.join(script.file_name().unwrap())).unwrap();
    }
}

/// The directory above all others, the program, and the extension directory.
fn layout() -> (PathBuf, PathBuf, PathBuf) {
    let [bin, share, library] = ["--bindir", "--sharedir", "--pkglibdir"].map(|what| {
        let directory = pg_config(what);
        fs::canonicalize(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
    });
    let above_all = |directory: &&Path| share.starts_with(directory) && library.starts_with(directory);
    let real = bin.ancestors().find(above_all).unwrap().to_owned();
    (real, bin.join("postgres"), share.join("extension"))
}

/// Copies the directories that lead to `own` and the files there, and links everything beside them.
fn mirror(real: &Path, copy: &Path, own: &[&Path]) {
    fs::create_dir(copy).unwrap();
    for entry in fs::read_dir(real).unwrap() {
        let entry = entry.unwrap();
        let (path, target) = (entry.path(), copy.join(entry.file_name()));
        let leads_to_own = own.iter().any(|own| own.starts_with(&path));
        let is_extension_file = own.contains(&real) && path.is_file();
        if leads_to_own && path.is_dir() {
            mirror(&path, &target, own);
        } else if leads_to_own || is_extension_file {
            fs::copy(&path, &target).unwrap();
        } else {
            symlink(&path, &target).unwrap();
        }
    }
}
