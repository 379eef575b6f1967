//! When the library is loaded after the session has begun.
//!
//! Until then PostgreSQL keeps the library's settings as placeholders. When they are defined it applies what it kept,
//! and drops what it may not apply with a mere WARNING (guc.c, `define_custom_variable`); the setting is then not set,
//! which would open the weaker modes. So the placeholders are looked at before, and what did not survive is put back as
//! a mark that cannot be used, which parallel workers receive like any other value.

use std::ffi::{CStr, CString};
use std::sync::atomic::Ordering::Relaxed;

use pgrx::pg_sys;

use super::limits::{AUDIT_LOG_APPLIED, CLAIMS_FALLBACK_APPLIED, LEEWAY_APPLIED, PROVIDERS_APPLIED};
use super::{JWK, jwk, name};

/// Stands for a key or providers that were set and not applied. No JSON text begins like this.
const MARK: &CStr = c"(set, but not applied)";

/// Whether a value is the mark.
pub(super) fn is_mark(value: &CStr) -> bool {
    value == MARK
}

/// Of which settings there were placeholders before they were defined.
pub(super) struct Placeholders {
    providers: bool,
    jwk: bool,
    claims_fallback: bool,
    leeway: bool,
    audit_log: bool,
}

impl Placeholders {
    pub(super) fn look() -> Self {
        Placeholders {
            providers: current(name::PROVIDERS).is_some(),
            jwk: current(name::JWK).is_some(),
            claims_fallback: current(name::CLAIMS_FALLBACK).is_some(),
            leeway: current(name::LEEWAY).is_some(),
            audit_log: current(name::AUDIT_LOG).is_some(),
        }
    }

    /// Puts back what was dropped. A client's placeholder, even an empty one, covers the server's: where it was dropped
    /// nobody knows what stood behind it. Then there is a key or provider that cannot be used, and of a restriction the
    /// strictest there is.
    pub(super) fn settle(self) {
        let no_key = JWK.get().is_none_or(|value| value.is_empty());
        let dropped = [
            (
                self.providers && !PROVIDERS_APPLIED.load(Relaxed),
                name::PROVIDERS,
                MARK,
            ),
            (self.jwk && no_key && !jwk::is_from_server(), name::JWK, MARK),
            (
                self.claims_fallback && !CLAIMS_FALLBACK_APPLIED.load(Relaxed),
                name::CLAIMS_FALLBACK,
                c"off",
            ),
            (self.leeway && !LEEWAY_APPLIED.load(Relaxed), name::LEEWAY, c"0"),
            (
                self.audit_log && !AUDIT_LOG_APPLIED.load(Relaxed),
                name::AUDIT_LOG,
                c"on",
            ),
        ];
        for (_, name, value) in dropped.into_iter().filter(|(dropped, ..)| *dropped) {
            assign(name, value);
        }
    }
}

/// Another library has defined the setting.
pub(super) fn is_defined_elsewhere(name: &CStr) -> bool {
    // SAFETY: the name is a C string, and missing_ok makes it return 0 where the setting does not exist.
    let flags = unsafe { pg_sys::GetConfigOptionFlags(name.as_ptr(), true) };
    if flags & pg_sys::GUC_CUSTOM_PLACEHOLDER as i32 != 0 {
        return false;
    }
    // Flags of 0 and a value of null are possible; what is shown is null only where there is no setting.
    // SAFETY: as above; the name's other form is not asked for.
    !unsafe { pg_sys::GetConfigOptionByName(name.as_ptr(), std::ptr::null_mut(), true) }.is_null()
}

/// The current value of a setting, None where it does not exist.
pub(super) fn current(name: &CStr) -> Option<CString> {
    // SAFETY: the name is a C string; missing_ok makes it return null, and restrict_privileged is off.
    let value = unsafe { pg_sys::GetConfigOption(name.as_ptr(), true, false) };
    // SAFETY: a C string that lives until the setting changes, and is copied at once.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_owned())
}

/// With the source OVERRIDE, which no SET, RESET or reload of anyone but a superuser undoes.
pub(super) fn assign(name: &CStr, value: &CStr) {
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
