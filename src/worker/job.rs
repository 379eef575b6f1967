//! One URL: when it is due, and what came.

use std::io;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, UNIX_EPOCH};

use pgrx::prelude::*;

use super::fetch::{Fetched, fetch};
use super::thread;
use crate::clock;
use crate::error::in_words;
use crate::jwks::{shared, stored};
use crate::settings;
use crate::token::KeySet;

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
        };
        match stored::read(url) {
            Ok((set, came)) if KeySet::from_public_jwks(&set).is_ok() => {
                let came = came.duration_since(UNIX_EPOCH).unwrap_or_default();
                shared::set_fetched(url, i64::try_from(came.as_micros()).unwrap_or(i64::MAX));
                // The worker may have been started anew beside sessions that have this set already.
                if shared::look(url).is_some_and(|entry| entry.generation == 0) {
                    shared::set_changed(url);
                }
                job.current = Some(set);
            }
            Ok(_) => log!("pg_session_jwt: the stored key set of \"{url}\" cannot be used"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => log!("pg_session_jwt: the stored key set of \"{url}\" cannot be read: {error}"),
        }
        job
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn due(&self) -> Instant {
        self.due
    }

    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Makes it due, if it failed last time.
    pub fn try_again(&mut self) {
        if self.failures > 0 {
            self.due = Instant::now();
        }
    }

    /// Takes what came, and begins what is due.
    pub fn go_on(&mut self, entry: &shared::Entry) {
        match self.running.take() {
            Some(running) if running.thread.is_finished() => self.end(running),
            Some(running) => self.running = Some(running),
            None if self.due <= Instant::now() || entry.requests > entry.served => self.begin(entry.requests),
            None => {}
        }
    }

    fn begin(&mut self, requests: u64) {
        let (url, ca_file) = (self.url.clone(), settings::ca_file());
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

    /// Gives the sessions a set that came, if they can use it; how long it is good.
    fn take(&mut self, fetched: Fetched) -> Result<Duration, String> {
        let Fetched { text, max_age } = fetched;
        let set = KeySet::from_public_jwks(&text).map_err(|error| in_words(&error))?;
        let not_stored = |error: io::Error| format!("it cannot be stored in the data directory: {error}");
        let came = clock::now().micros();
        if self.current.as_ref() == Some(&text) {
            stored::touch(&self.url, std::time::SystemTime::now()).map_err(not_stored)?;
        } else {
            stored::write(&self.url, &text).map_err(not_stored)?;
            shared::set_changed(&self.url);
            let (all, unusable) = (set.members.len(), set.skipped().len());
            log!(
                "pg_session_jwt: new key set from \"{}\": {} keys, {unusable} of them unusable",
                self.url,
                all
            );
            self.current = Some(text);
        }
        shared::set_fetched(&self.url, came);
        Ok(max_age)
    }

    /// Says how it ended, and when it is due again.
    fn settle(&mut self, outcome: Result<Duration, String>, requests: u64) {
        let (pause, error) = match outcome {
            Ok(max_age) => {
                if self.failures > 0 {
                    log!("pg_session_jwt: the key set of \"{}\" can be fetched again", self.url);
                }
                self.failures = 0;
                (max_age, String::new())
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
                (FIRST_RETRY.saturating_mul(factor).min(LAST_RETRY), error)
            }
        };
        self.due = Instant::now() + pause;
        let pause = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
        shared::set_ended(&self.url, requests, &error, clock::now().micros().saturating_add(pause));
    }
}
