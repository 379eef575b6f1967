//! Settings by their names: current values and their sources.

use std::ffi::{CStr, CString};

use pgrx::pg_sys;

/// Replaces the value of a key or of the providers that was set and not applied. No JSON text begins like this.
const MARK: &CStr = c"(set, but not applied)";

/// Whether a value stands for one that was set and not applied.
pub fn is_mark(value: &CStr) -> bool {
    value == MARK
}

/// Makes a setting unusable, because a value of it was set and not applied.
pub fn mark_not_applied(name: &'static CStr) {
    assign(name, MARK);
}

/// Gives the current value the source OVERRIDE, which later changes of the file do not replace.
pub fn retain(name: &'static CStr) {
    if let Some(value) = current(name) {
        assign(name, &value);
    }
}

/// The source of the current value of a setting; None where the setting does not exist.
pub fn source(name: &CStr) -> Option<pg_sys::GucSource::Type> {
    variable(name, |variable| variable.source)
}

/// The source of the value to which RESET returns; None where the setting does not exist.
pub fn reset_source(name: &CStr) -> Option<pg_sys::GucSource::Type> {
    variable(name, |variable| variable.reset_source)
}

/// The value to which RESET returns. PostgreSQL raises an error where the setting does not exist, or where the current role
/// may not read it.
pub fn reset_value(name: &CStr) -> Option<CString> {
    // SAFETY: the name is a C string.
    let value = unsafe { pg_sys::GetConfigOptionResetString(name.as_ptr()) };
    // SAFETY: null, or a C string that lives until the setting changes, and is copied at once.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_owned())
}

/// Whether a setting has its current value only until the transaction ends, or until a function does. It has a longer one
/// where the setting does not exist.
pub fn is_local(name: &CStr) -> bool {
    use pg_sys::GucStackState::{GUC_LOCAL, GUC_SAVE, GUC_SET_LOCAL};
    let state = variable(name, |variable| {
        // SAFETY: null, or the newest entry of the stack, which guc.c frees when its level ends.
        unsafe { variable.stack.as_ref() }.map(|entry| entry.state)
    });
    matches!(state.flatten(), Some(GUC_LOCAL | GUC_SAVE | GUC_SET_LOCAL))
}

/// Shows a setting to `read`; None where it does not exist.
#[cfg(not(feature = "pg15"))]
fn variable<R>(name: &CStr, read: impl FnOnce(&pg_sys::config_generic) -> R) -> Option<R> {
    // SAFETY: the name is a C string; skip_errors makes it return null where there is no such setting.
    let variable = unsafe { pg_sys::find_option(name.as_ptr(), false, true, 0) };
    // SAFETY: null, or a setting, which lives as long as the process.
    unsafe { variable.as_ref() }.map(read)
}

/// Shows a setting to `read`; None where it does not exist. PostgreSQL 15 does not export `find_option`.
#[cfg(feature = "pg15")]
fn variable<R>(name: &CStr, read: impl FnOnce(&pg_sys::config_generic) -> R) -> Option<R> {
    // SAFETY: reads a global of this process.
    let count = usize::try_from(unsafe { pg_sys::GetNumConfigOptions() }).ok()?;
    // SAFETY: reads a global of this process.
    let list = unsafe { pg_sys::get_guc_variables() };
    // SAFETY: the list has `count` settings, and nothing is defined while this borrows it.
    let variables = unsafe { std::slice::from_raw_parts(list, count) };
    let found = variables.iter().find_map(|variable| {
        // SAFETY: each is a setting, which lives as long as the process.
        let variable = unsafe { variable.as_ref() }?;
        // SAFETY: the name of a setting is a C string.
        (unsafe { CStr::from_ptr(variable.name) } == name).then_some(variable)
    });
    found.map(read)
}

/// Whether another library has defined the setting.
pub fn is_defined_elsewhere(name: &CStr) -> bool {
    // SAFETY: the name is a C string, and missing_ok makes it return 0 where the setting does not exist.
    let flags = unsafe { pg_sys::GetConfigOptionFlags(name.as_ptr(), true) };
    if flags & pg_sys::GUC_CUSTOM_PLACEHOLDER as i32 != 0 {
        return false;
    }
    // Flags of 0 and a value of null are possible; the text for SHOW is null only where there is no setting.
    // SAFETY: the name is a C string, missing_ok makes it return null, and null asks for no spelling of the name.
    !unsafe { pg_sys::GetConfigOptionByName(name.as_ptr(), std::ptr::null_mut(), true) }.is_null()
}

/// The current value of a setting. None where the setting does not exist, and on PostgreSQL 15 where it was removed from
/// the file.
pub fn current(name: &CStr) -> Option<CString> {
    // SAFETY: the name is a C string; missing_ok makes it return null, and restrict_privileged is off.
    let value = unsafe { pg_sys::GetConfigOption(name.as_ptr(), true, false) };
    // SAFETY: a C string that lives until the setting changes, and is copied at once.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_owned())
}

/// Assigns a setting of this library with the source OVERRIDE. Only a superuser's SET, RESET or reload can undo that.
pub(super) fn assign(name: &'static CStr, value: &CStr) {
    // SAFETY: both are C strings, and the callers name settings that were just defined.
    unsafe {
        pg_sys::SetConfigOption(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_POSTMASTER,
            pg_sys::GucSource::PGC_S_OVERRIDE,
        )
    };
}

/// A level below ERROR, at which guc.c raises nothing. An ERROR that crosses pgrx would get a Rust backtrace in its DETAIL
/// where the server's environment asks for backtraces.
pub(super) const QUIET: i32 = pg_sys::DEBUG5 as i32;

/// The result of guc.c for a value that it has applied. 0 stands for a rejected value, -1 for a skipped one.
pub(super) const APPLIED: i32 = 1;

/// Assigns a setting of this library and raises nothing. Returns false if PostgreSQL does not apply the value.
pub(super) fn try_assign(
    name: &'static CStr,
    value: &CStr,
    context: pg_sys::GucContext::Type,
    source: pg_sys::GucSource::Type,
    action: pg_sys::GucAction::Type,
) -> bool {
    // SAFETY: both are C strings, the setting is defined, and at this level nothing is raised.
    let applied = unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            context,
            source,
            action,
            true,
            QUIET,
            false,
        )
    };
    applied == APPLIED
}
