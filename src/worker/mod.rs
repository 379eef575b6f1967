//! The background worker that fetches the key sets of `jwks_url`.
//!
//! | module | what it owns |
//! |---|---|
//! | [`fetch`], [`authorities`] | one key set from one URL, with its limits, from whom it says it is |
//! | [`thread`] | threads for what blocks, so that the worker itself always answers |
//! | [`discover`] | the URLs that the settings of databases and roles have |
//! | [`job`] | one URL: when it is due, and what came |
//!
//! It belongs to no database and sleeps until something is to be done. Without a URL that is for ever.

mod authorities;
mod discover;
mod fetch;
mod job;
mod thread;

use std::time::{Duration, Instant};

use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder, BgWorkerStartTime, SignalWakeFlags};
use pgrx::prelude::*;

use crate::jwks::{store, table};
use crate::keys;
use crate::worker::discover::Discovery;
use crate::worker::job::Job;

/// How often it is looked whether a thread or a process has ended.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Has the postmaster start the worker, on a standby too.
pub fn register() {
    BackgroundWorkerBuilder::new("pg_session_jwt key fetcher")
        .set_library("pg_session_jwt")
        .set_function("pg_session_jwt_fetch_keys")
        // Without a database, but then it is in pg_stat_activity. Before set_start_time, which this would undo.
        .enable_spi_access()
        .set_start_time(BgWorkerStartTime::ConsistentState)
        .set_restart_time(Some(Duration::from_secs(1)))
        .load();
}

/// The worker's process.
// SAFETY: no other library has a function of this name.
#[unsafe(no_mangle)]
#[pg_guard]
pub extern "C-unwind" fn pg_session_jwt_fetch_keys(_argument: pg_sys::Datum) {
    BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGHUP | SignalWakeFlags::SIGTERM);
    BackgroundWorker::connect_worker_to_spi(None, None);
    // SAFETY: reads a global of this process.
    table::set_worker(unsafe { pg_sys::MyLatch });
    let mut worker = Worker::default();
    worker.read_settings();
    worker.go_on();
    while BackgroundWorker::wait_latch(worker.pause()) {
        if BackgroundWorker::sighup_received() {
            // SAFETY: outside of a transaction, as PostgreSQL's own workers do it.
            unsafe { pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP) };
            worker.read_settings();
        }
        worker.go_on();
    }
    table::set_worker(std::ptr::null_mut());
    // With 0 the postmaster would take it that the work is done, and not start it again.
    // SAFETY: the end of the process; threads that still wait for an answer end with it.
    unsafe { pg_sys::proc_exit(1) };
}

#[derive(Default)]
struct Worker {
    jobs: Vec<Job>,
    discovery: Option<Discovery>,
}

impl Worker {
    fn read_settings(&mut self) {
        discover::report_left_out(&table::set_server_urls(&keys::providers::urls()));
        self.discovery = Some(Discovery::start());
        // What failed may have failed for a setting.
        self.jobs.iter_mut().for_each(Job::try_again);
    }

    /// Does what is to be done now, without waiting for anything.
    fn go_on(&mut self) {
        table::forget_unneeded();
        if let Some(discovery) = self.discovery.take() {
            let reads = table::catalog_reads();
            self.discovery = discovery.go_on();
            if self.discovery.is_none() && reads > 0 {
                delete_others();
            }
        }
        let entries = table::entries();
        self.jobs.retain(|job| entries.iter().any(|entry| job.is_of(entry)));
        for entry in entries {
            match self.jobs.iter_mut().find(|job| job.is_of(&entry)) {
                Some(job) => job.go_on(&entry),
                None => {
                    let mut job = Job::new(entry.url());
                    job.go_on(&entry);
                    self.jobs.push(job);
                }
            }
        }
    }

    /// How long nothing is to be done, unless somebody wakes the worker.
    fn pause(&self) -> Option<Duration> {
        if self.discovery.is_some() || self.jobs.iter().any(Job::is_running) {
            return Some(BETWEEN_LOOKS);
        }
        let next = self.jobs.iter().map(Job::due).min()?;
        // A little more, or it would wake too early by what is cut off.
        Some(next.saturating_duration_since(Instant::now()) + Duration::from_millis(1))
    }
}

/// Deletes the stored key sets of URLs that are in no setting any more.
fn delete_others() {
    let entries = table::entries();
    if let Err(error) = store::keep_only(entries.iter().map(table::Entry::url)) {
        log!("pg_session_jwt: stored key sets could not be deleted: {error}");
    }
}
