//! Tests with real servers and several sessions: what a client sees, over the wire.
//!
//! PG_CONFIG names the PostgreSQL, in which the extension must be installed. Servers, databases, keys and tokens are
//! made by the tests.

mod identity;
mod server;
mod session;
#[path = "../core/sign.rs"]
#[allow(dead_code, reason = "shared with tests/core, which uses all of it")]
mod sign;
