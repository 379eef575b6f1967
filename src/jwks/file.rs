//! `jwks_file`: a key set in a file of the server, which is read again when it changes.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::rc::Rc;

use pgrx::prelude::*;

use super::Condition;
use crate::clock;
use crate::error::in_words;
use crate::token::claims::NumericDate;
use crate::token::key_set::Member;
use crate::token::keys::MAX_KEY_SET_BYTES;
use crate::token::{Error, KeySet};

/// What tells one content of a file from another without reading it: device, inode, size, change time.
type Stamp = (u64, u64, u64, i64, i64);

pub struct KeyFile {
    path: String,
    stamp: Option<Stamp>,
    set: Result<Rc<KeySet>, Unusable>,
    read_at: Option<NumericDate>,
}

/// What an administrator is told, and the members of the set where it could be read.
struct Unusable {
    reason: String,
    members: Vec<Member>,
}

impl From<String> for Unusable {
    fn from(reason: String) -> Self {
        let members = Vec::new();
        Unusable { reason, members }
    }
}

impl KeyFile {
    /// A file that was not looked at yet.
    pub fn new(path: &str) -> Self {
        KeyFile {
            path: path.to_owned(),
            stamp: None,
            set: Err("it was not read yet".to_owned().into()),
            read_at: None,
        }
    }

    /// The keys, as they were when the file was last looked at.
    pub fn keys(&self) -> Result<Rc<KeySet>, Error> {
        match &self.set {
            Ok(set) => Ok(Rc::clone(set)),
            Err(_) => Err(Error::NoKeys),
        }
    }

    pub fn condition(&self) -> Condition {
        let (members, error) = match &self.set {
            Ok(set) => (set.members.clone(), None),
            Err(unusable) => (unusable.members.clone(), Some(unusable.reason.clone())),
        };
        Condition {
            members,
            error,
            fetched_at: self.read_at,
            next_at: None,
        }
    }

    /// Reads the file if it has changed; true if its keys may have. A file that cannot be read has no keys: what was
    /// in it before is not kept, because taking it away is how an administrator takes keys back.
    pub fn refresh(&mut self) -> bool {
        let stamp = self.look();
        if stamp.is_some() && stamp == self.stamp {
            return false;
        }
        let had_keys = self.set.is_ok();
        self.set = self.read();
        self.read_at = Some(clock::now());
        if let Err(unusable) = &self.set {
            // The path and the reason are the administrator's business: they go to the log, not to who asks.
            log!(
                "pg_session_jwt: the key set in \"{}\" cannot be used: {}",
                self.path,
                unusable.reason
            );
        }
        // A file that could not be read is looked at again; one that could is as its stamp says.
        self.stamp = stamp.filter(|_| self.set.is_ok());
        had_keys || self.set.is_ok()
    }

    fn look(&self) -> Option<Stamp> {
        let file = fs::metadata(&self.path).ok()?;
        // Opening a pipe would wait for somebody to write to it.
        file.is_file()
            .then(|| (file.dev(), file.ino(), file.len(), file.ctime(), file.ctime_nsec()))
    }

    fn read(&self) -> Result<Rc<KeySet>, Unusable> {
        if self.look().is_none() {
            return Err("it is not there, or not a regular file".to_owned().into());
        }
        let limit = u64::try_from(MAX_KEY_SET_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        let mut text = String::new();
        let read = File::open(&self.path).and_then(|file| file.take(limit).read_to_string(&mut text));
        read.map_err(|error| error.to_string())?;
        KeySet::from_jwks(&text).map(Rc::new).map_err(|error| Unusable {
            reason: in_words(&error),
            members: match error {
                Error::NoUsableKey { members } => members,
                _ => Vec::new(),
            },
        })
    }
}
