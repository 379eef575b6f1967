//! What tests, benches and clients share.
//!
//! | module | |
//! |---|---|
//! | [`signer`], [`issuer`] | keys, and tokens signed with them, made when a test runs |
//! | [`messages`] | the message of each rejection |
//! | `server`, `cluster`, `tree`, `loading` | throw-away PostgreSQL servers, with this library and others |
//! | `session`, `wire`, `connection` | clients: a session as an application has it, and the messages on the wire |
//! | `provider`, `key_server`, `key_server_tls` | identity providers, and the servers of their key sets |
//! | `pgbouncer` | the pooler |
//! | `guide` | the blocks of a page of the documentation, run as a reader would run them |
//! | `cases` | random cases that shrink (feature `cases`) |
//!
//! All except `signer`, `issuer`, `messages` and `cases` need the feature `server`.

#![allow(clippy::new_without_default, reason = "each call makes another key or port")]

use std::path::Path;

pub mod issuer;
pub mod messages;
pub mod signer;

#[cfg(feature = "cases")]
pub mod cases;
#[cfg(feature = "server")]
pub mod cluster;
#[cfg(feature = "server")]
pub mod connection;
#[cfg(feature = "server")]
pub mod guide;
#[cfg(feature = "server")]
pub mod key_server;
#[cfg(feature = "server")]
pub mod key_server_tls;
#[cfg(feature = "server")]
pub mod loading;
#[cfg(feature = "server")]
pub mod pgbouncer;
#[cfg(feature = "server")]
pub mod provider;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod session;
#[cfg(feature = "server")]
pub mod tree;
#[cfg(feature = "server")]
pub mod wire;

/// The directory of the whole project.
pub fn root() -> &'static Path {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    crates.and_then(Path::parent).expect("two directories above this crate")
}
