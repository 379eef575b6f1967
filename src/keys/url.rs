//! `jwks_url`, as a session sees it: the key set that the worker has stored, read again when it changes.

use std::rc::Rc;

use crate::jwks::{shared_table, store};
use crate::keys::complaint;
use crate::keys::condition::{Condition, Unusable};
use crate::keys::wait_for_fetch::Awaited;
use crate::token::NumericDate;
use crate::token::{Error, KeySet};

/// A key set at a URL.
pub struct KeyUrl {
    url: String,
    /// The revision of the entry in shared memory when the set was read; 0 where there was none.
    revision: u64,
    set: Result<Rc<KeySet>, Unusable>,
}

impl KeyUrl {
    /// A URL whose key set has not been read yet.
    pub fn new(url: &str) -> Self {
        KeyUrl {
            url: url.to_owned(),
            revision: 0,
            set: Err(Unusable::new("it has not been fetched yet")),
        }
    }

    /// The keys, as of the last [`refresh`](Self::refresh).
    ///
    /// # Errors
    /// [`Error::NoKeys`]
    pub fn keys(&self) -> Result<Rc<KeySet>, Error> {
        self.set.as_ref().map(Rc::clone).map_err(|_| Error::NoKeys)
    }

    /// The condition of the keys, for an administrator.
    pub fn condition(&self) -> Condition {
        let entry = shared_table::find(&self.url);
        let time = |pick: fn(&shared_table::Entry) -> i64| {
            let micros = entry.as_ref().map_or(0, pick);
            (micros != 0).then(|| NumericDate::from_micros(micros))
        };
        let error = match &entry {
            None => Some(format!("no more than {} URLs can be in use", shared_table::MAX_URLS)),
            Some(entry) if !entry.error().is_empty() => Some(entry.error().to_owned()),
            Some(_) if !shared_table::has_worker() => Some(
                "the background worker that fetches it is not running; see max_worker_processes and the server's log"
                    .to_owned(),
            ),
            Some(entry) => match &self.set {
                Err(unusable) if entry.revision > 0 => Some(unusable.reason.clone()),
                _ => (entry.fetches == 0).then(|| "it has not been fetched yet".to_owned()),
            },
        };
        let members = match &self.set {
            Ok(set) => &set.members,
            Err(unusable) => &unusable.members,
        };
        Condition {
            members: members.clone(),
            fetched_at: time(|entry| entry.fetched_at),
            next_at: time(|entry| entry.next_at),
            error,
        }
    }

    /// Has the worker continue to fetch the key set.
    pub fn need(&self) {
        shared_table::need(&self.url);
    }

    /// Reads the key set again if there is a new one; true if the keys may have changed.
    pub fn refresh(&mut self) -> bool {
        let revision = shared_table::find(&self.url).map_or(0, |entry| entry.revision);
        if revision == self.revision {
            return false;
        }
        let had_keys = self.set.is_ok();
        let subject = format!("the stored key set of \"{}\"", self.url);
        (self.set, self.revision) = match self.read(revision) {
            Ok(set) => {
                complaint::withdraw(&subject);
                (set, revision)
            }
            Err(reason) => {
                complaint::log(&subject, &reason);
                // It is read again for the next token that needs it.
                (
                    Err(Unusable::new(&format!("the stored key set cannot be used: {reason}"))),
                    0,
                )
            }
        };
        had_keys || self.set.is_ok()
    }

    /// The set of this revision. It may be one without a usable key, with which the provider has withdrawn the former keys.
    ///
    /// # Errors
    /// The reason why it cannot be read.
    fn read(&self, revision: u64) -> Result<Result<Rc<KeySet>, Unusable>, String> {
        if revision == 0 {
            return Ok(Err(Unusable::new("it has not been fetched yet")));
        }
        let (set, _) = store::read(&self.url).map_err(|error| error.to_string())?;
        match KeySet::from_public_jwks(&set) {
            Ok(set) => Ok(Ok(Rc::new(set))),
            Err(error @ Error::NoUsableKey { .. }) => Ok(Err(error.into())),
            Err(error) => Err(error.line()),
        }
    }

    /// Requests a fetch that may change this rejection of a token. Without a set that is the first fetch; with a set that
    /// lacks the token's key it is another one. None where there is nothing to wait for.
    pub fn request_after(&self, rejection: &Error) -> Option<Awaited> {
        let names_another_key = matches!(rejection, Error::UnknownKeyId { .. } | Error::NoKeys);
        match self.revision {
            0 => self.request_first(),
            _ if names_another_key => self.request_again(),
            _ => None,
        }
    }

    /// Requests the first fetch; None where there is nothing to wait for.
    pub fn request_first(&self) -> Option<Awaited> {
        self.need();
        let entry = shared_table::find(&self.url)?;
        if entry.revision == 0 && entry.fetches > 0 {
            // It failed before, so the session does not wait. It need not wait for the worker's schedule either.
            shared_table::request_fetch(&self.url);
            return None;
        }
        Some(Awaited::First)
    }

    /// Requests another fetch; None where there was one a moment ago.
    fn request_again(&self) -> Option<Awaited> {
        shared_table::request_fetch(&self.url).map(Awaited::Request)
    }

    /// Whether the requested fetch was attempted.
    pub fn is_done(&self, awaited: &Awaited) -> bool {
        awaited.is_done(&self.url)
    }
}
