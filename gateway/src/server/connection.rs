//! One connection of a client: HTTP/1.1 or HTTP/2, from its first byte to its end.

use std::convert::Infallible;
use std::error::Error;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, Version, header};
use axum::response::IntoResponse as _;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::body::{Open, RequestBody, ResponseBody};
use super::client_stream::ClientStream;
use super::progress::Progress;

/// How long a connection may be idle. Longer than the minute for which most proxies keep theirs: a request that
/// meets the end of its connection fails, and proxies do not repeat a POST.
pub const IDLE: Duration = Duration::from_secs(75);
/// The size of the head of a request. Tokens and connection strings are in it.
const HEAD_BYTES: usize = 64 * 1024;
/// Requests of a connection at the same time, over HTTP/2.
const STREAMS: u32 = 100;
/// Bytes that a client of HTTP/2 may send before they are read: of a request, and of all.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Bytes of a response that are ready for the socket.
const SEND_BYTES: usize = 64 * 1024;

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// What both versions of HTTP need to know. All connections share it.
pub struct Http {
    /// How long a connection may be idle.
    idle: Duration,
    first: http1::Builder,
    either: auto::Builder<TokioExecutor>,
}

/// A client whose connection was accepted.
pub struct Client<S, P> {
    pub stream: S,
    /// What it takes until its connection ends.
    pub place: P,
    /// Since when its first request is due.
    pub accepted: Instant,
    /// Whether it is known to speak HTTP/1. hyper then needs 10 KB less for it: it keeps no first bytes to find the version.
    pub is_http1: bool,
}

/// Serves a connection until it ends, fails, or stalls. After the begin of `drain` it ends with its last response.
pub async fn serve<S, P>(
    http: Arc<Http>,
    client: Client<S, P>,
    router: Router,
    limit: Duration,
    drain: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    P: Unpin + Send + 'static,
{
    let progress = Arc::new(Progress::default());
    let stream = ClientStream::new(client.stream, progress.clone(), client.accepted, limit, client.place);
    let service = {
        let progress = progress.clone();
        service_fn(move |request: Request<hyper::body::Incoming>| {
            let open = Open::begin(progress.clone());
            let (router, progress) = (router.clone(), progress.clone());
            let is_watched = request.version() == Version::HTTP_2;
            let (parts, body) = request.into_parts();
            let (body, is_read) = RequestBody::new(body);
            let request = Request::from_parts(parts, Body::new(body));
            async move {
                let mut response = if head_bytes(&request) > HEAD_BYTES {
                    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.into_response()
                } else {
                    let Ok(response) = router.oneshot(request).await;
                    response
                };
                // hyper closes a connection on which a part of a body is still to come, and a client that does not know that
                // would send its next request there.
                if !is_watched && !is_read.load(Ordering::Acquire) {
                    response.headers_mut().insert(header::CONNECTION, CLOSE);
                }
                if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                    progress.upgrade();
                }
                Ok::<_, Infallible>(response.map(|body| ResponseBody::new(body, is_watched, open)))
            }
        })
    };
    let stream = TokioIo::new(stream);
    if client.is_http1 {
        let connection = http.first.serve_connection(stream, service).with_upgrades();
        watch(
            connection,
            |connection| connection.graceful_shutdown(),
            &progress,
            (limit, http.idle),
            &drain,
        )
        .await;
    } else {
        let connection = http.either.serve_connection_with_upgrades(stream, service);
        // In a box, because it is larger than the other one.
        Box::pin(watch(
            connection,
            |connection| connection.graceful_shutdown(),
            &progress,
            (limit, http.idle),
            &drain,
        ))
        .await;
    }
}

/// Runs a connection. `end` ends it with its last response.
async fn watch<C, E>(
    connection: C,
    end: impl Fn(Pin<&mut C>),
    progress: &Progress,
    (limit, idle): (Duration, Duration),
    drain: &CancellationToken,
) where
    C: Future<Output = Result<(), E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let mut connection = pin!(connection);
    let mut stalled = pin!(progress.stalled(limit));
    let mut last = pin!(async {
        tokio::select! {
            () = progress.unused(idle) => {}
            () = drain.cancelled() => {}
        }
    });
    let mut abandoned = pin!(progress.unused(idle + limit));
    let mut is_ending = false;
    loop {
        tokio::select! {
            result = connection.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(error = %error.into(), "connection of a client failed");
                }
                return;
            }
            () = stalled.as_mut() => {
                tracing::debug!("client did not take its response in time");
                return;
            }
            () = abandoned.as_mut() => {
                tracing::debug!("client did not end its idle connection");
                return;
            }
            () = last.as_mut(), if !is_ending => {
                is_ending = true;
                end(connection.as_mut());
            }
        }
    }
}

/// The size of the head of a request in HTTP/1.1. hyper accepts a larger one if it has come when hyper looks for its end.
fn head_bytes(request: &Request<Body>) -> usize {
    let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let line = request.method().as_str().len() + path + "  HTTP/1.1\r\n".len();
    let headers = request.headers().iter();
    let size: usize = headers
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len())
        .sum();
    line + size + "\r\n".len()
}

/// The limits of both versions of HTTP, where a client has so much time for each step, and for being idle.
pub fn http(limit: Duration, idle: Duration) -> Http {
    let idle = idle.max(limit);
    let mut first = http1::Builder::new();
    first
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(HEAD_BYTES);
    let mut either = auto::Builder::new(TokioExecutor::new());
    either
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(HEAD_BYTES);
    either
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_BYTES as u32)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BYTES)
        .keep_alive_interval(limit)
        .keep_alive_timeout(limit);
    Http { idle, first, either }
}
