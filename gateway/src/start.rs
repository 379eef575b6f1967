//! The life of the process: from its command line to its last request.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn;
use metrics_exporter_prometheus::BuildError;
use sql_over_http::failure::Failure;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::metrics::{self, Recorder};
use crate::server::Server;
use crate::server::signals::{Order, Signals};
use crate::server::tls::{Certificate, CertificateError};
use crate::service::Service;
use crate::upstream::{Login, Target, login_check, password_file};
use crate::{cors, http, pool, request_id, status};

/// Connections of operators, whose tools ask now and then.
const MAX_STATUS_CLIENTS: usize = 100;
/// How long an operator waits for a connection to PostgreSQL before the gateway counts as not ready.
const READY_TIMEOUT: Duration = Duration::from_secs(2);
/// The time for requests to cancel what is still running, and for the answers of that.
const CANCELLING: Duration = Duration::from_secs(5);
/// The pause between two times that recorded times are added to their buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0}")]
    Option(String),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("could not use the certificate: {0}")]
    Tls(#[from] rustls::Error),
    #[error("could not catch signals: {0}")]
    Signals(io::Error),
    #[error("could not listen on {address}: {error}")]
    Listen { address: SocketAddr, error: io::Error },
    #[error("could not record metrics: {0}")]
    Metrics(#[from] BuildError),
    #[error("could not check the login in database \"{database}\": {}{}", failure.fields.message, remedy(failure))]
    Unchecked { database: String, failure: Failure },
    #[error("login \"{user}\" must not be used: {}; gateway/setup.sql creates a login that can be", findings.join("; "))]
    Login { user: String, findings: Vec<String> },
    #[error("{}", .0.fields.message)]
    Service(Failure),
}

/// Runs the gateway until a signal ends it. After the first SIGTERM or SIGINT, running requests have `--drain-timeout`; the
/// second one cancels them.
pub async fn run(config: Config) -> Result<(), StartError> {
    let mut signals = Signals::catch().map_err(StartError::Signals)?;
    let origins = cors::origins(&config.allow_origin).map_err(StartError::Option)?;
    let certificate = match (&config.tls_cert, &config.tls_key) {
        (Some(chain), Some(key)) => Some(Certificate::load(chain, key)?),
        _ => None,
    };
    let tls = certificate.as_ref().map(Certificate::configuration).transpose()?;
    if let Some(file) = &config.password_file {
        password_file::warn_if_exposed(file);
    }
    let target = Target::of_config(&config).map_err(StartError::Option)?;
    tokio::select! {
        result = check_login(&config, &target) => result?,
        () = signals.stop() => return Ok(()),
    }

    let recorder = config.status_listen.map(|_| Recorder::install()).transpose()?;
    let service = Service::new(config, target).map_err(StartError::Service)?;
    let config = &service.config;
    let router = cors::permit(http::router(service.clone()), origins);
    let router = router.layer(from_fn(request_id::identify));
    let server = Server::bind(
        config.listen,
        tls,
        config.max_clients,
        config.client_timeout,
        service.drain.clone(),
    );
    let server = server.await.map_err(|error| StartError::Listen {
        address: config.listen,
        error,
    })?;
    if let (Some(address), Some(recorder)) = (config.status_listen, recorder) {
        listen_for_operators(&service, address, recorder).await?;
    }
    tracing::info!(
        address = server.address().map(|address| address.to_string()).ok(),
        tls = certificate.is_some(),
        "listening"
    );
    tokio::spawn(service.clone().close_idle_connections());
    let server = tokio::spawn(server.serve(router));

    while signals.next().await == Order::Reload {
        reload(certificate.as_deref(), &service);
    }

    tracing::info!("shutting down");
    service.drain.cancel();
    service.tasks.close();
    let end = async {
        // The server's end is that of the last client; a panic in it is an end too.
        drop(server.await);
        service.tasks.wait().await;
    };
    tokio::pin!(end);
    tokio::select! {
        () = &mut end => {
            tracing::info!("all requests have ended");
            return Ok(());
        }
        () = tokio::time::sleep(config.drain_timeout) => tracing::warn!("requests are still running; cancelling them"),
        () = signals.stop() => tracing::warn!("second signal; cancelling the requests that are still running"),
    }
    service.end.cancel();
    // The process ends in any case.
    let _ = tokio::time::timeout(CANCELLING, end).await;
    Ok(())
}

/// Reads all certificates again. Those that cannot be used do not replace the old ones.
fn reload(certificate: Option<&Certificate>, service: &Service) {
    let own = certificate.map_or(Ok(()), Certificate::reload);
    let results = [
        own.map_err(|error| error.to_string()),
        service.target.reload(&service.config),
    ];
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        tracing::error!("{error}; what was read before remains in use");
    }
    if results.iter().all(Result::is_ok) {
        tracing::info!("certificates were read again");
    }
}

/// Checks in each database that the login is nothing but the way to the roles.
async fn check_login(config: &Config, target: &Target) -> Result<(), StartError> {
    let mut findings: Vec<String> = Vec::new();
    for database in &config.database {
        let unchecked = |failure| StartError::Unchecked {
            database: database.clone(),
            failure,
        };
        let login = Login::own(config, database);
        let mut connection = target.connect_or_explain(&login).await.map_err(unchecked)?;
        let check = tokio::time::timeout(
            config.request_timeout,
            login_check::findings(&mut connection, &config.role),
        );
        let Ok(found) = check.await else {
            return Err(StartError::Option(format!(
                "PostgreSQL did not check the login in time in database \"{database}\""
            )));
        };
        for finding in found.map_err(unchecked)? {
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        connection.close().await;
    }
    if findings.is_empty() {
        return Ok(());
    }
    Err(StartError::Login {
        user: config.user.clone(),
        findings,
    })
}

/// What may help if PostgreSQL does not accept the login.
fn remedy(failure: &Failure) -> &'static str {
    if failure.code().starts_with("28") {
        "; gateway/setup.sql creates the login"
    } else {
        ""
    }
}

/// Serves the status address until the process ends, also while requests end.
async fn listen_for_operators(
    service: &Arc<Service>,
    address: SocketAddr,
    recorder: Recorder,
) -> Result<(), StartError> {
    let limit = service.config.client_timeout;
    let server = Server::bind(address, None, MAX_STATUS_CLIENTS, limit, CancellationToken::new()).await;
    let server = server.map_err(|error| StartError::Listen { address, error })?;
    let (asked, measured) = (service.clone(), service.clone());
    let ready = move || is_ready(asked.clone());
    let router = status::router(recorder.clone(), service.drain.clone(), ready, move || {
        set_gauges(&measured)
    });
    tokio::spawn(server.uncounted().serve(router));
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            recorder.upkeep();
        }
    });
    Ok(())
}

async fn is_ready(service: Arc<Service>) -> Result<(), Failure> {
    for (_, pool) in service.pools() {
        drop(pool::get(pool, READY_TIMEOUT).await?);
    }
    Ok(())
}

fn set_gauges(service: &Service) {
    for (database, pool) in service.pools() {
        let status = pool.status();
        let used = status.size.saturating_sub(status.available);
        metrics::pool(database, used, status.available, status.waiting);
    }
    metrics::free_memory(service.budget.free());
}
