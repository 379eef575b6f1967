//! The server for clients, without PostgreSQL: other routes take the place of the gateway's.

mod clients;
mod cors;
mod drain;
mod limits;
mod status;
mod tls;
