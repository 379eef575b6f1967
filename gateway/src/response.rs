//! Responses, which are JSON and for one person only.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use sql_over_http::failure::Failure;

use crate::budget::Share;

/// The response to a request that has succeeded. Its part of the budget returns when it is sent.
pub fn success(json: Vec<u8>, share: Share) -> Response {
    respond(200, Body::from(Bytes::from_owner(Held { json, _share: share })))
}

pub fn failure(failure: &Failure) -> Response {
    respond(failure.status, Body::from(failure.to_json()))
}

fn respond(status: u16, body: Body) -> Response {
    let mut response = body.into_response();
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // A row belongs to one user. No cache on the way may keep it.
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == 503 {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

struct Held {
    json: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.json
    }
}
