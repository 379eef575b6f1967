//! `jwks_url`, as a session sees it: the key set that the worker has stored, read again when there is another one.

use std::rc::Rc;
use std::time::{Duration, Instant};

use pgrx::prelude::*;

use crate::jwks::{store, table};
use crate::keys::complaint;
use crate::keys::condition::{Condition, Unusable};
use crate::token::NumericDate;
use crate::token::{Error, KeySet};

/// How long a session waits for a fetch at most: as long as one try of the worker can take.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// How long it waits for a worker that is not there: that long one may take to be started, or started again.
const WORKER_STARTS: Duration = Duration::from_millis(1500);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

pub struct KeyUrl {
    url: String,
    /// Of the entry in shared memory, when the set was read; 0 where there was none.
    generation: u64,
    set: Result<Rc<KeySet>, Unusable>,
}

impl KeyUrl {
    /// A URL that was not looked at yet.
    pub fn new(url: &str) -> Self {
        KeyUrl {
            url: url.to_owned(),
            generation: 0,
            set: Err(Unusable::new("it was not fetched yet")),
        }
    }

    /// The keys, as they were when shared memory was last looked at.
    pub fn keys(&self) -> Result<Rc<KeySet>, Error> {
        self.set.as_ref().map(Rc::clone).map_err(|_| Error::NoKeys)
    }

    pub fn condition(&self) -> Condition {
        let entry = table::look(&self.url);
        let time = |pick: fn(&table::Entry) -> i64| {
            let micros = entry.as_ref().map_or(0, pick);
            (micros != 0).then(|| NumericDate::from_micros(micros))
        };
        let error = match &entry {
            None => Some(format!("no more than {} URLs can be in use", table::MAX_URLS)),
            Some(entry) if !entry.error().is_empty() => Some(entry.error().to_owned()),
            Some(_) if !table::has_worker() => Some(
                "the background worker that fetches it does not run; see max_worker_processes and the server's log"
                    .to_owned(),
            ),
            Some(entry) => match &self.set {
                Err(unusable) if entry.generation > 0 => Some(unusable.reason.clone()),
                _ => (entry.fetches == 0).then(|| "it was not fetched yet".to_owned()),
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

    /// Keeps the worker fetching.
    pub fn need(&self) {
        table::need(&self.url);
    }

    /// Reads the key set again if there is another one; true if the keys may have changed.
    pub fn refresh(&mut self) -> bool {
        let generation = table::look(&self.url).map_or(0, |entry| entry.generation);
        if generation == self.generation {
            return false;
        }
        let had_keys = self.set.is_ok();
        let what = format!("the stored key set of \"{}\"", self.url);
        (self.set, self.generation) = match self.read(generation) {
            Ok(set) => {
                complaint::withdraw(&what);
                (set, generation)
            }
            Err(reason) => {
                complaint::tell(&what, &reason);
                // It is read again for the next token that asks for it.
                (
                    Err(Unusable::new(&format!("the stored key set cannot be used: {reason}"))),
                    0,
                )
            }
        };
        had_keys || self.set.is_ok()
    }

    /// The set of this generation, which may be one without a usable key: with it the provider has taken back those
    /// before. Or why it cannot be read.
    fn read(&self, generation: u64) -> Result<Result<Rc<KeySet>, Unusable>, String> {
        if generation == 0 {
            return Ok(Err(Unusable::new("it was not fetched yet")));
        }
        let (set, _) = store::read(&self.url).map_err(|error| error.to_string())?;
        match KeySet::from_public_jwks(&set) {
            Ok(set) => Ok(Ok(Rc::new(set))),
            Err(error @ Error::NoUsableKey { .. }) => Ok(Err(error.into())),
            Err(error) => Err(error.line()),
        }
    }

    /// Asks for what may make this refusal of a token another one: for the first fetch where there is no set yet, and for
    /// another one where the set has not the key that the token names. None where there is nothing to wait for.
    pub fn ask_after(&self, refusal: &Error) -> Option<Awaited> {
        let names_another_key = matches!(refusal, Error::UnknownKeyId { .. } | Error::NoKeys);
        match self.generation {
            0 => self.ask_first(),
            _ if names_another_key => self.ask_again(),
            _ => None,
        }
    }

    /// Asks for the first fetch; None where there is nothing to wait for.
    pub fn ask_first(&self) -> Option<Awaited> {
        self.need();
        let entry = table::look(&self.url)?;
        if entry.generation == 0 && entry.fetches > 0 {
            // It failed before, so nobody waits for it; but it need not go by the worker's own schedule either.
            table::ask_again(&self.url);
            return None;
        }
        Some(Awaited::First)
    }

    /// Asks for another fetch; None where that was done just now.
    fn ask_again(&self) -> Option<Awaited> {
        table::ask_again(&self.url).map(Awaited::Request)
    }

    /// Whether what was asked for has been tried.
    pub fn has_come(&self, awaited: &Awaited) -> bool {
        table::look(&self.url).is_none_or(|entry| match awaited {
            Awaited::First => entry.generation > 0 || entry.fetches > 0,
            Awaited::Request(number) => entry.served >= *number,
        })
    }
}

/// What a session waits for.
pub enum Awaited {
    /// The first fetch of a URL.
    First,
    /// The fetch with this number, see [`table::ask_again`].
    Request(u64),
}

/// Waits until it is done, for a limited time.
pub fn wait_until(done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        let limit = if table::has_worker() { MAX_WAIT } else { WORKER_STARTS };
        if started.elapsed() >= limit {
            return;
        }
        sleep();
    }
}

/// Sleeps a little, as a statement that can be cancelled.
fn sleep() {
    let events = pg_sys::WL_LATCH_SET | pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH;
    // SAFETY: reads a global of this process.
    let latch = unsafe { pg_sys::MyLatch };
    // SAFETY: this process's own latch.
    unsafe {
        pg_sys::WaitLatch(
            latch,
            events as i32,
            BETWEEN_LOOKS.as_millis() as i64,
            pg_sys::PG_WAIT_EXTENSION,
        )
    };
    // SAFETY: as above; whoever else waits on it looks at what they wait for before they sleep.
    unsafe { pg_sys::ResetLatch(latch) };
    pgrx::check_for_interrupts!();
}
