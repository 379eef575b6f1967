//! `jwks_url` or a discovery, as a session sees it: the key set that the worker has stored, read again when it changes.

use std::rc::Rc;

use verified_table::{Digest, digest};

use crate::jwks::shared_table::{self, Requested};
use crate::jwks::store;
use crate::keys::complaint;
use crate::keys::condition::{Condition, Unusable};
use crate::keys::wait_for_fetch::{Answer, Awaited};
use crate::token::refetch::Remedy;
use crate::token::{Error, KeySet, NumericDate, fetched_keys};

/// A key set at a URL, or one that a discovery finds.
pub struct KeyUrl {
    /// The URL, or the name of the discovery.
    url: String,
    /// The URL that the discovery has found.
    discovered: Option<String>,
    /// The revision of the entry in shared memory when the set was read; 0 where there was none.
    revision: u64,
    /// The digest of the text that was last read.
    content: Option<Digest>,
    set: Result<Rc<KeySet>, Unusable>,
}

impl KeyUrl {
    /// A URL whose key set has not been read yet.
    pub fn new(url: &str) -> Self {
        KeyUrl {
            url: url.to_owned(),
            discovered: None,
            revision: 0,
            content: None,
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

    /// The digest of the text that the keys were read from; None without keys.
    pub fn digest(&self) -> Option<Digest> {
        self.content.filter(|_| self.set.is_ok())
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
            discovered_url: self.discovered.clone(),
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
    fn read(&mut self, revision: u64) -> Result<Result<Rc<KeySet>, Unusable>, String> {
        if revision == 0 {
            return Ok(Err(Unusable::new("it has not been fetched yet")));
        }
        let (text, _) = store::read(&self.url).map_err(|error| error.to_string())?;
        self.content = Some(digest(text.as_bytes()));
        self.discovered = fetched_keys::discovered_url(&self.url, &text);
        match fetched_keys::read(&self.url, &text) {
            Ok(set) => Ok(Ok(Rc::new(set))),
            Err(error) if fetched_keys::is_withdrawal(&error) => Ok(Err(error.into())),
            Err(error) => Err(error.line()),
        }
    }

    /// Requests what may change the rejection of a token. Without a set that is the first fetch. A set whose keys do not fit
    /// may be outdated, and is fetched again.
    pub fn request(&self, remedy: Remedy) -> Answer {
        match (self.revision, remedy) {
            (_, Remedy::None) => Answer::Nothing,
            (0, _) => self.request_first(),
            (_, Remedy::FirstFetch) => Answer::Nothing,
            (_, Remedy::Refetch) => match shared_table::request_fetch(&self.url) {
                Some(Requested::Number(number)) => Answer::Wait(Awaited::Request(number)),
                Some(Requested::NotBefore(next)) => Answer::NotBefore(next),
                None => Answer::Nothing,
            },
        }
    }

    /// Requests the first fetch.
    pub fn request_first(&self) -> Answer {
        self.need();
        match shared_table::find(&self.url) {
            None => Answer::Nothing,
            // It failed before, so the session does not wait. It need not wait for the worker's schedule either.
            Some(entry) if entry.revision == 0 && entry.fetches > 0 => match shared_table::request_fetch(&self.url) {
                Some(Requested::NotBefore(next)) => Answer::NotBefore(next),
                _ => Answer::Nothing,
            },
            Some(_) => Answer::Wait(Awaited::First),
        }
    }

    /// Whether the requested fetch was attempted.
    pub fn is_done(&self, awaited: &Awaited) -> bool {
        awaited.is_done(&self.url)
    }
}
