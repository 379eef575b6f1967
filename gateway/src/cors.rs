//! Requests of web pages of other origins.
//!
//! The gateway knows no cookies: a page can only send a token that it has. So any origin is permitted by default.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::request_id;

/// Every request header that a version of the driver sends, and the Content-Type of other clients.
const REQUEST_HEADERS: [HeaderName; 9] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    HeaderName::from_static("neon-connection-string"),
    HeaderName::from_static("neon-raw-text-output"),
    HeaderName::from_static("neon-array-mode"),
    HeaderName::from_static("neon-pool-opt-in"),
    HeaderName::from_static("neon-batch-read-only"),
    HeaderName::from_static("neon-batch-isolation-level"),
    HeaderName::from_static("neon-batch-deferrable"),
];

/// The response headers that a page may read.
const RESPONSE_HEADERS: [HeaderName; 4] = [
    request_id::HEADER,
    HeaderName::from_static("neon-batch-read-only"),
    HeaderName::from_static("neon-batch-isolation-level"),
    HeaderName::from_static("neon-batch-deferrable"),
];

/// How long a browser may remember the answer to a preflight.
const MAX_AGE: Duration = Duration::from_secs(86_400);

/// The origins whose pages may read the responses. `*` permits all.
pub fn origins(texts: &[String]) -> Result<AllowOrigin, String> {
    if texts.iter().any(|text| text == "*") {
        return Ok(AllowOrigin::any());
    }
    let origins = texts.iter().map(|text| origin(text)).collect::<Result<Vec<_>, _>>()?;
    Ok(AllowOrigin::list(origins))
}

/// Answers preflights, and permits pages of these origins to read the responses.
pub fn permit(router: Router, origins: AllowOrigin) -> Router {
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::OPTIONS, Method::POST])
        .allow_headers(REQUEST_HEADERS)
        .expose_headers(RESPONSE_HEADERS)
        .max_age(MAX_AGE);
    router.layer(layer).layer(from_fn(allow))
}

/// Tells the methods in the answer to OPTIONS.
async fn allow(request: Request, next: Next) -> Response {
    let options = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    if options {
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("OPTIONS, POST"));
    }
    response
}

/// An origin as browsers send it: a scheme and a host, without a path.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let wrong = || format!("origin \"{text}\" must be \"*\" or a scheme and a host, such as https://app.example.com");
    let host = text.split_once("://").map(|(_, host)| host).ok_or_else(wrong)?;
    if host.is_empty() || host.contains(['/', '*', ' ']) {
        return Err(wrong());
    }
    HeaderValue::from_str(text).map_err(|_| wrong())
}
