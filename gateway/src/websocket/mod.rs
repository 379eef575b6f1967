//! `/v2`: PostgreSQL's protocol in the frames of a WebSocket, for the driver's `Client` and `Pool`.
//!
//! The password is the token. The gateway asks for it as clear text, logs in to PostgreSQL as itself, sets role and token
//! for the session, and then passes on all bytes. Each WebSocket has its own connection, which is never used again.

pub mod cancel_keys;
mod relay;
pub mod startup;

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::sync::OwnedSemaphorePermit;

use self::cancel_keys::Issued;
use self::startup::{First, Startup};
use crate::service::{Client, Service};
use crate::upstream::{Connection, Login};
use crate::{metrics, response};
use sql_over_http::connection_string::Address;
use sql_over_http::failure::{Failure, sqlstate};

/// The largest frame of a client.
const LARGEST_FRAME: usize = 16 * 1024 * 1024;

pub async fn upgrade(State(service): State<Arc<Service>>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    // Browsers do not ask for permission before a WebSocket, but they name the origin.
    let origin = headers.get(header::ORIGIN).map(|origin| origin.as_bytes());
    let permitted = &service.config.allow_origin;
    let is_permitted =
        origin.is_none_or(|origin| permitted.iter().any(|text| text == "*" || text.as_bytes() == origin));
    if !is_permitted {
        let failure = Failure::with_status(403, sqlstate::INVALID_AUTHORIZATION, "origin is not allowed");
        return response::failure(&failure);
    }
    let place = match service.admit_websocket() {
        Ok(place) => place,
        Err(failure) => return response::failure(&failure),
    };
    let upgrade = upgrade.max_message_size(LARGEST_FRAME).max_frame_size(LARGEST_FRAME);
    upgrade
        .on_upgrade(move |socket| {
            let tasks = service.tasks.clone();
            tasks.track_future(serve(service, socket, place))
        })
        .into_response()
}

async fn serve(service: Arc<Service>, socket: WebSocket, place: OwnedSemaphorePermit) {
    let _counted = metrics::Open::websocket();
    let mut client = Frames {
        socket,
        received: BytesMut::new(),
    };
    let time = service.config.client_timeout + service.config.connect_timeout;
    let started = tokio::select! {
        started = tokio::time::timeout(time, start(&service, &mut client)) => {
            started.unwrap_or_else(|_| Err(Failure::new(sqlstate::QUERY_CANCELED, "startup did not end in time")))
        }
        () = service.drain.cancelled() => Err(Failure::new(sqlstate::ADMIN_SHUTDOWN, "gateway is shutting down")),
    };
    match started {
        Ok(Some((connection, issued))) => relay::run(&service, client, connection, issued).await,
        // A cancel request has no answer.
        Ok(None) => client.close().await,
        Err(failure) => {
            if failure.code().starts_with("28") {
                metrics::login_rejected(failure.code());
            }
            // The client may be gone.
            let _ = client.send(fatal(&failure)).await;
            client.close().await;
        }
    }
    drop(place);
}

/// From the first byte to the ReadyForQuery. None after a cancel request.
async fn start(service: &Service, client: &mut Frames) -> Result<Option<(Connection, Issued)>, Failure> {
    let startup = loop {
        match startup::first(&mut client.received)? {
            None => client.receive().await?,
            Some(First::Encryption) => client.send(Bytes::from_static(b"N")).await?,
            Some(First::Cancel { pid, secret }) => {
                if let Some(canceller) = service.cancel_keys.find((pid, secret)) {
                    // PostgreSQL does not tell either whether a query was cancelled.
                    let _ = canceller.cancel().await;
                }
                return Ok(None);
            }
            Some(First::Startup(startup)) => break startup,
        }
    };
    // AuthenticationCleartextPassword.
    client.send(Bytes::from_static(b"R\0\0\0\x08\0\0\0\x03")).await?;
    let password = loop {
        match startup::password(&mut client.received)? {
            None => client.receive().await?,
            Some(password) => break password,
        }
    };
    let mut connection = log_in(service, &startup, password).await?;
    for (name, value) in &startup.settings {
        connection
            .query("SELECT pg_catalog.set_config($1, $2, false)", &[name, value])
            .await?;
    }
    let issued = service.cancel_keys.issue(connection.canceller());
    let issued = issued.map_err(|_| Failure::new(sqlstate::INSUFFICIENT_RESOURCES, "could not get a random number"))?;
    client.send(ready(&connection, &issued)).await?;
    Ok(Some((connection, issued)))
}

