//! The address for operators: whether the process runs, whether it can serve, and its metrics.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sql_over_http::failure::Failure;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::metrics::Recorder;

/// How long one answer of the database serves all who ask whether the gateway is ready.
const READY_FOR: Duration = Duration::from_secs(1);

type Answer = Result<(), String>;

/// Routes of the status address. `ready` gets a connection to PostgreSQL; `gauges` sets the gauges that are read only when
/// an operator asks.
pub fn router<R, F>(
    recorder: Recorder,
    drain: CancellationToken,
    ready: R,
    gauges: impl Fn() + Send + Sync + 'static,
) -> Router
where
    R: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let (ready, gauges) = (Arc::new(ready), Arc::new(gauges));
    let last: Arc<Mutex<Option<(Instant, Answer)>>> = Arc::default();
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route(
            "/readyz",
            get(move || {
                let (ready, last, drain) = (ready.clone(), last.clone(), drain.clone());
                async move {
                    if drain.is_cancelled() {
                        return unready("gateway is shutting down");
                    }
                    // Those who ask at the same time wait for the first one's answer.
                    let mut last = last.lock().await;
                    let answer = match &*last {
                        Some((at, answer)) if at.elapsed() < READY_FOR => answer.clone(),
                        _ => {
                            let answer = ready().await.map_err(|failure| failure.fields.message);
                            *last = Some((Instant::now(), answer.clone()));
                            answer
                        }
                    };
                    match answer {
                        Ok(()) => "ok\n".into_response(),
                        Err(message) => unready(&message),
                    }
                }
            }),
        )
        .route(
            "/metrics",
            get(move || {
                let (recorder, gauges) = (recorder.clone(), gauges.clone());
                async move {
                    gauges();
                    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], recorder.render())
                }
            }),
        )
}

fn unready(message: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{message}\n")).into_response()
}
