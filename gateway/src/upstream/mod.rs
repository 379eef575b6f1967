//! Connections to PostgreSQL.
//!
//! Written by hand on postgres-protocol: the known clients ask for binary results, and describe each statement in a separate
//! round trip.

mod address;
mod authentication;
mod cancel;
mod channel_binding;
mod connection;
pub mod login_check;
mod own_settings;
pub mod password_file;
mod stream;
mod target;
mod tls;

pub use cancel::Canceller;
pub use connection::Connection;
pub use stream::Stream;
pub use target::{Login, Password, Target};
