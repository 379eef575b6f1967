//! Values of settings in PostgreSQL's own syntax.

use std::ffi::CStr;

use pgrx::pg_sys;

/// Parses a boolean.
pub fn boolean(value: &CStr) -> Option<bool> {
    let mut parsed = false;
    // SAFETY: the value is a C string, and the result is written to a local variable.
    unsafe { pg_sys::parse_bool(value.as_ptr(), &mut parsed) }.then_some(parsed)
}

/// Parses a number of seconds, with or without a unit.
pub fn seconds(value: &CStr) -> Option<i32> {
    let mut parsed = 0;
    let no_hint = std::ptr::null_mut();
    // SAFETY: the value is a C string, the result is written to a local variable, and null asks for no hint.
    unsafe { pg_sys::parse_int(value.as_ptr(), &mut parsed, pg_sys::GUC_UNIT_S as i32, no_hint) }.then_some(parsed)
}
