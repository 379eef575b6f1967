//! The keys of one provider: inline, in a file or at a URL.

use std::cell::RefCell;
use std::rc::Rc;

use verified_table::Digest;

use crate::keys::condition::Condition;
use crate::keys::file::KeyFile;
use crate::keys::url::KeyUrl;
use crate::token::provider::KeySource;
use crate::token::{Error, KeySet};

/// The keys of one provider.
pub enum Keys {
    Inline(Rc<KeySet>),
    File(RefCell<KeyFile>),
    Url(RefCell<KeyUrl>),
}

impl Keys {
    /// The keys of a source that has not been read yet.
    pub fn new(source: &KeySource) -> Self {
        match source {
            KeySource::Inline(set) => Keys::Inline(Rc::clone(set)),
            KeySource::File(path) => Keys::File(RefCell::new(KeyFile::new(path))),
            KeySource::Url(url) => Keys::Url(RefCell::new(KeyUrl::new(url))),
            KeySource::Discovery(discovery) => Keys::Url(RefCell::new(KeyUrl::new(&discovery.name()))),
        }
    }

    /// The keys, as of their last refresh.
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

    /// The digest of the text that the keys were read from. None where there are none, and for keys that are in the setting.
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Keys::Inline(_) => None,
            Keys::File(file) => file.borrow().digest(),
            Keys::Url(url) => url.borrow().digest(),
        }
    }

    /// The condition of the keys, for an administrator.
    pub fn condition(&self) -> Condition {
        match self {
            Keys::Inline(set) => Condition {
                members: set.members.clone(),
                discovered_url: None,
                fetched_at: None,
                next_at: None,
                error: None,
            },
            Keys::File(file) => file.borrow().condition(),
            Keys::Url(url) => url.borrow().condition(),
        }
    }
}
