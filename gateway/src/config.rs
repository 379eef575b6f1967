//! The command line. Each option can be given as an environment variable too.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use tracing::level_filters::LevelFilter;

/// The role that needs no token.
pub const ANONYMOUS: &str = "anonymous";

const MIB: usize = 1024 * 1024;

/// Serves Neon's serverless driver, over HTTP (/sql) and WebSocket (/v2), from a PostgreSQL that verifies the tokens.
#[derive(Debug, Clone, Parser)]
#[command(version, next_line_help = true)]
pub struct Config {
    /// Address for the driver: HTTP and WebSocket
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_LISTEN",
        default_value = "127.0.0.1:4444",
        value_name = "ADDRESS:PORT"
    )]
    pub listen: SocketAddr,
    /// Address for operators: /healthz, /readyz, /metrics
    #[arg(long, env = "PG_SESSION_JWT_GATEWAY_STATUS_LISTEN", value_name = "ADDRESS:PORT")]
    pub status_listen: Option<SocketAddr>,
    /// Certificate chain, as PEM; reread on SIGHUP
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_TLS_CERT",
        requires = "tls_key",
        value_name = "FILE"
    )]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate, as PEM; reread on SIGHUP
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_TLS_KEY",
        requires = "tls_cert",
        value_name = "FILE"
    )]
    pub tls_key: Option<PathBuf>,
    /// Origin whose pages may send requests from a browser; `*` permits all
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_ALLOW_ORIGIN",
        default_value = "*",
        value_delimiter = ',',
        value_name = "ORIGIN"
    )]
    pub allow_origin: Vec<String>,

    /// PostgreSQL server: HOST, HOST:PORT, or the directory of its socket; several are tried in their order
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_POSTGRES",
        default_value = "localhost:5432",
        value_delimiter = ',',
        value_name = "HOST[:PORT]"
    )]
    pub postgres: Vec<String>,
    /// Which server to use: any, or only one that accepts writes
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_TARGET_SESSION_ATTRS",
        default_value = "any",
        value_name = "ATTRIBUTES"
    )]
    pub target_session_attrs: TargetSessionAttrs,
    /// Database that clients may name; repeat it for several
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_DATABASE",
        required = true,
        value_delimiter = ',',
        value_name = "NAME"
    )]
    pub database: Vec<String>,
    /// Login of the gateway
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_USER",
        default_value = "jwt_gateway",
        value_name = "NAME"
    )]
    pub user: String,
    /// File with the password of that login; reread for each connection
    #[arg(long, env = "PG_SESSION_JWT_GATEWAY_PASSWORD_FILE", value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Role that clients may name as the user; each but `anonymous` needs a token
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_ROLE",
        default_value = "authenticated,anonymous",
        value_delimiter = ',',
        value_name = "NAME"
    )]
    pub role: Vec<String>,
    /// Setting of each connection to PostgreSQL, such as search_path=app
    #[arg(long, env = "PG_SESSION_JWT_GATEWAY_SET", value_name = "NAME=VALUE", value_parser = setting)]
    pub set: Vec<(String, String)>,
    /// TLS to PostgreSQL, as libpq defines these modes
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_SSLMODE",
        default_value = "prefer",
        value_name = "MODE"
    )]
    pub sslmode: SslMode,
    /// Certificate authorities for PostgreSQL's certificate, as PEM, reread on SIGHUP; `system` uses those of the system
    #[arg(long, env = "PG_SESSION_JWT_GATEWAY_SSLROOTCERT", value_name = "FILE")]
    pub sslrootcert: Option<PathBuf>,
    /// Client certificate for PostgreSQL, as PEM; reread on SIGHUP
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_SSLCERT",
        requires = "sslkey",
        value_name = "FILE"
    )]
    pub sslcert: Option<PathBuf>,
    /// Private key of the client certificate, as PEM; reread on SIGHUP
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_SSLKEY",
        requires = "sslcert",
        value_name = "FILE"
    )]
    pub sslkey: Option<PathBuf>,
    /// Tie SCRAM logins to PostgreSQL's certificate, as libpq does
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_CHANNEL_BINDING",
        default_value = "prefer",
        value_name = "MODE"
    )]
    pub channel_binding: ChannelBinding,
    /// Accept other users too, with the password that PostgreSQL checks
    #[arg(long, env = "PG_SESSION_JWT_GATEWAY_PASSWORD_LOGINS")]
    pub password_logins: bool,

    /// Connections to PostgreSQL for requests over HTTP, per database
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_MAX_CONNECTIONS",
        default_value_t = 20,
        value_name = "N"
    )]
    pub max_connections: usize,
    /// Connections that requests of one role may use at the same time; by default all
    #[arg(long, env = "PG_SESSION_JWT_GATEWAY_MAX_CONNECTIONS_PER_ROLE", value_name = "N")]
    pub max_connections_per_role: Option<usize>,
    /// WebSockets; each has its own connection to PostgreSQL
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_MAX_WEBSOCKETS",
        default_value_t = 50,
        value_name = "N"
    )]
    pub max_websockets: usize,
    /// Requests that may wait for a connection to PostgreSQL
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_MAX_WAITING",
        default_value_t = 1000,
        value_name = "N"
    )]
    pub max_waiting: usize,
    /// Connections of clients
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_MAX_CLIENTS",
        default_value_t = 10_000,
        value_name = "N"
    )]
    pub max_clients: usize,
    /// Size of a request's body
    #[arg(long, env = "PG_SESSION_JWT_GATEWAY_MAX_REQUEST_BYTES", default_value_t = 64 * MIB, value_name = "BYTES")]
    pub max_request_bytes: usize,
    /// Size of a response's body
    #[arg(long, env = "PG_SESSION_JWT_GATEWAY_MAX_RESPONSE_BYTES", default_value_t = 64 * MIB, value_name = "BYTES")]
    pub max_response_bytes: usize,
    /// Statements in a batch
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_MAX_STATEMENTS",
        default_value_t = 1000,
        value_name = "N"
    )]
    pub max_statements: usize,
    /// Memory for the bodies of all requests and responses
    #[arg(long, env = "PG_SESSION_JWT_GATEWAY_MAX_MEMORY_BYTES", default_value_t = 512 * MIB, value_name = "BYTES")]
    pub max_memory_bytes: usize,
    /// Time of a request, in seconds, waiting included
    #[arg(long, env = "PG_SESSION_JWT_GATEWAY_REQUEST_TIMEOUT", default_value = "30", value_parser = seconds, value_name = "SECONDS")]
    pub request_timeout: Duration,
    /// Time to connect to PostgreSQL, in seconds, login included
    #[arg(long, env = "PG_SESSION_JWT_GATEWAY_CONNECT_TIMEOUT", default_value = "5", value_parser = seconds, value_name = "SECONDS")]
    pub connect_timeout: Duration,
    /// Time in which a client must have sent its headers, and between two parts of its body, in seconds
    #[arg(long, env = "PG_SESSION_JWT_GATEWAY_CLIENT_TIMEOUT", default_value = "10", value_parser = seconds, value_name = "SECONDS")]
    pub client_timeout: Duration,
    /// Time after which an unused connection to PostgreSQL is closed, in seconds
    #[arg(long, env = "PG_SESSION_JWT_GATEWAY_IDLE_TIMEOUT", default_value = "300", value_parser = seconds, value_name = "SECONDS")]
    pub idle_timeout: Duration,
    /// Time that running requests have after SIGTERM, in seconds
    #[arg(long, env = "PG_SESSION_JWT_GATEWAY_DRAIN_TIMEOUT", default_value = "30", value_parser = seconds, value_name = "SECONDS")]
    pub drain_timeout: Duration,
    /// Form of the log, on standard error
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_LOG_FORMAT",
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub log_format: LogFormat,
    /// Least level of the log: error, warn, info, debug
    #[arg(
        long,
        env = "PG_SESSION_JWT_GATEWAY_LOG_LEVEL",
        default_value = "info",
        value_parser = level,
        value_name = "LEVEL"
    )]
    pub log_level: LevelFilter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TargetSessionAttrs {
    Any,
    ReadWrite,
}

/// The modes of libpq (PostgreSQL manual, "SSL Mode Descriptions") but `allow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SslMode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// The modes of libpq (PostgreSQL manual, "Parameter Key Words").
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChannelBinding {
    Disable,
    Prefer,
    Require,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

fn level(text: &str) -> Result<LevelFilter, String> {
    match text {
        "error" => Ok(LevelFilter::ERROR),
        "warn" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        _ => Err("must be error, warn, info or debug".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("must be a number of seconds, more than 0 and at most 86400".to_owned()),
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !text.contains('\0') => Ok((name.to_owned(), value.to_owned())),
        _ => Err("must be NAME=VALUE".to_owned()),
    }
}
