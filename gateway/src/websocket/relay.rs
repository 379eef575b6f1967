//! Passes on the bytes of a session, in both directions at the same time.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::{Bytes, BytesMut};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use sql_over_http::failure::{Failure, sqlstate};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::watch;

use super::cancel_keys::Issued;
use super::{Frames, fatal};
use crate::service::Service;
use crate::upstream::{Connection, Stream};

/// What is read from PostgreSQL for one frame.
const FRAME: usize = 64 * 1024;
/// ReadyForQuery outside a transaction, at the end of what PostgreSQL has sent: the session waits for its client.
const IDLE: &[u8] = b"Z\0\0\0\x05I";
/// How long the ends of a connection may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs until one of the two sides ends the session, or until the gateway stops.
pub async fn run(service: &Service, client: Frames, connection: Connection, issued: Issued) {
    let canceller = connection.canceller();
    let Frames { socket, received } = client;
    let (mut to_client, from_client) = socket.split();
    let (stream, early) = connection.into_stream();
    let (from_server, to_server) = tokio::io::split(stream);
    let (idle, mut is_idle) = watch::channel(true);

    let stopping = async {
        service.drain.cancelled().await;
        // The sender lives as long as the relay.
        let _ = is_idle.wait_for(|idle| *idle).await;
    };
    let cut = async {
        tokio::select! {
            () = to_postgresql(from_client, to_server, received, &idle) => {}
            () = service.end.cancelled() => {}
        }
    };
    let failure = tokio::select! {
        () = cut => {
            // What the client has begun is of no use to anybody, and would run on.
            let _ = tokio::time::timeout(PATIENCE, canceller.cancel()).await;
            None
        }
        () = from_postgresql(from_server, &mut to_client, early, &idle) => None,
        () = stopping => Some(Failure::new(sqlstate::ADMIN_SHUTDOWN, "gateway is shutting down")),
    };
    let end = async {
        if let Some(failure) = failure {
            let _ = to_client.send(Message::Binary(fatal(&failure))).await;
        }
        let frame = CloseFrame {
            code: close_code::NORMAL,
            reason: "".into(),
        };
        let _ = to_client.send(Message::Close(Some(frame))).await;
    };
    let _ = tokio::time::timeout(PATIENCE, end).await;
    drop(issued);
}

/// Until the client is gone, or sends what is no binary frame.
async fn to_postgresql(
    mut client: SplitStream<WebSocket>,
    mut server: WriteHalf<Stream>,
    early: BytesMut,
    idle: &watch::Sender<bool>,
) {
    let mut bytes = early.freeze();
    loop {
        if !bytes.is_empty() {
            idle.send_replace(false);
            if server.write_all(&bytes).await.is_err() || server.flush().await.is_err() {
                // PostgreSQL may have said why; the other direction reads it and ends the relay.
                return std::future::pending().await;
            }
        }
        bytes = match client.next().await {
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Bytes::new(),
            Some(Ok(Message::Text(_) | Message::Close(_)) | Err(_)) | None => return,
        };
    }
}

/// Until PostgreSQL ends the connection.
async fn from_postgresql(
    mut server: ReadHalf<Stream>,
    client: &mut SplitSink<WebSocket, Message>,
    early: BytesMut,
    idle: &watch::Sender<bool>,
) {
    let mut bytes = early;
    loop {
        if !bytes.is_empty() {
            if bytes.ends_with(IDLE) {
                idle.send_replace(true);
            }
            if client.send(Message::Binary(bytes.split().freeze())).await.is_err() {
                return;
            }
        }
        bytes.reserve(FRAME);
        match server.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}
