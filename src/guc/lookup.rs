//! Settings by their name: what they are now, and whose.

use std::ffi::{CStr, CString};

use pgrx::pg_sys;

/// Stands for a key or providers that were set and not applied. No JSON text begins like this.
pub const MARK: &CStr = c"(set, but not applied)";

/// Whether a value is the mark.
pub(crate) fn is_mark(value: &CStr) -> bool {
    value == MARK
}

/// Where the current value of a setting came from; None where it does not exist.
#[cfg(not(feature = "pg15"))]
pub(crate) fn source(name: &CStr) -> Option<pg_sys::GucSource::Type> {
    // SAFETY: the name is a C string; skip_errors makes it return null where there is no such setting.
    let variable = unsafe { pg_sys::find_option(name.as_ptr(), false, true, 0) };
    // SAFETY: null, or a setting, which lives as long as the process.
    unsafe { variable.as_ref() }.map(|variable| variable.source)
}

/// The same where PostgreSQL keeps `find_option` to itself.
#[cfg(feature = "pg15")]
pub(crate) fn source(name: &CStr) -> Option<pg_sys::GucSource::Type> {
    // SAFETY: reads a global of this process.
    let count = usize::try_from(unsafe { pg_sys::GetNumConfigOptions() }).ok()?;
    // SAFETY: as above.
    let list = unsafe { pg_sys::get_guc_variables() };
    // SAFETY: the list has so many settings, and nothing is defined while this borrows it.
    let variables = unsafe { std::slice::from_raw_parts(list, count) };
    variables.iter().find_map(|variable| {
        // SAFETY: each is a setting, which lives as long as the process.
        let variable = unsafe { variable.as_ref() }?;
        // SAFETY: its name is a C string.
        (unsafe { CStr::from_ptr(variable.name) } == name).then_some(variable.source)
    })
}

/// Another library has defined the setting.
pub(crate) fn is_defined_elsewhere(name: &CStr) -> bool {
    // SAFETY: the name is a C string, and missing_ok makes it return 0 where the setting does not exist.
    let flags = unsafe { pg_sys::GetConfigOptionFlags(name.as_ptr(), true) };
    if flags & pg_sys::GUC_CUSTOM_PLACEHOLDER as i32 != 0 {
        return false;
    }
    // Flags of 0 and a value of null are possible; what is shown is null only where there is no setting.
    // SAFETY: as above; the name's other form is not asked for.
    !unsafe { pg_sys::GetConfigOptionByName(name.as_ptr(), std::ptr::null_mut(), true) }.is_null()
}

/// The current value of a setting; None where it does not exist, and in PostgreSQL 15 where it was taken out of the file.
pub(crate) fn current(name: &CStr) -> Option<CString> {
    // SAFETY: the name is a C string; missing_ok makes it return null, and restrict_privileged is off.
    let value = unsafe { pg_sys::GetConfigOption(name.as_ptr(), true, false) };
    // SAFETY: a C string that lives until the setting changes, and is copied at once.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_owned())
}

/// With the source OVERRIDE, which no SET, RESET or reload of anyone but a superuser undoes.
pub(crate) fn assign(name: &CStr, value: &CStr) {
    // SAFETY: both are C strings, and the setting was just defined.
    unsafe {
        pg_sys::SetConfigOption(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_POSTMASTER,
            pg_sys::GucSource::PGC_S_OVERRIDE,
        )
    };
}
