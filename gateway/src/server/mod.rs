//! The server for clients: a listener, its TLS, its limits, and its end.

mod body;
mod client_stream;
mod connection;
mod progress;
pub mod signals;
pub mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::client_stream::PREFACE;
use self::connection::Client;
use crate::{keepalive, metrics};

/// The pause after an error of accept(2) such as EMFILE, which would recur at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How many rejected clients receive an answer at the same time, and for how long each.
const REJECTIONS: usize = 64;
const REJECTION: Duration = Duration::from_secs(1);
/// The answer to a client of whom there are too many.
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: text/plain\r\n\
    content-length: 17\r\n\
    retry-after: 1\r\n\
    access-control-allow-origin: *\r\n\
    connection: close\r\n\
    \r\n\
    too many clients\n";

/// A listener with the limits of its clients.
pub struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
    rejections: Arc<Semaphore>,
    http: Arc<connection::Http>,
    limit: Duration,
    is_counted: bool,
    connections: TaskTracker,
    drain: CancellationToken,
}

/// What a client takes until its connection ends.
struct Place {
    _permit: OwnedSemaphorePermit,
    _counted: Option<metrics::Open>,
}

impl Server {
    /// Listens, but does not accept yet. `max_clients` is the number of connections, `limit` the time that a client has for
    /// each step. After `drain` begins there are no new connections, and the others end with their last response.
    pub async fn bind(
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        max_clients: usize,
        limit: Duration,
        drain: CancellationToken,
    ) -> io::Result<Server> {
        Ok(Server {
            listener: TcpListener::bind(address).await?,
            tls: tls.map(TlsAcceptor::from),
            places: Arc::new(Semaphore::new(max_clients.min(Semaphore::MAX_PERMITS))),
            rejections: Arc::new(Semaphore::new(REJECTIONS)),
            http: Arc::new(connection::http(limit, connection::IDLE)),
            limit,
            is_counted: true,
            connections: TaskTracker::new(),
            drain,
        })
    }

    /// The same server, whose clients may be idle for so long.
    pub fn with_idle(self, idle: Duration) -> Server {
        Server {
            http: Arc::new(connection::http(self.limit, idle)),
            ..self
        }
    }

    /// The same server, whose clients are not in the metrics.
    pub fn uncounted(self) -> Server {
        Server {
            is_counted: false,
            ..self
        }
    }

    /// The address, with the port that the system chose for port 0.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Accepts clients until `drain` begins, then waits for the end of their connections. WebSockets are not waited for.
    pub async fn serve(self, router: Router) {
        let mut is_failing = false;
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = self.drain.cancelled() => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    is_failing = false;
                    self.admit(stream, &router);
                }
                // The client was gone before it was accepted.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                    ) => {}
                Err(error) => {
                    if !is_failing {
                        tracing::error!(%error, "could not accept a connection");
                        is_failing = true;
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        let Server {
            listener, connections, ..
        } = self;
        drop(listener);
        connections.close();
        connections.wait().await;
    }

    fn admit(&self, stream: TcpStream, router: &Router) {
        let Ok(permit) = self.places.clone().try_acquire_owned() else {
            if self.is_counted {
                metrics::client_rejected();
            }
            return self.reject(stream);
        };
        let place = Place {
            _permit: permit,
            _counted: self.is_counted.then(metrics::Open::client),
        };
        if keepalive::prepare(&stream).is_err() {
            return;
        }
        let (http, router, limit, drain) = (self.http.clone(), router.clone(), self.limit, self.drain.clone());
        match self.tls.clone() {
            None => {
                self.connections.spawn(async move {
                    let accepted = Instant::now();
                    let first = tokio::time::timeout(limit, speaks_http1(&stream));
                    let result = tokio::select! {
                        result = first => result,
                        () = drain.cancelled() => return,
                    };
                    let Ok(Ok(is_http1)) = result else {
                        tracing::debug!("client sent nothing");
                        return;
                    };
                    let client = Client {
                        stream,
                        place,
                        accepted,
                        is_http1,
                    };
                    connection::serve(http, client, router, limit, drain).await;
                });
            }
            Some(tls) => {
                self.connections.spawn(async move {
                    let handshake = tokio::time::timeout(limit, tls.accept(stream));
                    let result = tokio::select! {
                        result = handshake => result,
                        () = drain.cancelled() => return,
                    };
                    match result {
                        Ok(Ok(stream)) => {
                            let client = Client {
                                is_http1: stream.get_ref().1.alpn_protocol() == Some(tls::HTTP1),
                                stream,
                                place,
                                accepted: Instant::now(),
                            };
                            connection::serve(http, client, router, limit, drain).await;
                        }
                        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake of a client failed"),
                        Err(_) => tracing::debug!("TLS handshake of a client took too long"),
                    }
                });
            }
        }
    }

    /// Closes the connection. Without TLS the client receives an answer, unless too many do at the moment.
    fn reject(&self, mut stream: TcpStream) {
        if self.tls.is_some() {
            return;
        }
        let Ok(permit) = self.rejections.clone().try_acquire_owned() else {
            return;
        };
        self.connections.spawn(async move {
            let answer = async {
                stream.write_all(TOO_MANY).await?;
                stream.shutdown().await?;
                // If bytes were unread at the close, the system would reset the connection and the client lose the answer.
                let mut rest = [0; 1024];
                while stream.read(&mut rest).await? > 0 {}
                io::Result::Ok(())
            };
            // It does not matter whether the client reads the answer.
            drop(tokio::time::timeout(REJECTION, answer).await);
            drop(permit);
        });
    }
}

/// Whether the first bytes of a client are not those of HTTP/2. False as long as too few have come.
async fn speaks_http1(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0; 3];
    let length = stream.peek(&mut first).await?;
    Ok(!PREFACE.starts_with(&first[..length]))
}
