//! `jwks_file`: a key set in a file of the server, which is read again when it changes.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use verified_table::{Digest, digest};

use crate::jwks::regular_file;
use crate::keys::complaint;
use crate::keys::condition::{Condition, Unusable};
use crate::pg::clock;
use crate::token::NumericDate;
use crate::token::limits::MAX_KEY_SET_BYTES;
use crate::token::{Error, KeySet};

/// The age in seconds at which the time of a change certainly differs from the time of the next one. The clock of a file
/// system ticks a hundred times a second, or once in one or two seconds.
const TICK: u32 = 2;

/// Distinguishes one content of a file from another without reading it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    changed_at: (i64, i64),
}

impl Stamp {
    fn new(file: &Metadata) -> Self {
        Stamp {
            device: file.dev(),
            inode: file.ino(),
            size: file.len(),
            changed_at: (file.ctime(), file.ctime_nsec()),
        }
    }

    /// Whether the content that was read at this time is the only one with this stamp.
    fn is_certain(&self, read_at: NumericDate) -> bool {
        let (seconds, nanos) = self.changed_at;
        let changed_at = seconds.saturating_mul(1_000_000).saturating_add(nanos / 1000);
        NumericDate::from_micros(changed_at).plus_seconds(TICK) < read_at
    }
}

/// A key set in a file.
pub struct KeyFile {
    path: PathBuf,
    /// The stamp of the content that was last read, where it is certain.
    stamp: Option<Stamp>,
    /// The hash of that content.
    content: Option<Digest>,
    set: Result<Rc<KeySet>, Unusable>,
    read_at: Option<NumericDate>,
}

impl KeyFile {
    /// A file that has not been read yet.
    pub fn new(path: &str) -> Self {
        KeyFile {
            path: path.into(),
            stamp: None,
            content: None,
            set: Err(Unusable::new("it has not been read yet")),
            read_at: None,
        }
    }

    /// The keys, as of the last [`refresh`](Self::refresh).
    ///
    /// # Errors
    /// [`Error::NoKeys`]
    pub fn keys(&self) -> Result<Rc<KeySet>, Error> {
        self.set.as_ref().map(Rc::clone).map_err(|_| Error::NoKeys)
    }

    /// The digest of the text that the keys were read from; None without keys.
    pub fn digest(&self) -> Option<Digest> {
        self.content.filter(|_| self.set.is_ok())
    }

    /// The condition of the keys, for an administrator.
    pub fn condition(&self) -> Condition {
        let (members, error) = match &self.set {
            Ok(set) => (set.members.clone(), None),
            Err(unusable) => (unusable.members.clone(), Some(unusable.reason.clone())),
        };
        Condition {
            members,
            discovered_url: None,
            error,
            fetched_at: self.read_at,
            next_at: None,
        }
    }

    /// Reads the file if it has changed; true if its keys may have changed. A file that cannot be read has no keys, not even
    /// the former ones: an administrator withdraws keys by removing the file.
    pub fn refresh(&mut self) -> bool {
        let stamp = stamp_now(&self.path);
        if stamp.is_some() && stamp == self.stamp {
            return false;
        }
        let had_keys = self.set.is_ok();
        // Taken before the file is opened: a later change has a later time, or the file will be read again.
        let read_at = clock::now();
        self.read_at = Some(read_at);
        let content = match read(&self.path) {
            Ok((stamp, text)) => {
                self.stamp = Some(stamp).filter(|stamp| stamp.is_certain(read_at));
                Ok(text)
            }
            Err(error) => {
                self.stamp = None;
                Err(error)
            }
        };
        let hash = content.as_ref().ok().map(|text| digest(text.as_bytes()));
        let is_the_same = hash.is_some() && hash == self.content;
        self.content = hash;
        if !is_the_same {
            self.set = match content {
                Ok(text) => KeySet::from_jwks(&text).map(Rc::new).map_err(Unusable::from),
                Err(_) if stamp.is_none() => Err(Unusable::new("it is not there, or not a regular file")),
                Err(error) => Err(Unusable::new(&error.to_string())),
            };
        }
        let what = format!("the key set in \"{}\"", self.path.display());
        match &self.set {
            Ok(_) => complaint::withdraw(&what),
            Err(unusable) => complaint::log(&what, &unusable.reason),
        }
        !is_the_same && (had_keys || self.set.is_ok())
    }
}

/// The current stamp, if there is a regular file.
fn stamp_now(path: &Path) -> Option<Stamp> {
    let file = fs::metadata(path).ok()?;
    file.is_file().then(|| Stamp::new(&file))
}

/// The content, and the stamp that it had before it was read.
fn read(path: &Path) -> io::Result<(Stamp, String)> {
    let (file, metadata) = regular_file::open(path)?;
    // One more byte than is accepted: the parser of key sets rejects what is too long.
    let text = regular_file::read_text(&file, MAX_KEY_SET_BYTES + 1)?;
    Ok((Stamp::new(&metadata), text))
}
