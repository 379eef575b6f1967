//! When the library is loaded after the session has begun.
//!
//! Until then PostgreSQL keeps the library's settings as placeholders. When they are defined it applies what it kept,
//! and drops what it may not apply with a mere WARNING (guc.c, `define_custom_variable`); the setting is then not set,
//! which would open the weaker modes. So the placeholders are looked at before, and what did not survive is put back as
//! a mark that cannot be used, which parallel workers receive like any other value.

use std::ffi::{CStr, CString};
use std::sync::atomic::Ordering::Relaxed;

use pgrx::{GucSetting, pg_sys};

use super::limits::{AUDIT_LOG_APPLIED, CLAIMS_FALLBACK_APPLIED, LEEWAY_APPLIED};
use super::{JWK, PROVIDERS, name};

/// Stands for a key or providers that were set and not applied. No JSON text begins like this.
const MARK: &CStr = c"(set, but not applied)";

/// Whether a value is the mark.
pub(super) fn is_mark(value: &CStr) -> bool {
    value == MARK
}

/// What stood in the placeholders, current value or reset value, before the settings were defined.
pub(super) struct Placeholders {
    providers: bool,
    jwk: bool,
    claims_fallback: bool,
    leeway: bool,
    audit_log: bool,
}

impl Placeholders {
    pub(super) fn look() -> Self {
        let is_set = |name| values(name).iter().any(|value| !value.is_empty());
        Placeholders {
            providers: is_set(name::PROVIDERS),
            jwk: is_set(name::JWK),
            claims_fallback: is_set(name::CLAIMS_FALLBACK),
            leeway: is_set(name::LEEWAY),
            audit_log: is_set(name::AUDIT_LOG),
        }
    }

    /// Puts back what was dropped. Of a restriction that was dropped nobody knows what stood behind it, since a client's
    /// placeholder covers the server's: it becomes the strictest there is.
    pub(super) fn settle(self) {
        let is_empty = |setting: &GucSetting<Option<CString>>| setting.get().is_none_or(|value| value.is_empty());
        let dropped = [
            (self.providers && is_empty(&PROVIDERS), name::PROVIDERS, MARK),
            (self.jwk && is_empty(&JWK), name::JWK, MARK),
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
    flags(name).is_none_or(|flags| flags & pg_sys::GUC_CUSTOM_PLACEHOLDER == 0) && current(name).is_some()
}

/// The values of a placeholder: the session's, and the one that RESET would give back.
fn values(name: &CStr) -> Vec<CString> {
    let Some(now) = current(name) else { return Vec::new() };
    // SAFETY: the setting exists; the text is copied before anything else can change it.
    let reset = unsafe { pg_sys::GetConfigOptionResetString(name.as_ptr()) };
    let reset = if reset.is_null() {
        None
    } else {
        // SAFETY: a C string, as just returned.
        Some(unsafe { CStr::from_ptr(reset) }.to_owned())
    };
    [Some(now), reset].into_iter().flatten().collect()
}

/// The current value of a setting, None where it does not exist.
pub(super) fn current(name: &CStr) -> Option<CString> {
    // SAFETY: the name is a C string; missing_ok makes it return null, and restrict_privileged is off.
    let value = unsafe { pg_sys::GetConfigOption(name.as_ptr(), true, false) };
    // SAFETY: a C string that lives until the setting changes, and is copied at once.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_owned())
}

fn flags(name: &CStr) -> Option<u32> {
    // SAFETY: the name is a C string; missing_ok makes it return 0.
    u32::try_from(unsafe { pg_sys::GetConfigOptionFlags(name.as_ptr(), true) }).ok()
}

/// With the source OVERRIDE, which no SET, RESET or reload of anyone but a superuser undoes.
fn assign(name: &CStr, value: &CStr) {
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
