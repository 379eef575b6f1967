//! The key of the server's file is the session's key for as long as it lives, in its parallel workers too.
//!
//! PostgreSQL ignores a change of the file in sessions that are there, but a worker that starts after the change has the
//! new file, and is not given the leader's value if that came from the old one (guc.c, PGC_BACKEND with PGC_SIGHUP). A
//! worker of a session with a key could then be one without. So a session makes the key of the file its own when it
//! begins: with the source OVERRIDE it goes to workers like any other value.

use pgrx::prelude::*;

use crate::guc::values::JWK;
use crate::guc::{lookup, names};
use crate::keys::proxy_key;
use crate::pg::hooks;

/// Makes the key the session's own now, or in the postmaster: in each session that it will start.
pub fn keep() {
    // SAFETY: reads a global of this process.
    if !unsafe { pg_sys::process_shared_preload_libraries_in_progress } {
        return keep_now();
    }
    hooks::after_authentication(keep_now);
}

fn keep_now() {
    if proxy_key::is_from_server()
        && let Some(key) = JWK.get().filter(|key| !key.is_empty())
    {
        lookup::assign(names::JWK, &key);
    }
}
