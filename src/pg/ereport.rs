//! Reports of this extension, made as PostgreSQL's own `ereport` makes them (`utils/elog.h`).
//!
//! pgrx's `ErrorReport` is not used for two reasons. PostgreSQL retains the addresses of a report's file and function longer
//! than pgrx retains their memory. A PL/pgSQL handler that raises the error again would read freed memory. And where the
//! server's environment enables Rust's backtraces, pgrx adds one to the DETAIL.

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;

use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::prelude::*;

/// The function name of every report of this extension (field R of the protocol). SQL cannot set it, and a parallel
/// worker's report retains it on the way to the leader.
pub const FUNCTION: &CStr = c"pg_session_jwt";

const FILE: &CStr = c"pg_session_jwt";

// pgrx does not bind these. They are called only below a guard.
unsafe extern "C-unwind" {
    fn errstart(level: c_int, domain: *const c_char) -> bool;
    fn errcode(sqlstate: c_int) -> c_int;
    fn errmsg_internal(format: *const c_char, ...) -> c_int;
    fn errdetail_internal(format: *const c_char, ...) -> c_int;
    fn errhint(format: *const c_char, ...) -> c_int;
    fn errfinish(file: *const c_char, line: c_int, function: *const c_char);
}

/// The parts of a PostgreSQL error.
pub struct Report {
    pub sqlstate: PgSqlErrorCode,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<Cow<'static, str>>,
}

impl Report {
    /// Emits the report. At level ERROR this does not return.
    pub fn emit(self, level: PgLogLevel) {
        let line = c_int::try_from(line!()).unwrap_or(0);
        let c_string = |text: &str| CString::new(text).unwrap_or_default();
        let message = c_string(&self.message);
        let detail = self.detail.as_deref().map(c_string);
        let hint = self.hint.as_deref().map(c_string);
        let address = |text: &Option<CString>| text.as_ref().map_or(ptr::null(), |text| text.as_ptr());
        let (message, detail, hint) = (message.as_ptr(), address(&detail), address(&hint));
        let (level, sqlstate) = (level as c_int, self.sqlstate as c_int);
        #[expect(ffi_unwind_calls, reason = "guarded below")]
        let report = || {
            // SAFETY: starts a report, which errfinish below ends.
            if !unsafe { errstart(level, ptr::null()) } {
                return;
            }
            // SAFETY: called between errstart and errfinish.
            unsafe { errcode(sqlstate) };
            // SAFETY: the format takes one C string, which PostgreSQL copies.
            unsafe { errmsg_internal(c"%s".as_ptr(), message) };
            if !detail.is_null() {
                // SAFETY: the format takes one C string, which PostgreSQL copies.
                unsafe { errdetail_internal(c"%s".as_ptr(), detail) };
            }
            if !hint.is_null() {
                // SAFETY: the format takes one C string, which PostgreSQL copies.
                unsafe { errhint(c"%s".as_ptr(), hint) };
            }
            // SAFETY: ends the report. Both names live as long as the library, which is never unloaded.
            unsafe { errfinish(FILE.as_ptr(), line, FUNCTION.as_ptr()) };
        };
        // SAFETY: the closure owns nothing that must be dropped, and this is the one thread.
        unsafe { pg_guard_ffi_boundary(report) };
    }
}

/// Reports a line at DEBUG1, if the server's log or the client receives lines of that level.
pub fn debug(line: impl FnOnce() -> String) {
    // SAFETY: reads settings of this process.
    if unsafe { pg_sys::message_level_is_interesting(pg_sys::DEBUG1.cast_signed()) } {
        let report = Report {
            sqlstate: PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
            message: line(),
            detail: None,
            hint: None,
        };
        report.emit(PgLogLevel::DEBUG1);
    }
}

/// The five characters of an SQLSTATE.
pub fn sqlstate_text(sqlstate: PgSqlErrorCode) -> String {
    // SAFETY: returns a static buffer with a C string.
    let text = unsafe { pg_sys::unpack_sql_state(sqlstate as c_int) };
    // SAFETY: that C string is copied before the next call can change it.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
