//! The URLs in the settings of databases and roles, before any session needs them.
//!
//! pg_db_role_setting can be read only in a database. The worker itself connects to none, because its connection would
//! block DROP DATABASE. It starts a short-lived process for this instead.

use pgrx::bgworkers::{
    BackgroundWorker, BackgroundWorkerBuilder, BackgroundWorkerStatus, BgWorkerStartTime, DynamicBackgroundWorker,
    SignalWakeFlags,
};
use pgrx::prelude::*;

use crate::jwks::shared_table;
use crate::token::provider;

/// The databases in which the catalog is read, in this order until one succeeds. Every cluster has them unless they were
/// dropped.
const DATABASES: [&str; 2] = ["postgres", "template1"];

const VALUES: &str = "SELECT pg_catalog.textsend(setting)
  FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) AS setting
 WHERE pg_catalog.starts_with(pg_catalog.lower(setting), 'pg_session_jwt.providers=')";

/// A short-lived process that reads the catalog, and its outcome.
pub struct Discovery {
    process: Option<DynamicBackgroundWorker>,
    database: usize,
    reads_before: u64,
}

impl Discovery {
    /// Starts to read the catalog.
    pub fn start() -> Self {
        Discovery::start_in(0)
    }

    fn start_in(database: usize) -> Self {
        let reads_before = shared_table::catalog_reads();
        let process = BackgroundWorkerBuilder::new("pg_session_jwt: settings of databases and roles")
            .set_type("pg_session_jwt")
            .set_library("pg_session_jwt")
            .set_function("pg_session_jwt_discover")
            .set_argument(Some(pg_sys::Datum::from(database)))
            .enable_spi_access()
            // After enable_spi_access, which would make it wait for the end of recovery.
            .set_start_time(BgWorkerStartTime::ConsistentState)
            .set_restart_time(None)
            .load_dynamic();
        Discovery {
            process: process.ok(),
            database,
            reads_before,
        }
    }

    /// Checks the process, and tries the next database after a failure. None when there is nothing more to wait for.
    pub fn poll(self) -> Option<Self> {
        if shared_table::catalog_reads() != self.reads_before {
            return None;
        }
        match self.process.as_ref().map(DynamicBackgroundWorker::pid) {
            Some(Ok(_) | Err(BackgroundWorkerStatus::NotYetStarted)) => Some(self),
            _ if self.database + 1 < DATABASES.len() => Some(Discovery::start_in(self.database + 1)),
            _ => {
                log!(
                    "pg_session_jwt: the settings of databases and roles could not be read; the URLs in them are fetched \
                     when a session needs them"
                );
                None
            }
        }
    }
}

/// Reads the catalog in the short-lived process. `database` is an index into the list of databases.
pub fn run(database: usize) {
    BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGTERM);
    let Some(name) = DATABASES.get(database) else {
        return;
    };
    BackgroundWorker::connect_worker_to_spi(Some(name), None);
    let values = BackgroundWorker::transaction(values);
    let mut urls = Vec::new();
    for value in values {
        let value = String::from_utf8_lossy(&value);
        let text = value.split_once('=').map_or("", |(_, text)| text);
        // An unusable value gives no session a provider either.
        for url in provider::parse_public(text)
            .map(|list| provider::urls(&list))
            .unwrap_or_default()
        {
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
    }
    report_without_room(&shared_table::set_catalog_urls(&urls));
}

/// The values of `pg_session_jwt.providers` in the catalog, with their names.
fn values() -> Vec<Vec<u8>> {
    let read = Spi::connect(|client| {
        let rows = client.select(VALUES, None, &[])?;
        rows.filter_map(|row| row.get::<Vec<u8>>(1).transpose())
            .collect::<spi::Result<Vec<_>>>()
    });
    read.unwrap_or_default()
}

/// Logs the URLs that have no room in shared memory.
pub fn report_without_room(urls: &[String]) {
    for url in urls {
        log!(
            "pg_session_jwt: the key set of \"{url}\" is not fetched: more than {} URLs",
            shared_table::MAX_URLS
        );
    }
}
