//! `POST /sql`: one request of the driver over HTTP.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::Response;
use axum::routing::{any, post};
use http_body_util::BodyExt as _;
use sql_over_http::connection_string;
use sql_over_http::failure::{Failure, sqlstate};
use sql_over_http::request::{self, Options};
use tokio_util::sync::CancellationToken;

use crate::budget::Share;
use crate::log::Subject;
use crate::service::{Client, Service};
use crate::transaction::{self, Work};
use crate::{metrics, response, websocket};

const CONNECTION_STRING: HeaderName = HeaderName::from_static("neon-connection-string");
/// The headers of a batch, which the response repeats.
const BATCH: [HeaderName; 3] = [
    HeaderName::from_static("neon-batch-isolation-level"),
    HeaderName::from_static("neon-batch-read-only"),
    HeaderName::from_static("neon-batch-deferrable"),
];

pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/sql", post(sql))
        .route("/v2", any(websocket::upgrade))
        .fallback(unknown_path)
        .with_state(service)
}

/// What the metrics report of a request.
#[derive(Default)]
struct Measured {
    waited: Duration,
    in_database: Duration,
    received: usize,
    /// For whom the request ran, if the log has a line for each request.
    subject: Option<Subject>,
}

async fn sql(State(service): State<Arc<Service>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let mut measured = Measured::default();
    let result = answer(&service, &head.headers, body, &mut measured).await;
    let Measured {
        waited,
        in_database,
        received,
        subject,
    } = measured;
    let (status, code, sent, mut response) = match result {
        Ok((json, share)) => (200, None, json.len(), response::success(json, share)),
        Err(failure) => (
            failure.status,
            failure.fields.code.clone(),
            0,
            response::failure(&failure),
        ),
    };
    metrics::request(status, code.as_deref(), waited, in_database, received, sent);
    if let Some(subject) = subject {
        response.extensions_mut().insert(subject);
    }
    if status == 200 {
        for name in BATCH {
            if let Some(value) = head.headers.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
    }
    response
}

async fn answer(
    service: &Arc<Service>,
    headers: &HeaderMap,
    body: Body,
    measured: &mut Measured,
) -> Result<(Vec<u8>, Share), Failure> {
    let deadline = Instant::now() + service.config.request_timeout;
    // Whatever the headers tell is checked before the body is read.
    let options = Options::of_headers(headers)?;
    let client = client(service, headers)?;
    measured.subject = tracing::enabled!(tracing::Level::DEBUG).then(|| client.subject());
    let mut share = service.share();
    let bytes = read(service, headers, body, &mut share, deadline).await?;
    measured.received = bytes.len();
    let body = request::parse_body(&bytes, service.config.max_statements)?;
    drop(bytes);
    // A short parameter takes more bytes in a Bind message than in JSON: `1,` takes five. The flight holds them again.
    share.grow_to(2 * body.size())?;

    let waiting = Instant::now();
    let place = service.admit()?;
    let lease = service.lease(&client, place, deadline).await;
    measured.waited = waiting.elapsed();
    let work = Work {
        service: service.clone(),
        lease: lease?,
        client,
        options,
        body,
        share,
        deadline,
    };

    // The transaction outlives this future, which is dropped when the client is gone: its connection must be cleaned up.
    let gone = CancellationToken::new();
    let guard = gone.clone().drop_guard();
    let (send, receive) = tokio::sync::oneshot::channel();
    let started = Instant::now();
    service.tasks.spawn(transaction::run(work, gone, send));
    let result = receive.await;
    guard.disarm();
    measured.in_database = started.elapsed();
    result.unwrap_or_else(|_| {
        Err(Failure::with_status(
            500,
            sqlstate::CONNECTION_FAILURE,
            "request failed in the gateway",
        ))
    })
}

fn client(service: &Service, headers: &HeaderMap) -> Result<Client, Failure> {
    let mut given = headers.get_all(CONNECTION_STRING).iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return Err(Failure::new(
            sqlstate::INVALID_PARAMETER,
            "request must have one Neon-Connection-String header",
        ));
    };
    let text = value.to_str().map_err(|_| {
        Failure::new(
            sqlstate::INVALID_PARAMETER,
            "Neon-Connection-String header has characters other than ASCII",
        )
    })?;
    service.client(connection_string::parse(text)?, request::bearer_token(headers)?)
}

/// Reads the body, as far as the limits for one request and for all requests allow.
async fn read(
    service: &Service,
    headers: &HeaderMap,
    mut body: Body,
    share: &mut Share,
    deadline: Instant,
) -> Result<Vec<u8>, Failure> {
    let limit = service.config.max_request_bytes;
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let mut bytes = Vec::new();
    loop {
        let wait = service
            .config
            .client_timeout
            .min(deadline.saturating_duration_since(Instant::now()));
        let frame = tokio::time::timeout(wait, body.frame()).await;
        let frame =
            frame.map_err(|_| Failure::with_status(408, sqlstate::QUERY_CANCELED, "body did not arrive in time"))?;
        let Some(frame) = frame else { return Ok(bytes) };
        let frame = frame.map_err(|_| Failure::new(sqlstate::CONNECTION_FAILURE, "body ended early"))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit.saturating_sub(bytes.len()) {
            return Err(too_large(limit));
        }
        // The body, its statements, and the flight made of them.
        share.grow(3 * data.len())?;
        bytes.extend_from_slice(&data);
    }
}

fn too_large(limit: usize) -> Failure {
    Failure::with_status(
        413,
        sqlstate::PROGRAM_LIMIT_EXCEEDED,
        format!("request is too large (max is {limit} bytes)"),
    )
}

async fn unknown_path() -> Response {
    let failure = Failure::with_status(
        404,
        sqlstate::FEATURE_NOT_SUPPORTED,
        "only POST /sql and a WebSocket at /v2 are served",
    );
    response::failure(&failure)
}
