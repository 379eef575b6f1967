//! One URL: when it is due, and the outcome of its fetches.

use std::io;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pgrx::prelude::*;

use crate::guc::values;
use crate::jwks::{shared_table, store};
use crate::pg::{clock, thread};
use crate::token::key_document::Document;
use crate::token::key_problem::reasons;
use crate::token::{Error, KeySet, fetched_keys};
use crate::worker::fetch::{Failed, Fetched};
use crate::worker::key_set;

/// The pause after a failure, doubled with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(10);
const LAST_RETRY: Duration = Duration::from_secs(300);
/// A request of sessions is due within this time.
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// The work for one URL.
pub struct Job {
    url: String,
    /// The set that sessions use.
    current: Option<String>,
    due: Instant,
    /// When a request of sessions is due that has not begun yet.
    requested: Option<Instant>,
    failures: u32,
    running: Option<Running>,
    /// Whether settings were read again while the fetch was running.
    is_outdated: bool,
}

/// A key set that was received.
struct Received {
    at: i64,
    is_new: bool,
    max_age: Duration,
}

/// A fetch in its thread.
struct Running {
    thread: JoinHandle<Result<Fetched, Failed>>,
    /// The requests of sessions when it began.
    requests: u64,
}

impl Job {
    /// A URL that is due at once. Until its provider responds, sessions use the stored set.
    pub fn new(url: &str) -> Self {
        let mut job = Job {
            url: url.to_owned(),
            current: None,
            due: Instant::now(),
            requested: None,
            failures: 0,
            running: None,
            is_outdated: false,
        };
        match store::read(url) {
            Ok((set, received)) if is_set(&fetched_keys::read(url, &set)) => {
                let received = received.duration_since(UNIX_EPOCH).unwrap_or_default();
                shared_table::announce_stored(url, i64::try_from(received.as_micros()).unwrap_or(i64::MAX));
                job.current = Some(set);
            }
            Ok(_) => log!("pg_session_jwt: the stored key set of \"{url}\" cannot be used"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => log!("pg_session_jwt: the stored key set of \"{url}\" cannot be read: {error}"),
        }
        job
    }

    /// Whether this job belongs to `entry`. A job that holds a key set unknown to the entry belonged to an earlier entry for
    /// the same URL.
    pub fn belongs_to(&self, entry: &shared_table::Entry) -> bool {
        self.url == entry.url() && (self.current.is_none() || entry.revision != 0)
    }

    /// When the next fetch is due.
    pub fn due(&self) -> Instant {
        self.requested.map_or(self.due, |requested| requested.min(self.due))
    }

    /// Whether a fetch is running.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Makes the job due if its last fetch failed, or if the running one fails. A setting may have caused that, and may have
    /// changed.
    pub fn retry(&mut self) {
        self.is_outdated = self.running.is_some();
        if self.failures > 0 {
            self.due = Instant::now();
        }
    }

    /// Finishes a fetch that has ended, and begins one that is due.
    pub fn step(&mut self, entry: &shared_table::Entry) {
        let mut served = entry.served;
        if let Some(running) = self.running.take_if(|running| running.thread.is_finished()) {
            served = running.requests;
            self.finish(running);
        }
        // A request during the last fetch counts too: it does not wake the worker again.
        self.requested = (entry.requests > served).then(|| Instant::now() + until(entry.request_due));
        if self.running.is_none() && self.due() <= Instant::now() {
            self.begin(entry.requests);
        }
    }

    /// Begins a fetch.
    fn begin(&mut self, requests: u64) {
        self.requested = None;
        let (url, ca_file) = (self.url.clone(), values::ca_file());
        match thread::spawn(move || key_set::fetch(&url, &ca_file)) {
            Ok(thread) => self.running = Some(Running { thread, requests }),
            Err(error) => self.record(Err(error.to_string().into()), requests),
        }
    }

    /// Takes the outcome of a fetch.
    fn finish(&mut self, running: Running) {
        let fetched = running
            .thread
            .join()
            .unwrap_or_else(|_| Err("fetch thread panicked".to_owned().into()));
        let outcome = fetched.and_then(|fetched| self.store(fetched).map_err(Failed::from));
        self.record(outcome, running.requests);
    }

    /// Stores a set. A set without a usable key is valid too: a provider withdraws its keys by publishing one.
    fn store(&mut self, fetched: Fetched) -> Result<Received, String> {
        let Fetched { text, max_age } = fetched;
        let set = fetched_keys::read(&self.url, &text);
        let at = clock::now().micros();
        let is_known = self.current.as_ref() == Some(&text) && store::touch(&self.url, &text, SystemTime::now());
        if let Err(error) = &set
            && !is_set(&set)
        {
            let advice = match error {
                // Its address was taken for that of the set.
                Error::OtherDocument {
                    found: Document::Discovery,
                    ..
                } => "; without \"jwks_url\", \"issuer\" alone leads to the keys",
                _ => "",
            };
            return Err(format!("{}{advice}", error.line()));
        }
        // Also where the stored set was deleted or replaced.
        if !is_known {
            let stored = store::write(&self.url, &text).or_else(|error| match &set {
                Ok(_) => Err(error),
                // A withdrawal of the old keys needs no room for new ones.
                Err(_) => store::delete(&self.url),
            });
            stored.map_err(|error| format!("could not store it in the data directory: {error}"))?;
            self.log_new(&set);
            self.current = Some(text);
        }
        Ok(Received {
            at,
            is_new: !is_known,
            max_age,
        })
    }

    /// Logs a new set.
    fn log_new(&self, set: &Result<KeySet, Error>) {
        let url = &self.url;
        match set {
            Ok(set) => {
                let (all, unusable) = (set.members.len(), set.skipped().len());
                log!("pg_session_jwt: new key set from \"{url}\": {all} keys, {unusable} of them unusable");
            }
            Err(Error::NoUsableKey { members }) => warning!(
                "pg_session_jwt: the key set from \"{url}\" has no usable key, and its tokens are rejected: {}",
                reasons(members)
            ),
            Err(error) => warning!(
                "pg_session_jwt: the keys of \"{url}\" are withdrawn, and its tokens are rejected: {}",
                error.line()
            ),
        }
    }

    /// Records the outcome of a fetch for sessions and in the log, and sets when the next one is due.
    fn record(&mut self, outcome: Result<Received, Failed>, requests: u64) {
        let mut retry_after = Duration::ZERO;
        let (pause, received, error) = match outcome {
            Ok(received) => {
                if self.failures > 0 {
                    log!("pg_session_jwt: the key set of \"{}\" can be fetched again", self.url);
                }
                self.failures = 0;
                (received.max_age, Some(received), String::new())
            }
            Err(failed) => {
                let error = failed.reason;
                retry_after = failed.retry_after.unwrap_or_default();
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
                (pause.max(retry_after), None, error)
            }
        };
        self.is_outdated = false;
        self.due = Instant::now() + pause;
        let now = clock::now().micros();
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let outcome = shared_table::FetchOutcome {
            requests,
            received_at: received.as_ref().map(|received| received.at),
            is_new: received.is_some_and(|received| received.is_new),
            error: &error,
            next_at: now.saturating_add(micros(pause)),
            not_before: now.saturating_add(micros(retry_after)),
        };
        shared_table::publish(&self.url, &outcome);
    }
}

/// The time until a request is due, which is short. None is left where the clock was set back.
fn until(request_due: i64) -> Duration {
    let micros = u64::try_from(request_due.saturating_sub(clock::now().micros())).unwrap_or(0);
    let left = Duration::from_micros(micros);
    if left > LONGEST_DELAY { Duration::ZERO } else { left }
}

/// Whether a text is a key set, with or without a usable key.
fn is_set(read: &Result<KeySet, Error>) -> bool {
    read.as_ref().err().is_none_or(fetched_keys::is_withdrawal)
}
