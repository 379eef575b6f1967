//! The log, on standard error.
//!
//! Nothing here writes tokens, SQL, parameters or passwords, and the crates below log at most warnings: HTTP/2 would log
//! headers.

use std::io::{IsTerminal as _, stderr};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{Layer as _, Registry, fmt};

use crate::config::LogFormat;

/// For whom a request ran. The handler attaches it to the response, for the line of the log.
#[derive(Debug, Clone)]
pub struct Subject {
    pub role: String,
    pub database: String,
}

/// Logs from now on. Fails if the process logs already.
pub fn start(format: LogFormat, level: LevelFilter) -> Result<(), TryInitError> {
    let targets = Targets::new()
        .with_target(env!("CARGO_PKG_NAME"), level)
        .with_default(level.min(LevelFilter::WARN));
    let lines = fmt::layer::<Registry>().with_writer(stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(stderr().is_terminal()).with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_target(false).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(targets))
        .try_init()
}
