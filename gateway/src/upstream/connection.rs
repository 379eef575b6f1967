//! One connection to PostgreSQL, on which messages are written and read at the same time.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::{Buf as _, BytesMut};
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::IsNull;
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use rustls::pki_types::CertificateDer;
use sql_over_http::failure::{Failure, sqlstate};
use tokio::io::{AsyncRead as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf};

use super::cancel::{Canceller, Route};
use super::stream::Stream;

/// A message of this length, or a shorter one, fits into the memory that each connection takes.
const SHORT: usize = 64 * 1024;

/// The rows of a query, as text.
pub type Rows = Vec<Vec<Option<String>>>;

pub struct Connection {
    stream: Stream,
    route: Route,
    received: BytesMut,
    queued: BytesMut,
    /// Whether written bytes may still be in a buffer of the TLS layer.
    unflushed: bool,
    /// The longest message that is read.
    max_message: usize,
    parameters: BTreeMap<String, String>,
    pid: i32,
    secret: i32,
}

impl Connection {
    pub(super) fn new(stream: Stream, route: Route, max_message: usize) -> Connection {
        Connection {
            stream,
            route,
            received: BytesMut::with_capacity(8192),
            queued: BytesMut::new(),
            unflushed: false,
            max_message,
            parameters: BTreeMap::new(),
            pid: 0,
            secret: 0,
        }
    }

    /// Takes bytes to write. They are written while [`Connection::next`] waits.
    pub fn queue(&mut self, bytes: BytesMut) {
        if self.queued.is_empty() {
            self.queued = bytes;
        } else {
            self.queued.extend_from_slice(&bytes);
        }
    }

    /// The next message. Dropped before it is ready, it loses nothing. A message that is too long is an error of the kind
    /// InvalidData, before it is read.
    pub async fn next(&mut self) -> io::Result<Message> {
        loop {
            match self.received()? {
                Some(message) => return Ok(message),
                None => self.receive().await?,
            }
        }
    }

    /// The next message, if it has been received as a whole.
    pub fn received(&mut self) -> io::Result<Option<Message>> {
        loop {
            match self.parse()? {
                Some(Message::ParameterStatus(body)) => {
                    self.parameters
                        .insert(body.name()?.to_owned(), body.value()?.to_owned());
                }
                Some(Message::BackendKeyData(body)) => (self.pid, self.secret) = (body.process_id(), body.secret_key()),
                Some(Message::NoticeResponse(_) | Message::NotificationResponse(_)) => {}
                other => return Ok(other),
            }
        }
    }

    /// The bytes of the message that has begun, if it is a long one.
    pub fn awaited(&self) -> usize {
        self.announced().filter(|length| *length > SHORT).unwrap_or(0)
    }

    /// Waits for more bytes.
    pub async fn receive(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll_exchange(context)).await
    }

    /// A setting that PostgreSQL reports.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The settings that PostgreSQL reports.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The process id of the server process.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether the connection is open, and nothing is on the way in either direction.
    pub fn is_quiet(&mut self) -> bool {
        if !self.received.is_empty() || !self.queued.is_empty() {
            return false;
        }
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        let mut context = Context::from_waker(Waker::noop());
        Pin::new(&mut self.stream)
            .poll_read(&mut context, &mut buffer)
            .is_pending()
    }

    pub fn canceller(&self) -> Canceller {
        Canceller::new(self.route.clone(), self.pid, self.secret)
    }

    /// Runs one statement with parameters as text, and reads all rows. For the gateway's own statements.
    pub async fn query(&mut self, sql: &str, parameters: &[&str]) -> Result<Rows, Failure> {
        let mut bytes = BytesMut::new();
        let encoded = frontend::parse("", sql, [], &mut bytes).and_then(|()| {
            let text = |parameter: &&str, bytes: &mut BytesMut| {
                bytes.extend_from_slice(parameter.as_bytes());
                Ok(IsNull::No)
            };
            frontend::bind("", "", [], parameters, text, [0], &mut bytes)
                .map_err(|_| io::Error::other("parameters"))?;
            frontend::execute("", 0, &mut bytes)
        });
        encoded.map_err(|_| Failure::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "parameter is too long"))?;
        frontend::sync(&mut bytes);
        self.queue(bytes);
        let mut rows = Vec::new();
        let mut failure = None;
        loop {
            match self.next().await.map_err(|error| lost(&error))? {
                Message::DataRow(body) => {
                    let buffer = body.buffer();
                    let text = |range: Option<std::ops::Range<usize>>| {
                        Ok(range
                            .and_then(|range| buffer.get(range))
                            .map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
                    };
                    rows.push(body.ranges().map(text).collect().map_err(|error| lost(&error))?);
                }
                Message::ErrorResponse(error) => failure = Some(Failure::of_server(&error)),
                Message::ReadyForQuery(_) => return failure.map_or(Ok(rows), Err),
                _ => {}
            }
        }
    }

    /// Tells PostgreSQL that the session ends.
    pub async fn close(mut self) {
        let mut bytes = BytesMut::new();
        frontend::terminate(&mut bytes);
        // The session ends in any case when the socket is closed.
        let _ = self.stream.write_all(&bytes).await;
        let _ = self.stream.shutdown().await;
    }

    /// The stream, and what has been received but not been read.
    pub fn into_stream(self) -> (Stream, BytesMut) {
        (self.stream, self.received)
    }

    pub(super) fn is_private(&self) -> bool {
        self.stream.is_private()
    }

    pub(super) fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.stream.certificate()
    }

    /// Writes what is queued and reads what has come, until something has come.
    fn poll_exchange(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let missing = self.awaited().saturating_sub(self.received.len());
        let mut stream = Pin::new(&mut self.stream);
        while !self.queued.is_empty() {
            match stream.as_mut().poll_write(context, &self.queued) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => {
                    self.queued.advance(count);
                    self.unflushed = true;
                }
                // A server that ends the connection may have said why; that is read first.
                Poll::Ready(Err(_)) => self.queued.clear(),
                Poll::Pending => break,
            }
        }
        if self.unflushed && self.queued.is_empty() {
            match stream.as_mut().poll_flush(context) {
                Poll::Ready(_) => self.unflushed = false,
                Poll::Pending => {}
            }
        }
        self.received.reserve(missing.max(8192));
        let read = tokio_util::io::poll_read_buf(stream, context, &mut self.received);
        match std::task::ready!(read)? {
            0 => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// A message, if it has been received as a whole.
    fn parse(&mut self) -> io::Result<Option<Message>> {
        let announced = self.announced();
        if announced.is_some_and(|length| length > self.max_message) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "message is too long"));
        }
        let message = Message::parse(&mut self.received)?;
        if message.is_some() && announced.is_some_and(|length| length > SHORT) {
            // What follows a long message would keep its memory, for as long as the connection lasts.
            self.received = BytesMut::from(self.received.as_ref());
        }
        Ok(message)
    }

    /// The length of the message that has begun.
    fn announced(&self) -> Option<usize> {
        let (length, _) = self.received.get(1..)?.split_first_chunk::<4>()?;
        Some(usize::try_from(i32::from_be_bytes(*length)).unwrap_or(usize::MAX))
    }
}

fn lost(error: &io::Error) -> Failure {
    tracing::debug!(%error, "connection to PostgreSQL was lost");
    Failure::with_status(503, sqlstate::CONNECTION_FAILURE, "connection to PostgreSQL was lost")
}
