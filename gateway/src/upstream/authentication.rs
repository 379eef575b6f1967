//! The login: the start-up message, and the password in the way that PostgreSQL asks for (PostgreSQL manual, "Start-up").

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::ScramSha256;
use postgres_protocol::message::backend::{AuthenticationSaslBody, Message};
use postgres_protocol::message::frontend;
use sql_over_http::failure::{Failure, sqlstate};

use super::channel_binding::{self, NOT_BOUND};
use super::connection::Connection;
use super::target::Login;
use crate::config::ChannelBinding;

/// Logs in, and reads to the first ReadyForQuery.
pub async fn log_in(connection: &mut Connection, login: &Login, binding: ChannelBinding) -> Result<(), Failure> {
    let mut bytes = BytesMut::new();
    let own = [
        ("user", login.user.as_str()),
        ("database", login.database.as_str()),
        ("client_encoding", "UTF8"),
        ("application_name", "pg_session_jwt_gateway"),
        // The token is a parameter. log_parameter_max_length can be set by superusers only: see setup.sql.
        ("log_parameter_max_length_on_error", "0"),
    ];
    let settings = login
        .settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    frontend::startup_message(own.into_iter().chain(settings), &mut bytes).map_err(|_| protocol())?;
    connection.queue(bytes);
    authenticate(connection, login, binding).await?;
    match receive(connection).await? {
        Message::ReadyForQuery(_) => Ok(()),
        Message::ErrorResponse(error) => Err(Failure::of_server(&error)),
        _ => Err(protocol()),
    }
}

async fn authenticate(connection: &mut Connection, login: &Login, binding: ChannelBinding) -> Result<(), Failure> {
    match receive(connection).await? {
        Message::AuthenticationSasl(body) => scram(connection, &body, login.password()?.as_bytes(), binding).await?,
        Message::ErrorResponse(error) => return Err(Failure::of_server(&error)),
        _ if binding == ChannelBinding::Require => return Err(failed(NOT_BOUND)),
        // PostgreSQL knows the gateway's address, not the client: what pg_hba.conf trusts is the gateway's own login.
        Message::AuthenticationOk if login.own => return Ok(()),
        Message::AuthenticationOk => {
            return Err(Failure::new(
                sqlstate::INVALID_AUTHORIZATION,
                "PostgreSQL does not ask for the password of this user",
            )
            .hint("Demand a password of the gateway's address in pg_hba.conf."));
        }
        Message::AuthenticationCleartextPassword => {
            if !connection.is_private() {
                return Err(failed(
                    "PostgreSQL asks for the password as clear text, and the connection is not encrypted",
                ));
            }
            send_password(connection, login.password()?.as_bytes())?;
        }
        Message::AuthenticationMd5Password(body) => {
            let hash = md5_hash(login.user.as_bytes(), login.password()?.as_bytes(), body.salt());
            send_password(connection, hash.as_bytes())?;
        }
        _ => {
            return Err(failed(
                "PostgreSQL asks for a way to log in that the gateway does not support",
            ));
        }
    }
    match receive(connection).await? {
        Message::AuthenticationOk => Ok(()),
        Message::ErrorResponse(error) => Err(Failure::of_server(&error)),
        _ => Err(protocol()),
    }
}

/// SCRAM-SHA-256 (RFC 7677). The server proves that it knows the password, too.
async fn scram(
    connection: &mut Connection,
    body: &AuthenticationSaslBody,
    password: &[u8],
    binding: ChannelBinding,
) -> Result<(), Failure> {
    let mechanisms: Vec<String> = body
        .mechanisms()
        .map(|name| Ok(name.to_owned()))
        .collect()
        .map_err(|_| protocol())?;
    let (mechanism, binding) =
        channel_binding::choose(binding, &mechanisms, connection.certificate()).map_err(failed)?;
    let mut scram = ScramSha256::new(password, binding);
    let mut bytes = BytesMut::new();
    frontend::sasl_initial_response(mechanism, scram.message(), &mut bytes).map_err(|_| protocol())?;
    connection.queue(bytes);
    match receive(connection).await? {
        Message::AuthenticationSaslContinue(body) => scram.update(body.data()).map_err(|_| protocol())?,
        Message::ErrorResponse(error) => return Err(Failure::of_server(&error)),
        _ => return Err(protocol()),
    }
    let mut bytes = BytesMut::new();
    frontend::sasl_response(scram.message(), &mut bytes).map_err(|_| protocol())?;
    connection.queue(bytes);
    match receive(connection).await? {
        Message::AuthenticationSaslFinal(body) => scram
            .finish(body.data())
            .map_err(|_| failed("PostgreSQL does not know the password")),
        Message::ErrorResponse(error) => Err(Failure::of_server(&error)),
        _ => Err(protocol()),
    }
}

fn send_password(connection: &mut Connection, password: &[u8]) -> Result<(), Failure> {
    let mut bytes = BytesMut::new();
    frontend::password_message(password, &mut bytes).map_err(|_| failed("password contains a null character"))?;
    connection.queue(bytes);
    Ok(())
}

async fn receive(connection: &mut Connection) -> Result<Message, Failure> {
    connection.next().await.map_err(|error| {
        tracing::debug!(%error, "PostgreSQL ended the connection during the login");
        failed("PostgreSQL ended the connection during the login")
    })
}

fn protocol() -> Failure {
    failed("unexpected message from PostgreSQL during the login")
}

fn failed(message: &str) -> Failure {
    Failure::with_status(503, sqlstate::UNABLE_TO_CONNECT, message)
}
