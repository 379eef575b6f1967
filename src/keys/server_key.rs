//! The key of the server's file is the session's key for as long as it lives, in its parallel workers too.
//!
//! PostgreSQL ignores a change of the file in sessions that are there, but a worker that starts after the change has the
//! new file, and is not given the leader's value if that came from the old one (guc.c, PGC_BACKEND with PGC_SIGHUP). A
//! worker of a session with a key could then be one without. So a session makes the key of the file its own when it
//! begins: with the source OVERRIDE it goes to workers like any other value.

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

use pgrx::prelude::*;

use crate::guc::values::JWK;
use crate::guc::{lookup, names};
use crate::keys::proxy_key;

/// `libpq/auth.h`, which pgrx does not bind; the first argument is a Port.
type AuthenticationHook = Option<unsafe extern "C-unwind" fn(*mut c_void, c_int)>;

unsafe extern "C" {
    static mut ClientAuthentication_hook: AuthenticationHook;
}

static PREVIOUS: OnceLock<AuthenticationHook> = OnceLock::new();

/// Makes the key the session's own now, or in the postmaster: in each session that it will start.
pub fn keep() {
    // SAFETY: reads a global of this process.
    if !unsafe { pg_sys::process_shared_preload_libraries_in_progress } {
        return keep_now();
    }
    PREVIOUS.get_or_init(|| {
        // SAFETY: reads a global of this process, which has one thread.
        let previous = unsafe { ClientAuthentication_hook };
        // SAFETY: writes it; the function lives as long as the library, which is never unloaded.
        unsafe { ClientAuthentication_hook = Some(at_login) };
        previous
    });
}

fn keep_now() {
    if proxy_key::is_from_server()
        && let Some(key) = JWK.get().filter(|key| !key.is_empty())
    {
        lookup::assign(names::JWK, &key);
    }
}

/// Called in each new session, before the options of its startup packet are applied. Has no destructors to run and no
/// guard: what the hook that was there before raises passes as it passes a C function.
#[expect(
    ffi_unwind_calls,
    reason = "nothing of Rust's is on the stack that an error would have to unwind"
)]
unsafe extern "C-unwind" fn at_login(port: *mut c_void, status: c_int) {
    if let Some(Some(previous)) = PREVIOUS.get() {
        // SAFETY: the hook that was there before, called as PostgreSQL would.
        unsafe { previous(port, status) };
    }
    keep_guarded();
}

#[pg_guard]
extern "C-unwind" fn keep_guarded() {
    keep_now();
}
