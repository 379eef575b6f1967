//! Where PostgreSQL is, and how the gateway logs in.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sql_over_http::failure::{Failure, sqlstate};
use tokio::net::{TcpStream, UnixStream};

use super::address::{Address, Host};
use super::authentication::log_in;
use super::cancel::Route;
use super::connection::Connection;
use super::own_settings;
use super::password_file;
use super::stream::Stream;
use super::tls::Tls;
use crate::config::{ChannelBinding, Config, TargetSessionAttrs};
use crate::{keepalive, metrics};

/// How often planted settings are removed before a connection fails.
const ROUNDS: usize = 5;

/// How a stream to a server is opened.
pub struct Link {
    tls: Tls,
}

pub struct Target {
    link: Arc<Link>,
    hosts: Vec<Host>,
    read_write: bool,
    channel_binding: ChannelBinding,
    timeout: Duration,
    max_message: usize,
}

/// Who logs in.
#[derive(Clone)]
pub struct Login {
    pub user: String,
    pub database: String,
    pub password: Password,
    pub settings: Vec<(String, String)>,
    /// Whether it is the gateway's own login, whose failures are not for clients.
    pub own: bool,
}

#[derive(Clone)]
pub enum Password {
    None,
    File(PathBuf),
    Text(String),
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(..)")
    }
}

impl Login {
    /// A login of a client, with `--password-logins`.
    pub fn of_client(user: &str, database: &str, password: &str, settings: &[(String, String)]) -> Login {
        Login {
            user: user.to_owned(),
            database: database.to_owned(),
            password: Password::Text(password.to_owned()),
            settings: settings.to_vec(),
            own: false,
        }
    }

    /// The gateway's login, which serves all roles of a database.
    pub fn own(config: &Config, database: &str) -> Login {
        Login {
            user: config.user.clone(),
            database: database.to_owned(),
            password: config.password_file.clone().map_or(Password::None, Password::File),
            settings: config.set.clone(),
            own: true,
        }
    }

    pub(super) fn password(&self) -> Result<String, Failure> {
        match &self.password {
            Password::Text(text) => Ok(text.clone()),
            Password::None => Err(no_connection(
                "PostgreSQL asks for a password, and the gateway has none",
            )),
            Password::File(path) => password_file::read(path)
                .map_err(|error| no_connection(format!("could not read the password file: {error}"))),
        }
    }
}

impl Link {
    pub(super) fn new(tls: Tls) -> Link {
        Link { tls }
    }

    pub async fn open(&self, address: &Address) -> io::Result<Stream> {
        match address {
            Address::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
            Address::Tcp { name, address } => {
                let stream = TcpStream::connect(address).await?;
                keepalive::prepare(&stream)?;
                self.tls.negotiate(stream, name).await
            }
        }
    }
}

impl Target {
    /// An error is a text for the operator.
    pub fn of_config(config: &Config) -> Result<Target, String> {
        let hosts = config
            .postgres
            .iter()
            .map(|text| Host::parse(text))
            .collect::<Result<_, _>>()?;
        Ok(Target {
            link: Arc::new(Link::new(Tls::of_config(config)?)),
            hosts,
            read_write: config.target_session_attrs == TargetSessionAttrs::ReadWrite,
            channel_binding: config.channel_binding,
            timeout: config.connect_timeout,
            // A row that does not fit into a response need not be read. Some space for its lengths, and for errors.
            max_message: config.max_response_bytes.saturating_add(1024 * 1024),
        })
    }

    /// Reads the certificates for new connections again.
    pub fn reload(&self, config: &Config) -> Result<(), String> {
        self.link.tls.reload(config)
    }

    /// Like [`Target::connect_or_explain`], with a failure for clients. What PostgreSQL says of the gateway's login, and why a
    /// server was not reached, is for the operator, who finds it in the log.
    pub async fn connect(&self, login: &Login) -> Result<Connection, Failure> {
        let result = self.connect_or_explain(login).await;
        result.map_err(|failure| {
            if login.own || failure.code() == sqlstate::UNABLE_TO_CONNECT {
                no_connection("gateway could not connect to PostgreSQL")
            } else {
                failure
            }
        })
    }

