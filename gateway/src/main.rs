//! The program: its command line, its log, and its exit code.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use pg_session_jwt_gateway::config::Config;
use pg_session_jwt_gateway::{log, start};
use tokio::runtime::{Builder, Runtime};

fn main() -> ExitCode {
    // Ends the process with code 2 if an option is wrong.
    let config = Config::parse();
    let runtime = match prepare(&config) {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("could not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(start::run(config));
    // What is still running has had its time.
    runtime.shutdown_timeout(Duration::ZERO);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("could not start: {error}");
            ExitCode::FAILURE
        }
    }
}

fn prepare(config: &Config) -> io::Result<Runtime> {
    log::start(config.log_format, config.log_level).map_err(io::Error::other)?;
    Builder::new_multi_thread().enable_all().build()
}
