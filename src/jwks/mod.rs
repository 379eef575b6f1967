//! Where the keys of a provider come from, and which they are now.
//!
//! | module | what it owns |
//! |---|---|
//! | [`file`] | `jwks_file`: read again when it changes |
//! | [`url`] | `jwks_url`, as a session sees it: what the worker has fetched, and waiting for it |
//! | [`shared`], [`entry`] | what sessions and the worker tell each other, in shared memory |
//! | [`stored`] | the fetched sets, on disk: too large for shared memory, and still there after a restart |
//! | [`regular_file`] | opening both kinds of files, whatever somebody has put in their place |
//! | [`complaint`] | what the log is told of keys that cannot be had |

mod complaint;
mod entry;
mod file;
pub mod regular_file;
pub mod shared;
pub mod stored;
mod url;

use std::cell::RefCell;
use std::rc::Rc;

pub use file::KeyFile;
pub use url::{Awaited, KeyUrl, wait_until};

use crate::error::in_words;
use crate::token::claims::NumericDate;
use crate::token::key_set::Member;
use crate::token::provider::KeySource;
use crate::token::{Error, KeySet};

/// What an administrator wants to know of the keys of a provider.
pub struct Condition {
    pub members: Vec<Member>,
    /// When they last came, and will be fetched next.
    pub fetched_at: Option<NumericDate>,
    pub next_at: Option<NumericDate>,
    /// Why they could not be had when this was last tried.
    pub error: Option<String>,
}

/// Why there are no keys, for an administrator, and the members of the set where it could be read.
struct Unusable {
    reason: String,
    members: Vec<Member>,
}

impl Unusable {
    fn new(reason: &str) -> Self {
        Unusable {
            reason: reason.to_owned(),
            members: Vec::new(),
        }
    }
}

impl From<Error> for Unusable {
    fn from(error: Error) -> Self {
        Unusable {
            reason: in_words(&error),
            members: match error {
                Error::NoUsableKey { members } => members,
                _ => Vec::new(),
            },
        }
    }
}

/// The keys of one provider.
pub enum Keys {
    Inline(Rc<KeySet>),
    File(RefCell<KeyFile>),
    Url(RefCell<KeyUrl>),
}

impl Keys {
    pub fn new(source: &KeySource) -> Self {
        match source {
            KeySource::Inline(set) => Keys::Inline(Rc::clone(set)),
            KeySource::File(path) => Keys::File(RefCell::new(KeyFile::new(path))),
            KeySource::Url(url) => Keys::Url(RefCell::new(KeyUrl::new(url))),
        }
    }

    /// The keys, as they were when they were last looked at.
    ///
    /// # Errors
    /// [`Error::NoKeys`]
    pub fn set(&self) -> Result<Rc<KeySet>, Error> {
        match self {
            Keys::Inline(set) => Ok(Rc::clone(set)),
            Keys::File(file) => file.borrow().keys(),
            Keys::Url(url) => url.borrow().keys(),
        }
    }

    pub fn condition(&self) -> Condition {
        match self {
            Keys::Inline(set) => Condition {
                members: set.members.clone(),
                fetched_at: None,
                next_at: None,
                error: None,
            },
            Keys::File(file) => file.borrow().condition(),
            Keys::Url(url) => url.borrow().condition(),
        }
    }
}
