//! The fetched key sets, each in a file of the data directory. Sessions read them there, and the last valid set is still
//! available when the server restarts while the provider is down.
//!
//! ```text
//! $PGDATA/pg_session_jwt/SHA-256 of the URL:  the URL, a line break, the key set as received
//! ```
//!
//! For a discovery its name is in the place of the URL, and the facts of the document are on a line before the set.
//!
//! Only the worker writes. Paths are relative: every process of a server works in its data directory.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};

use crate::jwks::regular_file;
use crate::token::discovery::MAX_NAME_BYTES;
use crate::token::fetched_keys::MAX_FETCHED_BYTES;

const DIRECTORY: &str = "pg_session_jwt";
/// The name of a file while it is written.
const UNFINISHED: &str = "unfinished";

/// The name of a URL's file.
fn name(url: &str) -> String {
    let hash = digest(&SHA256, url.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The path of a URL's file.
fn path(url: &str) -> PathBuf {
    Path::new(DIRECTORY).join(name(url))
}

/// The key set of a URL, and when it was last received.
///
/// # Errors
/// There is none, or the file was not stored for this URL.
pub fn read(url: &str) -> io::Result<(String, SystemTime)> {
    let (set, file) = open(url)?;
    Ok((set, file.metadata()?.modified()?))
}

/// The key set of a URL, and its file.
fn open(url: &str) -> io::Result<(String, File)> {
    let (file, _) = regular_file::open(&path(url))?;
    let text = regular_file::read_text(&file, MAX_NAME_BYTES + 1 + MAX_FETCHED_BYTES)?;
    match text.split_once('\n') {
        Some((of, set)) if of == url => Ok((set.to_owned(), file)),
        _ => Err(io::Error::other("it belongs to another URL")),
    }
}

/// Deletes the key set of a URL, if there is one.
///
/// # Errors
/// It could not be deleted.
pub fn delete(url: &str) -> io::Result<()> {
    delete_file(&path(url))
}

/// Deletes a file, if there is one.
fn delete_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Stores a key set completely or not at all.
///
/// # Errors
/// It could not be stored.
pub fn write(url: &str, set: &str) -> io::Result<()> {
    if let Err(error) = fs::create_dir(DIRECTORY)
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(error);
    }
    let unfinished = Path::new(DIRECTORY).join(UNFINISHED);
    // A remainder of an earlier worker, or a file from elsewhere.
    delete_file(&unfinished)?;
    let mut file = File::create_new(&unfinished)?;
    write!(file, "{url}\n{set}")?;
    file.sync_all()?;
    fs::rename(&unfinished, path(url))?;
    File::open(DIRECTORY)?.sync_all()
}

/// Notes that the stored key set was received again. False where the stored set is another one and must be replaced.
pub fn touch(url: &str, set: &str, received_at: SystemTime) -> bool {
    // By the handle of the file that was read: an older set that was moved to its path meanwhile must not become recent.
    open(url).is_ok_and(|(stored, file)| stored == set && file.set_modified(received_at).is_ok())
}

/// Deletes the key sets of all other URLs.
///
/// # Errors
/// They could not be deleted.
pub fn retain_only<'a>(urls: impl Iterator<Item = &'a str>) -> io::Result<()> {
    let retained: Vec<String> = urls.map(name).collect();
    let directory = match fs::read_dir(DIRECTORY) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        directory => directory?,
    };
    for file in directory {
        let file = file?;
        if !retained.iter().any(|name| file.file_name() == **name) {
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}
