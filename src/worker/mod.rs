//! The background worker that fetches the key sets of `jwks_url`, and those that a discovery finds.
//!
//! | module | what it owns |
//! |---|---|
//! | [`fetch`] | one text from one URL, with limits, from the host that it names |
//! | [`proxy`], [`race`], [`tls`], [`authorities`] | the connection: by a proxy or not, to the first address that answers, with TLS |
//! | [`redirect`], [`response_headers`] | what the headers of a response mean |
//! | [`key_set`] | the key set of a URL, or of an issuer whose document names it |
//! | [`discover`] | the URLs in the settings of databases and roles |
//! | [`job`] | one URL: when it is due, and the outcome of its fetches |
//!
//! It connects to no database. It sleeps until a fetch is due, a session requests one, or the server reloads its
//! configuration. Fetches run in threads, so that the worker itself always responds.

#![forbid(unsafe_code)]

mod authorities;
mod certificate_authority;
pub mod discover;
mod fetch;
mod job;
mod key_set;
mod proxy;
mod race;
mod redirect;
mod response_headers;
mod tls;

use std::time::{Duration, Instant};

use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder, BgWorkerStartTime, SignalWakeFlags};
use pgrx::prelude::*;

use crate::jwks::{shared_table, store};
use crate::keys;
use crate::pg::background_worker;
use crate::pg::latch::Latch;
use crate::worker::discover::Discovery;
use crate::worker::job::Job;

/// How often the worker polls whether a thread or a process has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Registers the worker with the postmaster, which starts it on a standby too.
pub fn register() {
    BackgroundWorkerBuilder::new("pg_session_jwt key fetcher")
        .set_library("pg_session_jwt")
        .set_function("pg_session_jwt_fetch_keys")
        // Connects to no database, but lists the worker in pg_stat_activity. Before set_start_time, which this would reset.
        .enable_spi_access()
        .set_start_time(BgWorkerStartTime::ConsistentState)
        .set_restart_time(Some(Duration::from_secs(1)))
        .load();
}

/// Runs the worker until its process receives SIGTERM.
pub fn run() {
    BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGHUP | SignalWakeFlags::SIGTERM);
    BackgroundWorker::connect_worker_to_spi(None, None);
    shared_table::set_worker(Latch::own());
    let mut worker = Worker::default();
    worker.read_settings();
    worker.step();
    while BackgroundWorker::wait_latch(worker.pause()) {
        if BackgroundWorker::sighup_received() {
            background_worker::reload_settings();
            worker.read_settings();
        }
        worker.step();
    }
    shared_table::set_worker(None);
    background_worker::exit_to_be_restarted();
}

#[derive(Default)]
struct Worker {
    jobs: Vec<Job>,
    discovery: Option<Discovery>,
}

impl Worker {
    /// Reads the URLs in the server's own setting, and begins to read those of databases and roles.
    fn read_settings(&mut self) {
        discover::report_without_room(&shared_table::set_server_urls(&keys::providers::urls()));
        self.discovery = Some(Discovery::start());
        // A fetch may have failed because of a setting.
        self.jobs.iter_mut().for_each(Job::retry);
    }

    /// Does all work that is due, without waiting for anything.
    fn step(&mut self) {
        shared_table::forget_unneeded();
        if let Some(discovery) = self.discovery.take() {
            let reads = shared_table::catalog_reads();
            self.discovery = discovery.poll();
            if self.discovery.is_none() && reads > 0 {
                delete_unneeded_sets();
            }
        }
        let entries = shared_table::entries();
        self.jobs
            .retain(|job| entries.iter().any(|entry| job.belongs_to(entry)));
        for entry in entries {
            match self.jobs.iter_mut().find(|job| job.belongs_to(&entry)) {
                Some(job) => job.step(&entry),
                None => {
                    let mut job = Job::new(entry.url());
                    job.step(&entry);
                    self.jobs.push(job);
                }
            }
        }
    }

    /// The time until work is due, unless a session wakes the worker; None without URLs.
    fn pause(&self) -> Option<Duration> {
        if self.discovery.is_some() || self.jobs.iter().any(Job::is_running) {
            return Some(POLL_INTERVAL);
        }
        let next = self.jobs.iter().map(Job::due).min()?;
        // A millisecond more, because the fraction is cut off and the worker would wake too early.
        Some(next.saturating_duration_since(Instant::now()) + Duration::from_millis(1))
    }
}

/// Deletes the stored key sets of URLs that no setting has any more.
fn delete_unneeded_sets() {
    let entries = shared_table::entries();
    if let Err(error) = store::retain_only(entries.iter().map(shared_table::Entry::url)) {
        log!("pg_session_jwt: stored key sets could not be deleted: {error}");
    }
}
