//! Files of the server, opened so that a pipe or device at their path cannot block the process. This is plain Rust, because
//! a thread of the worker, which must not call PostgreSQL, reads files too.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Opens a regular file for reading. Content, times and kind must be read from the handle, because the path may name
/// another file by then.
///
/// # Errors
/// There is no file, or not a regular one.
pub fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let regular = |metadata: Metadata| match metadata.is_file() {
        true => Ok(metadata),
        false => Err(io::Error::other("it is not a regular file")),
    };
    // A device may act on being opened.
    regular(fs::metadata(path)?)?;
    // A pipe that has replaced the file meanwhile would make its reader wait for a writer.
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let metadata = regular(file.metadata()?)?;
    Ok((file, metadata))
}

/// The first bytes of an open file, at most `limit`.
///
/// # Errors
/// It cannot be read.
pub fn read(file: &File, limit: usize) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(u64::try_from(limit).unwrap_or(u64::MAX))
        .read_to_end(&mut content)?;
    Ok(content)
}

/// Like [`read`], for a text.
///
/// # Errors
/// It cannot be read, or is not UTF-8.
pub fn read_text(file: &File, limit: usize) -> io::Result<String> {
    String::from_utf8(read(file, limit)?).map_err(|_| io::Error::other("it is not UTF-8"))
}
