//! What tests, benches and clients share.
//!
//! | module | |
//! |---|---|
//! | [`signer`], [`issuer`] | keys, and tokens signed with them, made when a test runs |
//! | [`forgeries`] | tokens that must be rejected |
//! | [`malleable`] | other texts of the same signature |
//! | [`messages`] | the message of each rejection |
//! | [`clock`] | the time |
//! | `server`, `crash`, `data_directory`, `cluster`, `tree`, `loading` | throw-away PostgreSQL servers, with this library and others |
//! | `children` | processes that end together with the tests |
//! | `session`, `wire`, `connection` | clients: a session as an application has it, and the messages on the wire |
//! | `provider`, `key_server`, `key_server_tls` | identity providers, and the servers of their key sets |
//! | `connect_proxy`, `certificate` | a proxy to these servers, and the certificates in key sets |
//! | `pgbouncer` | the pooler |
//! | `guide` | the blocks of a page of the documentation, run as a reader would run them |
//! | `cases` | random cases that shrink (feature `cases`) |
//!
//! All except these need the feature `server`: `signer`, `issuer`, `forgeries`, `malleable`, `messages`, `clock`, `cases`.

#![allow(clippy::new_without_default, reason = "each call makes another key or port")]

use std::path::Path;

pub mod clock;
pub mod forgeries;
pub mod issuer;
pub mod malleable;
pub mod messages;
pub mod signer;

#[cfg(feature = "cases")]
pub mod cases;
#[cfg(feature = "server")]
pub mod certificate;
#[cfg(feature = "server")]
pub mod children;
#[cfg(feature = "server")]
pub mod cluster;
#[cfg(feature = "server")]
pub mod connect_proxy;
#[cfg(feature = "server")]
pub mod connection;
#[cfg(feature = "server")]
pub mod crash;
#[cfg(feature = "server")]
pub mod data_directory;
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
pub mod ports;
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
