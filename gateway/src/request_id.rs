//! The id of each request, which the response has as `neon-request-id`, and the request's line in the log.

use std::time::Instant;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::log::Subject;

pub const HEADER: HeaderName = HeaderName::from_static("neon-request-id");

/// A random UUID (RFC 9562, version 4). The handler finds it among the extensions of the request.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// The middleware that gives each request its id, whatever id the client sent.
pub async fn identify(mut request: Request, next: Next) -> Response {
    let begin = Instant::now();
    let Some(id) = random_id() else {
        // The system has no random numbers: transactions cannot begin either, and fail with a message.
        return next.run(request).await;
    };
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    if tracing::enabled!(tracing::Level::DEBUG) {
        let subject = response.extensions().get::<Subject>();
        tracing::debug!(
            id,
            status = response.status().as_u16(),
            seconds = begin.elapsed().as_secs_f64(),
            role = subject.map(|subject| subject.role.as_str()),
            database = subject.map(|subject| subject.database.as_str()),
            "request"
        );
    }
    response
}

fn random_id() -> Option<String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    let mut bits = u128::from_be_bytes(bytes);
    // Version 4, and the variant of RFC 9562.
    bits = bits & !(0xF << 76) | 4 << 76;
    bits = bits & !(0b11 << 62) | 0b10 << 62;
    let (low, digits) = (bits & 0xFFFF_FFFF_FFFF, bits >> 48);
    let (a, b, c, d) = (
        digits >> 48,
        digits >> 32 & 0xFFFF,
        digits >> 16 & 0xFFFF,
        digits & 0xFFFF,
    );
    Some(format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{low:012x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_random_uuids_of_version_4() {
        let ids: Vec<_> = (0..100).map(|_| random_id().unwrap()).collect();
        for (place, id) in ids.iter().enumerate() {
            let groups: Vec<_> = id.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
            assert_eq!(id.chars().nth(14), Some('4'), "{id}");
            assert!(
                id.chars().nth(19).is_some_and(|variant| "89ab".contains(variant)),
                "{id}"
            );
            assert!(!ids[..place].contains(id));
        }
    }
}
