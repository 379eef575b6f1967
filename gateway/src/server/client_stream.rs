//! The stream of a client, with limits for its time.
//!
//! hyper's limit for the head of a request of HTTP/1 begins when the connection becomes idle. It has none for the bytes that
//! show the version of HTTP. Here an idle client has more time than one that sends a head slowly.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::progress::Progress;

/// The first bytes of a client of HTTP/2 (RFC 9113, section 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The version of HTTP, with the number of bytes of the preface that came so far.
#[derive(Clone, Copy)]
enum Version {
    Unknown(usize),
    One,
    Two,
}

pub struct ClientStream<S, P> {
    stream: S,
    progress: Arc<Progress>,
    limit: Duration,
    version: Version,
    /// While a head is on its way: the number of heads before it.
    head: Option<usize>,
    head_timer: Pin<Box<Sleep>>,
    /// Runs while the client takes nothing.
    write_timer: Option<Pin<Box<Sleep>>>,
    /// The place of this client among `--max-clients`. A WebSocket keeps it.
    _place: P,
}

impl<S, P> ClientStream<S, P> {
    /// A stream whose first head is due `limit` after the client was accepted.
    pub fn new(stream: S, progress: Arc<Progress>, accepted: Instant, limit: Duration, place: P) -> ClientStream<S, P> {
        ClientStream {
            stream,
            progress,
            limit,
            version: Version::Unknown(0),
            head: Some(0),
            head_timer: Box::pin(sleep_until(accepted + limit)),
            write_timer: None,
            _place: place,
        }
    }

    fn is_head_late(&mut self, context: &mut Context<'_>) -> bool {
        if self.head.is_some_and(|before| before != self.progress.begun()) {
            self.head = None;
        }
        self.head.is_some() && self.head_timer.as_mut().poll(context).is_ready()
    }

    fn received(&mut self, bytes: &[u8]) {
        match self.version {
            Version::Unknown(seen) => {
                let due = PREFACE.iter().skip(seen);
                let same = bytes.iter().zip(due).take_while(|(byte, due)| byte == due).count();
                let (seen, is_other) = (seen + same, same < bytes.len());
                if seen == PREFACE.len() {
                    self.version = Version::Two;
                    self.head = None;
                } else if is_other {
                    self.version = Version::One;
                } else {
                    self.version = Version::Unknown(seen);
                }
            }
            Version::One if self.head.is_none() && self.progress.is_idle() && !self.progress.is_upgraded() => {
                self.head = Some(self.progress.begun());
                self.head_timer.as_mut().reset(Instant::now() + self.limit);
            }
            Version::One | Version::Two => {}
        }
    }

    /// Passes the result of a write on, unless the client took nothing for too long.
    fn written<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() || self.progress.is_upgraded() {
            self.write_timer = None;
            return result;
        }
        let limit = self.limit;
        let timer = self.write_timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        timer
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin, P: Unpin> AsyncRead for ClientStream<S, P> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(context, buffer);
        if result.is_ready() {
            this.received(buffer.filled().get(before..).unwrap_or_default());
        }
        // Also when something came: a client may send one byte at a time.
        if this.is_head_late(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        result
    }
}

impl<S: AsyncWrite + Unpin, P: Unpin> AsyncWrite for ClientStream<S, P> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.written(context, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(context, parts);
        this.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_flush(context);
        this.written(context, result)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_shutdown(context);
        this.written(context, result)
    }
}
