//! A key from the server's file is the session's key for the whole life of the session, in its parallel workers too.
//!
//! PostgreSQL ignores a change of the file in open sessions. A worker that starts after the change has the new file. It does
//! not receive the leader's value if that came from the old file (guc.c, PGC_BACKEND with PGC_SIGHUP). A worker of a
//! session with a key could therefore have none. So each session retains the key of the file when it begins: with the
//! source OVERRIDE it is passed to workers like any other value.

use crate::guc::{lookup, names, process, values};
use crate::keys::proxy_key;
use crate::pg::hooks;

/// Retains the key in this session, or from the postmaster in each session that it will start.
pub fn retain() {
    if process::is_preloading() {
        hooks::after_authentication(retain_now);
    } else {
        retain_now();
    }
}

fn retain_now() {
    if proxy_key::is_from_server() && values::jwk().is_some() {
        lookup::retain(names::JWK);
    }
}
