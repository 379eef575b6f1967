//! A private copy of the PostgreSQL under test, in whose extension folder a test may put scripts of its own.
//!
//! PostgreSQL finds its folders by the place of its program (`make_relative_path` in src/port/path.c). So the program is
//! copied into a tree of the same shape, in which everything is a link to the real thing except the extension folder.
//! The installed PostgreSQL stays as it is, and test runs do not meet. (Since 18 `extension_control_path` could do it;
//! this works on every major.)

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::server::pg_config;

/// Makes the copy in the folder of a server and gives back its program.
pub fn make(folder: &Path) -> PathBuf {
    let (real, program, extensions) = places();
    let copy = folder.join("tree");
    mirror(&real, &copy, &[&program, &extensions]);
    copy.join(program.strip_prefix(&real).unwrap())
}

/// The extension folder of the copy that was made in this folder.
pub fn extension_folder(folder: &Path) -> PathBuf {
    let (real, _, extensions) = places();
    folder.join("tree").join(extensions.strip_prefix(real).unwrap())
}

/// Puts the scripts of the extension in the copy back as they are installed, and takes all others away.
pub fn reset_scripts(folder: &Path) {
    let (copy, (_, _, real)) = (extension_folder(folder), places());
    let is_ours = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"pg_session_jwt"))
    };
    let ours = |folder: &Path| {
        fs::read_dir(folder)
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

/// The folder that everything is below, the program, and the extension folder.
fn places() -> (PathBuf, PathBuf, PathBuf) {
    let [bin, share, library] = ["--bindir", "--sharedir", "--pkglibdir"].map(|what| {
        let folder = pg_config(what);
        fs::canonicalize(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    });
    let above_all = |folder: &&Path| share.starts_with(folder) && library.starts_with(folder);
    let real = bin.ancestors().find(above_all).unwrap().to_owned();
    (real, bin.join("postgres"), share.join("extension"))
}

/// Copies the ways to `own` and what is there, and links everything beside them.
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
