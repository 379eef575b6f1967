//! One URL: when it is due, and what came.

use std::io;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pgrx::prelude::*;

use crate::guc::values;
use crate::jwks::{store, table};
use crate::pg::clock;
use crate::token::key_problem::reasons;
use crate::token::{Error, KeySet};
use crate::worker::fetch::{Fetched, fetch};
use crate::worker::thread;

/// After a failure, doubled with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(10);
const LAST_RETRY: Duration = Duration::from_secs(300);

pub struct Job {
    url: String,
    /// The set that sessions have.
    current: Option<String>,
    due: Instant,
    failures: u32,
    running: Option<Running>,
    /// Settings were read again while it was running.
    is_outdated: bool,
}

/// A key set that came.
struct Came {
    at: i64,
    is_new: bool,
    max_age: Duration,
}

struct Running {
    thread: JoinHandle<Result<Fetched, String>>,
    /// What sessions had asked for when it began.
    requests: u64,
}

impl Job {
    /// A URL that is due at once. Until its provider answers, what is stored of it counts.
    pub fn new(url: &str) -> Self {
        let mut job = Job {
            url: url.to_owned(),
            current: None,
            due: Instant::now(),
            failures: 0,
            running: None,
            is_outdated: false,
        };
        match store::read(url) {
            Ok((set, came)) if is_set(&KeySet::from_public_jwks(&set)) => {
                let came = came.duration_since(UNIX_EPOCH).unwrap_or_default();
                table::set_stored(url, i64::try_from(came.as_micros()).unwrap_or(i64::MAX));
                job.current = Some(set);
            }
            Ok(_) => log!("pg_session_jwt: the stored key set of \"{url}\" cannot be used"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => log!("pg_session_jwt: the stored key set of \"{url}\" cannot be read: {error}"),
        }
        job
    }

    /// Whether it serves this entry. One that knows of a set of which the entry does not know served another one, that
    /// was forgotten.
    pub fn is_of(&self, entry: &table::Entry) -> bool {
        self.url == entry.url() && (self.current.is_none() || entry.generation != 0)
    }

    pub fn due(&self) -> Instant {
        self.due
    }

    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Makes it due if it failed last time, or fails now: that may be for a setting which is another one now.
    pub fn try_again(&mut self) {
        self.is_outdated = self.running.is_some();
        if self.failures > 0 {
            self.due = Instant::now();
        }
    }

    /// Takes what came, and begins what is due.
    pub fn go_on(&mut self, entry: &table::Entry) {
        let mut served = entry.served;
        if let Some(running) = self.running.take_if(|running| running.thread.is_finished()) {
            served = running.requests;
            self.end(running);
        }
        // Also what was asked for while the last fetch was running: nobody wakes the worker for it again.
        if self.running.is_none() && (self.due <= Instant::now() || entry.requests > served) {
            self.begin(entry.requests);
        }
    }

    fn begin(&mut self, requests: u64) {
        let (url, ca_file) = (self.url.clone(), values::ca_file());
        match thread::spawn(move || fetch(&url, ca_file)) {
            Ok(thread) => self.running = Some(Running { thread, requests }),
            Err(error) => self.settle(Err(error.to_string()), requests),
        }
    }

    fn end(&mut self, running: Running) {
        let fetched = running
            .thread
            .join()
            .unwrap_or_else(|_| Err("the fetch broke off".to_owned()));
        let outcome = fetched.and_then(|fetched| self.take(fetched));
        self.settle(outcome, running.requests);
    }

    /// Stores a set that came. One without a usable key counts, too: to publish it is how a provider takes keys back.
    fn take(&mut self, fetched: Fetched) -> Result<Came, String> {
        let Fetched { text, max_age } = fetched;
        let set = KeySet::from_public_jwks(&text);
        let at = clock::now().micros();
        let is_known = self.current.as_ref() == Some(&text) && store::touch(&self.url, &text, SystemTime::now());
        if let Err(error) = &set
            && !is_set(&set)
        {
            return Err(error.line());
        }
        // Also if somebody has deleted the stored set, or put another one in its place.
        if !is_known {
            let stored = store::write(&self.url, &text).or_else(|error| match &set {
                Ok(_) => Err(error),
                // What takes the old keys back needs no room for new ones.
                Err(_) => store::delete(&self.url),
            });
            stored.map_err(|error| format!("it cannot be stored in the data directory: {error}"))?;
            self.tell_of(&set);
            self.current = Some(text);
        }
        Ok(Came {
            at,
            is_new: !is_known,
            max_age,
        })
    }

    fn tell_of(&self, set: &Result<KeySet, Error>) {
        let url = &self.url;
        match set {
            Ok(set) => {
                let (all, unusable) = (set.members.len(), set.skipped().len());
                log!("pg_session_jwt: new key set from \"{url}\": {all} keys, {unusable} of them unusable");
            }
            Err(Error::NoUsableKey { members }) => warning!(
                "pg_session_jwt: the key set from \"{url}\" has no usable key, its tokens are refused: {}",
                reasons(members)
            ),
            Err(_) => {}
        }
    }

    /// Says how it ended, and when it is due again.
    fn settle(&mut self, outcome: Result<Came, String>, requests: u64) {
        let (pause, came, error) = match outcome {
            Ok(came) => {
                if self.failures > 0 {
                    log!("pg_session_jwt: the key set of \"{}\" can be fetched again", self.url);
                }
                self.failures = 0;
                (came.max_age, Some(came), String::new())
            }
            Err(error) => {
                if self.failures == 0 {
                    warning!(
                        "pg_session_jwt: the key set of \"{}\" cannot be fetched: {error}",
                        self.url
                    );
                }
                let factor = 1_u32 << self.failures.min(5);
                self.failures = self.failures.saturating_add(1);
                let pause = if self.is_outdated {
                    Duration::ZERO
                } else {
                    FIRST_RETRY.saturating_mul(factor).min(LAST_RETRY)
                };
                (pause, None, error)
            }
        };
        self.is_outdated = false;
        self.due = Instant::now() + pause;
        let pause = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
        let ended = table::Ended {
            requests,
            came: came.as_ref().map(|came| came.at),
            is_new: came.is_some_and(|came| came.is_new),
            error: &error,
            next_at: clock::now().micros().saturating_add(pause),
        };
        table::set_ended(&self.url, &ended);
    }
}

/// Whether a text turned out to be a key set, with or without a key that can be used.
fn is_set(read: &Result<KeySet, Error>) -> bool {
    matches!(read, Ok(_) | Err(Error::NoUsableKey { .. }))
}
