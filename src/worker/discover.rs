//! The URLs that stand in the settings of databases and roles, before any session needs them.
//!
//! pg_db_role_setting can be read only from inside of a database. The worker itself stays out of all: whoever is
//! connected is in the way of DROP DATABASE. So it starts a short-lived process for this.

use pgrx::bgworkers::{
    BackgroundWorker, BackgroundWorkerBuilder, BackgroundWorkerStatus, BgWorkerStartTime, DynamicBackgroundWorker,
    SignalWakeFlags,
};
use pgrx::prelude::*;

use crate::jwks::table;
use crate::token::provider;

/// Where the catalog is read, one after the other until it succeeds. They are in every cluster, unless somebody has
/// dropped them.
const DATABASES: [&str; 2] = ["postgres", "template1"];

const VALUES: &str = "SELECT pg_catalog.textsend(setting)
  FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) AS setting
 WHERE pg_catalog.starts_with(pg_catalog.lower(setting), 'pg_session_jwt.providers=')";

/// A reading of the catalog that is under way.
pub struct Discovery {
    process: Option<DynamicBackgroundWorker>,
    database: usize,
    reads_before: u64,
}

impl Discovery {
    pub fn start() -> Self {
        Discovery::start_in(0)
    }

    fn start_in(database: usize) -> Self {
        let reads_before = table::catalog_reads();
        let process = BackgroundWorkerBuilder::new("pg_session_jwt: settings of databases and roles")
            .set_type("pg_session_jwt")
            .set_library("pg_session_jwt")
            .set_function("pg_session_jwt_discover")
            .set_argument(Some(pg_sys::Datum::from(database)))
            .enable_spi_access()
            // After enable_spi_access, which would have it wait for the end of recovery.
            .set_start_time(BgWorkerStartTime::ConsistentState)
            .set_restart_time(None)
            .load_dynamic();
        Discovery {
            process: process.ok(),
            database,
            reads_before,
        }
    }

    /// Goes on; None when there is nothing more to wait for.
    pub fn go_on(self) -> Option<Self> {
        if table::catalog_reads() != self.reads_before {
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

/// The short-lived process.
// SAFETY: no other library has a function of this name.
#[unsafe(no_mangle)]
#[pg_guard]
pub extern "C-unwind" fn pg_session_jwt_discover(database: pg_sys::Datum) {
    BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGTERM);
    let Some(name) = DATABASES.get(database.value()) else {
        return;
    };
    BackgroundWorker::connect_worker_to_spi(Some(name), None);
    let values = BackgroundWorker::transaction(values);
    let mut urls = Vec::new();
    for value in values {
        let value = String::from_utf8_lossy(&value);
        let text = value.split_once('=').map_or("", |(_, text)| text);
        // What cannot be used is no session's provider either.
        for url in provider::parse_public(text)
            .map(|list| provider::urls(&list))
            .unwrap_or_default()
        {
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
    }
    report_left_out(&table::set_catalog_urls(&urls));
}

fn values() -> Vec<Vec<u8>> {
    let read = Spi::connect(|client| {
        let rows = client.select(VALUES, None, &[])?;
        rows.filter_map(|row| row.get::<Vec<u8>>(1).transpose())
            .collect::<spi::Result<Vec<_>>>()
    });
    read.unwrap_or_default()
}

/// Tells the log which URLs have no room in shared memory.
pub fn report_left_out(urls: &[String]) {
    for url in urls {
        log!(
            "pg_session_jwt: the key set of \"{url}\" is not fetched: more than {} URLs",
            table::MAX_URLS
        );
    }
}
