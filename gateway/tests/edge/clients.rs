//! A server with small limits, and clients that write and read bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::routing::{any, get, post};
use pg_session_jwt_gateway::server::Server;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The time that a client has for each step.
pub const LIMIT: Duration = Duration::from_millis(500);
/// More than any step takes on a busy machine.
pub const LONG: Duration = Duration::from_secs(20);
/// The size of the response of `/large`, more than all buffers on the way take.
pub const LARGE: usize = 16 * 1024 * 1024;

pub struct Running {
    pub address: SocketAddr,
    pub drain: CancellationToken,
    pub end: JoinHandle<()>,
    /// Receives when the memory of a response of `/large` is free.
    pub freed: mpsc::UnboundedReceiver<()>,
}

pub async fn start(max_clients: usize, tls: Option<Arc<ServerConfig>>) -> Running {
    start_with(max_clients, tls, LONG).await
}

/// The same, whose clients may be idle for so long.
pub async fn start_with(max_clients: usize, tls: Option<Arc<ServerConfig>>, idle: Duration) -> Running {
    let drain = CancellationToken::new();
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::bind(local, tls, max_clients, LIMIT, drain.clone())
        .await
        .unwrap()
        .with_idle(idle);
    let address = server.address().unwrap();
    let (free, freed) = mpsc::unbounded_channel();
    let end = tokio::spawn(server.serve(routes(free)));
    Running {
        address,
        drain,
        end,
        freed,
    }
}

fn routes(free: mpsc::UnboundedSender<()>) -> Router {
    let slow = async || {
        tokio::time::sleep(2 * LIMIT).await;
        "slow"
    };
    let large = async move || Body::from(Bytes::from_owner(Large(vec![b'x'; LARGE], free.clone())));
    let echo = async |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async |mut socket| {
            while let Some(Ok(message)) = socket.recv().await {
                if socket.send(message).await.is_err() {
                    return;
                }
            }
        })
    };
    Router::new()
        .route("/", get(async || "ok"))
        .route("/echo", post(async |body: String| body))
        .route("/slow", get(slow))
        .route("/large", get(large))
        .route("/v2", any(echo))
}

struct Large(Vec<u8>, mpsc::UnboundedSender<()>);

impl AsRef<[u8]> for Large {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        let _ = self.1.send(());
    }
}

pub async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// Sends a request without a body, and returns status and body of the response.
pub async fn get_over(stream: &mut TcpStream, path: &str) -> (u16, String) {
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes())
        .await
        .unwrap();
    response(stream).await
}

/// Reads a response with a Content-Length.
pub async fn response(stream: &mut (impl AsyncRead + Unpin)) -> (u16, String) {
    let head = head(stream).await;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (
        head.split(' ').nth(1).unwrap().parse().unwrap(),
        String::from_utf8(body).unwrap(),
    )
}

/// Reads the head of a response.
pub async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tokio::time::timeout(LONG, stream.read_u8()).await.unwrap().unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Reads until the server closes the connection, and returns what came.
pub async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        match tokio::time::timeout(LONG, stream.read(&mut part))
            .await
            .expect("the connection stays open")
        {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&part[..length]),
            Err(_) => break,
        }
    }
    String::from_utf8(bytes).unwrap()
}
