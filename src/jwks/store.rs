//! The fetched key sets, each in a file of the data directory: sessions read them from there, and the last good one is
//! still there when the server starts again while the provider is down.
//!
//! ```text
//! $PGDATA/pg_session_jwt/SHA-256 of the URL:  the URL, a line break, the key set as it came
//! ```
//!
//! The worker alone writes. Paths are relative: every process of a server works in its data directory.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};

use crate::jwks::regular_file;
use crate::token::key_url::MAX_URL_BYTES;
use crate::token::limits::MAX_KEY_SET_BYTES;

const FOLDER: &str = "pg_session_jwt";
/// What a file is called while it is written.
const UNFINISHED: &str = "unfinished";

fn name(url: &str) -> String {
    let hash = digest(&SHA256, url.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn path(url: &str) -> PathBuf {
    Path::new(FOLDER).join(name(url))
}

/// The key set of a URL, and when it last came.
///
/// # Errors
/// There is none, or what is there was not stored for this URL.
pub fn read(url: &str) -> io::Result<(String, SystemTime)> {
    let (set, file) = open(url)?;
    Ok((set, file.metadata()?.modified()?))
}

/// The key set of a URL, and the file that it is in.
fn open(url: &str) -> io::Result<(String, File)> {
    let (file, _) = regular_file::open(&path(url))?;
    let text = regular_file::read_text(&file, MAX_URL_BYTES + 1 + MAX_KEY_SET_BYTES)?;
    match text.split_once('\n') {
        Some((of, set)) if of == url => Ok((set.to_owned(), file)),
        _ => Err(io::Error::other("it is not of this URL")),
    }
}

/// Deletes the key set of a URL, if there is one.
///
/// # Errors
/// It is still there.
pub fn delete(url: &str) -> io::Result<()> {
    delete_file(&path(url))
}

fn delete_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Stores a key set, wholly or not at all.
pub fn write(url: &str, set: &str) -> io::Result<()> {
    if let Err(error) = fs::create_dir(FOLDER)
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(error);
    }
    let unfinished = Path::new(FOLDER).join(UNFINISHED);
    // What an earlier worker has left, or somebody has put there.
    delete_file(&unfinished)?;
    let mut file = File::create_new(&unfinished)?;
    write!(file, "{url}\n{set}")?;
    file.sync_all()?;
    fs::rename(&unfinished, path(url))?;
    File::open(FOLDER)?.sync_all()
}

/// Notes that the same key set came again. False where that is not what is stored: then it is to be written.
pub fn touch(url: &str, set: &str, came: SystemTime) -> bool {
    // By the handle that it was read from: else an older set that somebody has put there would be taken for a new one.
    open(url).is_ok_and(|(stored, file)| stored == set && file.set_modified(came).is_ok())
}

/// Deletes the key sets of all other URLs.
pub fn keep_only<'a>(urls: impl Iterator<Item = &'a str>) -> io::Result<()> {
    let kept: Vec<String> = urls.map(name).collect();
    let folder = match fs::read_dir(FOLDER) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        folder => folder?,
    };
    for file in folder {
        let file = file?;
        if !kept.iter().any(|kept| file.file_name() == **kept) {
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}
