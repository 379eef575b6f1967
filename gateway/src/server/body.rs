//! The bodies of requests and responses on their way between hyper and the router.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use super::progress::Progress;

/// HTTP/2 takes a response in parts of this size.
const PART: usize = 32 * 1024;

/// A request that is being answered, until this is dropped.
pub struct Open(Arc<Progress>);

impl Open {
    pub fn begin(progress: Arc<Progress>) -> Open {
        progress.begin();
        Open(progress)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The body of a request, and whether it was read to its end.
pub struct RequestBody {
    body: Incoming,
    is_read: Arc<AtomicBool>,
}

impl RequestBody {
    /// The second value becomes true at the end of the body.
    pub fn new(body: Incoming) -> (RequestBody, Arc<AtomicBool>) {
        let is_read = Arc::new(AtomicBool::new(body.is_end_stream()));
        let read = is_read.clone();
        (RequestBody { body, is_read }, read)
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        if frame.is_none() || this.body.is_end_stream() {
            this.is_read.store(true, Ordering::Release);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a response.
pub struct ResponseBody {
    body: Body,
    /// What remains of a frame of an HTTP/2 response.
    rest: Bytes,
    /// Whether to watch that the client takes each part. HTTP/1 needs no watch: the socket is full if the client takes
    /// nothing.
    is_watched: bool,
    open: Open,
}

impl ResponseBody {
    pub fn new(body: Body, is_watched: bool, open: Open) -> ResponseBody {
        ResponseBody {
            body,
            rest: Bytes::new(),
            is_watched,
            open,
        }
    }

    fn next_part(&mut self) -> Frame<Bytes> {
        let bytes = self.rest.split_to(PART.min(self.rest.len()));
        let progress = self.open.0.clone();
        Frame::data(Bytes::from_owner(Part {
            number: progress.part(),
            bytes,
            progress,
        }))
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if !this.rest.is_empty() {
            return Poll::Ready(Some(Ok(this.next_part())));
        }
        let frame = match ready!(Pin::new(&mut this.body).poll_frame(context)) {
            Some(Ok(frame)) if this.is_watched => frame,
            other => return Poll::Ready(other),
        };
        Poll::Ready(Some(Ok(match frame.into_data() {
            Ok(data) => {
                this.rest = data;
                this.next_part()
            }
            Err(trailers) => trailers,
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let body = self.body.size_hint();
        let mut both = SizeHint::new();
        both.set_lower(body.lower().saturating_add(rest));
        if let Some(upper) = body.upper() {
            both.set_upper(upper.saturating_add(rest));
        }
        both
    }
}

/// A part of a response, until HTTP/2 has sent it.
struct Part {
    number: u64,
    bytes: Bytes,
    progress: Arc<Progress>,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.progress.sent(self.number);
    }
}