    /// Connects to the first server that accepts the login. The connection of the gateway's own login has no settings that
    /// an end user has planted.
    pub async fn connect_or_explain(&self, login: &Login) -> Result<Connection, Failure> {
        for _ in 0..ROUNDS {
            let version = match self.connect_once(login).await {
                Ok(connection) if !login.own => return Ok(connection),
                Ok(mut connection) => {
                    // A planted timeout can make the question itself fail.
                    let planted = self.in_time(own_settings::planted(&mut connection)).await;
                    if planted.as_ref().is_ok_and(Vec::is_empty) {
                        return Ok(connection);
                    }
                    Self::leave(connection).await
                }
                // A planted library makes each connection fail.
                Err(failure) if login.own && own_settings::can_cause(&failure) => {
                    let undisturbed = own_settings::undisturbed(login, None);
                    let connection = self.connect_once(&undisturbed).await?;
                    Self::leave(connection).await
                }
                Err(failure) => return Err(failure),
            };
            let undisturbed = own_settings::undisturbed(login, version.as_deref());
            let mut connection = self.connect_once(&undisturbed).await?;
            // Another connection may be removing them, too.
            if let Err(failure) = self.in_time(own_settings::remove(&mut connection)).await {
                tracing::warn!(
                    code = failure.code(),
                    "could not remove settings: {}",
                    failure.fields.message
                );
            }
            connection.close().await;
        }
        Err(no_connection(
            "settings of the gateway's login are changed again and again",
        ))
    }

    async fn in_time<T>(&self, future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let result = tokio::time::timeout(self.timeout, future).await;
        result.unwrap_or_else(|_| Err(no_connection("PostgreSQL did not answer in time")))
    }

    async fn connect_once(&self, login: &Login) -> Result<Connection, Failure> {
        let mut last = no_connection("no PostgreSQL server is configured");
        for host in &self.hosts {
            let addresses = self.in_time(async { host.addresses().await.map_err(|error| no_stream(&error)) });
            let addresses = addresses.await.unwrap_or_else(|failure| {
                metrics::connect_failed();
                tracing::warn!(%host, "could not find the address of PostgreSQL: {}", failure.fields.message);
                last = failure;
                Vec::new()
            });
            for address in addresses {
                match self.in_time(self.connect_to(&address, login)).await {
                    Ok(connection) => {
                        metrics::connected();
                        return Ok(connection);
                    }
                    Err(failure) => {
                        metrics::connect_failed();
                        tracing::warn!(
                            %host, %address, code = failure.code(),
                            "could not connect to PostgreSQL: {}", failure.fields.message
                        );
                        // As libpq: another server would not know the password better, and each would count a failed login.
                        if failure.code().starts_with("28") {
                            return Err(failure);
                        }
                        last = failure;
                    }
                }
            }
        }
        Err(last)
    }

    /// Closes a connection, and returns PostgreSQL's version.
    async fn leave(connection: Connection) -> Option<String> {
        let version = connection.parameter("server_version").map(str::to_owned);
        connection.close().await;
        version
    }

    async fn connect_to(&self, address: &Address, login: &Login) -> Result<Connection, Failure> {
        let route = Route {
            link: self.link.clone(),
            address: address.clone(),
        };
        let stream = self.link.open(address).await.map_err(|error| no_stream(&error))?;
        let mut connection = Connection::new(stream, route, self.max_message);
        log_in(&mut connection, login, self.channel_binding).await?;
        // Not `default_transaction_read_only`, which an end user can set for the login.
        if self.read_write && connection.parameter("in_hot_standby") != Some("off") {
            return Err(no_connection("server does not accept writes"));
        }
        Ok(connection)
    }
}

fn no_stream(error: &io::Error) -> Failure {
    no_connection(format!("could not connect to PostgreSQL: {error}"))
}

pub(super) fn no_connection(message: impl Into<String>) -> Failure {
    Failure::with_status(503, sqlstate::UNABLE_TO_CONNECT, message)
}