/// A connection on which the session is the client's.
async fn log_in(service: &Service, startup: &Startup, password: String) -> Result<Connection, Failure> {
    let token = Some(password.as_str()).filter(|password| !password.is_empty());
    let is_role = service.has_role(&startup.user);
    let address = Address {
        user: startup.user.clone(),
        password: token.filter(|_| !is_role).map(str::to_owned),
        database: startup.database.clone(),
    };
    match service.client(address, token.filter(|_| is_role))? {
        Client::Role { role, token, database } => {
            let mut connection = service.target.connect(&Login::own(&service.config, &database)).await?;
            connection
                .query("SELECT pg_catalog.set_config('role', $1, false)", &[&role])
                .await?;
            if let Some(token) = token {
                connection.query("SELECT auth.jwt_session_init($1)", &[&token]).await?;
            }
            Ok(connection)
        }
        Client::Login {
            user,
            password,
            database,
        } => service.connect_with_password(&user, &password, &database).await,
    }
}

/// The messages after a successful login.
fn ready(connection: &Connection, issued: &Issued) -> Bytes {
    let mut bytes = BytesMut::new();
    // AuthenticationOk.
    bytes.put_slice(b"R\0\0\0\x08\0\0\0\0");
    for (name, value) in connection.parameters() {
        message(&mut bytes, b'S', |bytes| {
            for text in [name, value] {
                bytes.put_slice(text.as_bytes());
                bytes.put_u8(0);
            }
        });
    }
    message(&mut bytes, b'K', |bytes| {
        bytes.put_i32(issued.key.0);
        bytes.put_i32(issued.key.1);
    });
    message(&mut bytes, b'Z', |bytes| bytes.put_u8(b'I'));
    bytes.freeze()
}

/// An ErrorResponse that ends the session.
pub fn fatal(failure: &Failure) -> Bytes {
    let mut bytes = BytesMut::new();
    message(&mut bytes, b'E', |bytes| {
        let fields = &failure.fields;
        let texts = [
            (b'S', Some("FATAL")),
            (b'V', Some("FATAL")),
            (b'C', fields.code.as_deref()),
            (b'M', Some(fields.message.as_str())),
            (b'D', fields.detail.as_deref()),
            (b'H', fields.hint.as_deref()),
        ];
        for (kind, text) in texts {
            let Some(text) = text else { continue };
            bytes.put_u8(kind);
            bytes.put_slice(text.replace('\0', " ").as_bytes());
            bytes.put_u8(0);
        }
        bytes.put_u8(0);
    });
    bytes.freeze()
}

/// A message with its length.
fn message(bytes: &mut BytesMut, kind: u8, content: impl FnOnce(&mut BytesMut)) {
    let mut body = BytesMut::new();
    content(&mut body);
    bytes.put_u8(kind);
    bytes.put_i32(i32::try_from(body.len() + 4).unwrap_or(i32::MAX));
    bytes.put_slice(&body);
}

/// The bytes of a client.
struct Frames {
    socket: WebSocket,
    received: BytesMut,
}

impl Frames {
    /// Waits for the next frame.
    async fn receive(&mut self) -> Result<(), Failure> {
        loop {
            match self.socket.recv().await {
                Some(Ok(Message::Binary(bytes))) => {
                    self.received.extend_from_slice(&bytes);
                    return Ok(());
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Text(_))) => {
                    return Err(Failure::new(sqlstate::PROTOCOL_VIOLATION, "frames must be binary"));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(gone()),
            }
        }
    }

    async fn send(&mut self, bytes: Bytes) -> Result<(), Failure> {
        self.socket.send(Message::Binary(bytes)).await.map_err(|_| gone())
    }

    async fn close(mut self) {
        let frame = CloseFrame {
            code: close_code::NORMAL,
            reason: "".into(),
        };
        // A client that is gone needs no goodbye.
        let _ = self.socket.send(Message::Close(Some(frame))).await;
    }
}

fn gone() -> Failure {
    Failure::new(sqlstate::CONNECTION_FAILURE, "client is gone")
}
