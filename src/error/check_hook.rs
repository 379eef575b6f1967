//! What the check hooks of settings share: the value to check, and how it is refused. A check hook changes nothing; it can
//! run outside a transaction.

use std::ffi::{CStr, CString, c_char};

use pgrx::prelude::*;

use super::{Failure, Report};
use crate::pg::log_guard;
use crate::token::Error;

/// The new value; empty where there is none.
///
/// # Safety
/// `newval` is what PostgreSQL called a check hook with.
pub unsafe fn value<'a>(newval: *mut *mut c_char) -> &'a CStr {
    // SAFETY: the caller's promise: it points to the hook's value.
    let text = unsafe { *newval };
    if text.is_null() {
        return c"";
    }
    // SAFETY: a setting's value is a C string that lives at least until the hook returns.
    unsafe { CStr::from_ptr(text) }
}

/// Answers a check hook's caller, which raises `failure` with its own SQLSTATE and texts where an error is due.
pub fn refuse(failure: &Failure) -> bool {
    let Report {
        sqlstate,
        message,
        detail,
        hint,
    } = failure.report();
    log_guard::refused(&message);
    // SAFETY: assigns a global of guc.c that exists for this.
    unsafe { pg_sys::GUC_check_errcode(sqlstate as i32) };
    let message = in_error_context(&message);
    let detail = detail.as_deref().map_or(std::ptr::null_mut(), in_error_context);
    let hint = hint.map_or(std::ptr::null_mut(), in_error_context);
    // SAFETY: assigns a global of guc.c that it reads and forgets after the hook.
    unsafe { pg_sys::GUC_check_errmsg_string = message };
    // SAFETY: as above.
    unsafe { pg_sys::GUC_check_errdetail_string = detail };
    // SAFETY: as above.
    unsafe { pg_sys::GUC_check_errhint_string = hint };
    false
}

/// Tells the administrator of a value that nobody is told of otherwise, since refusing it would drop it silently.
pub fn log_unusable(setting: &'static str, problem: Error) {
    let report = Failure::Unusable { setting, problem }.report();
    log!("{}; {}", report.message, report.detail.unwrap_or_default());
}

/// guc.c's own macros put these texts there (`format_elog_string`); PostgreSQL resets it after each error.
fn in_error_context(text: &str) -> *mut c_char {
    let text = CString::new(text).unwrap_or_default();
    // SAFETY: reads a global that is set before any hook can run.
    let context = unsafe { pg_sys::ErrorContext };
    // SAFETY: the context lives as long as the process, and the text is a C string.
    unsafe { pg_sys::MemoryContextStrdup(context, text.as_ptr()) }
}
