//! Keeps tokens out of the server's log, and lines out of the audit log that are not of it.
//!
//! PostgreSQL writes the statement beside an error, and the token of `SELECT auth.jwt_session_init('...')` is in it. A
//! refused token can still be good elsewhere. So for the refusal of a token, and for an audit line, statement and context
//! are left out. Statements that PostgreSQL logs for reasons of its own are the operator's business: see SECURITY.md.
//!
//! Anybody can log a line of their own (`RAISE LOG` in PL/pgSQL). One that begins like the audit log's is changed.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::sync::OnceLock;

use pgrx::pg_sys;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::prelude::*;

/// How every line of the audit log begins.
const AUDIT: &str = "pg_session_jwt audit: ";

/// How a line of somebody else begins instead.
const NOT_AUDIT: &str = "not ";

static PREVIOUS: OnceLock<pg_sys::emit_log_hook_type> = OnceLock::new();

thread_local! {
    /// The message of the last refusal.
    static REFUSED: RefCell<CString> = RefCell::new(CString::default());
    /// The next line that begins like the audit log's is of it.
    static AUDITING: Cell<bool> = const { Cell::new(false) };
}

/// Hooks into the log, once in a process.
pub fn install() {
    PREVIOUS.get_or_init(|| {
        // SAFETY: reads a global of this process, which has one thread.
        let previous = unsafe { pg_sys::emit_log_hook };
        // SAFETY: writes it; the function lives as long as the library, which is never unloaded.
        unsafe { pg_sys::emit_log_hook = Some(hide) };
        previous
    });
}

/// Writes a line of the audit log.
pub fn audit(line: &str) {
    AUDITING.set(true);
    log!("{AUDIT}{line}");
    // The hook has seen it, unless the server logs nothing of this level.
    AUDITING.set(false);
}

/// The statement of the error with this message is not to be logged.
pub fn refused(message: &str) {
    REFUSED.set(CString::new(message).unwrap_or_default());
}

#[pg_guard]
unsafe extern "C-unwind" fn hide(error: *mut pg_sys::ErrorData) {
    // SAFETY: PostgreSQL calls the hook with the error that it is about to log, which is its own to change.
    if let Some(error) = unsafe { error.as_mut() }
        && !error.message.is_null()
    {
        // SAFETY: a message is a C string that lives as long as the error.
        let message = unsafe { CStr::from_ptr(error.message) };
        let like_audit = message.to_bytes().starts_with(AUDIT.as_bytes());
        let audit = like_audit && AUDITING.take();
        if audit || REFUSED.with_borrow(|refused| !refused.is_empty() && refused.as_c_str() == message) {
            error.hide_stmt = true;
            error.hide_ctx = true;
        } else if like_audit {
            let changed = [NOT_AUDIT.as_bytes(), message.to_bytes()].concat();
            let changed = CString::new(changed).unwrap_or_default();
            // SAFETY: the context is the error's own and lives as long as it, and the text is a C string.
            error.message = unsafe { pg_sys::MemoryContextStrdup(error.assoc_context, changed.as_ptr()) };
        }
    }
    if let Some(Some(previous)) = PREVIOUS.get() {
        #[expect(ffi_unwind_calls, reason = "guarded below")]
        // SAFETY: the hook that was there before, called as PostgreSQL would.
        let previous = || unsafe { previous(error) };
        // SAFETY: the closure owns nothing that must be dropped, and this is the one thread.
        unsafe { pg_guard_ffi_boundary(previous) };
    }
}
