//! The common part of the check hooks of settings: the value to check, and the answer that rejects it.
//!
//! A check hook changes nothing, and can run outside a transaction.

use std::ffi::{CStr, CString, c_char};

use pgrx::prelude::*;

use super::{Failure, Report};
use crate::pg::log_guard;
use crate::token::Error;

/// The new value; empty if there is none.
///
/// # Safety
/// `newval` is what PostgreSQL called a check hook with.
pub unsafe fn value<'a>(newval: *mut *mut c_char) -> &'a CStr {
    // SAFETY: the caller guarantees that it points to the hook's value.
    let text = unsafe { *newval };
    if text.is_null() {
        return c"";
    }
    // SAFETY: a setting's value is a C string that lives at least until the hook returns.
    unsafe { CStr::from_ptr(text) }
}

/// Rejects the value of a check hook: stores SQLSTATE and texts of `failure` for guc.c, which raises an error if one is due.
///
/// Returns the hook's result, false.
pub fn reject(failure: &Failure) -> bool {
    let Report {
        sqlstate,
        message,
        detail,
        hint,
    } = failure.report();
    log_guard::refused(&message);
    // SAFETY: assigns a global of guc.c that check hooks may set (utils/guc.h).
    unsafe { pg_sys::GUC_check_errcode(sqlstate as i32) };
    let message = in_error_context(&message);
    let detail = detail.as_deref().map_or(std::ptr::null_mut(), in_error_context);
    let hint = hint.map_or(std::ptr::null_mut(), in_error_context);
    // SAFETY: assigns a global of guc.c that check hooks may set; the text lives in ErrorContext until the next error ends.
    unsafe { pg_sys::GUC_check_errmsg_string = message };
    // SAFETY: assigns a global of guc.c that check hooks may set, to null or a text in ErrorContext.
    unsafe { pg_sys::GUC_check_errdetail_string = detail };
    // SAFETY: assigns a global of guc.c that check hooks may set, to null or a text in ErrorContext.
    unsafe { pg_sys::GUC_check_errhint_string = hint };
    false
}

/// Logs an unusable value. Rejecting it here would drop it silently, so this is the only message that the administrator gets.
pub fn log_unusable(setting: &'static str, problem: Error) {
    let report = Failure::Unusable { setting, problem }.report();
    log!("{}; {}", report.message, report.detail.unwrap_or_default());
}

/// Copies a text to ErrorContext, like the macros of guc.c (`format_elog_string`). PostgreSQL resets it after each error.
fn in_error_context(text: &str) -> *mut c_char {
    let text = CString::new(text).unwrap_or_default();
    // SAFETY: reads a global that PostgreSQL sets at the start of the process, before any hook can run.
    let context = unsafe { pg_sys::ErrorContext };
    // SAFETY: the context lives as long as the process, and the text is a C string.
    unsafe { pg_sys::MemoryContextStrdup(context, text.as_ptr()) }
}
