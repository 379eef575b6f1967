//! When the library is loaded after the session has begun.
//!
//! Until then PostgreSQL keeps the library's settings as placeholders. When they are defined it applies what it kept,
//! and drops what it may not apply with a mere WARNING (guc.c, `define_custom_variable`); the setting is then not set,
//! which would open the weaker modes. So the placeholders are looked at before, and what did not survive is put back as
//! a mark that cannot be used, which parallel workers receive like any other value.

use std::ffi::{CStr, CString};
use std::sync::atomic::Ordering::Relaxed;

use pgrx::pg_sys;

use super::limits::{
    AUDIT_LOG_APPLIED, CLAIMS_FALLBACK_APPLIED, CLIENT_KEYS_APPLIED, LEEWAY_APPLIED, PROVIDERS_APPLIED,
};
use super::{JWK, PROVIDERS, hook, is_preloaded, jwk, name, remembered};

/// Stands for a key or providers that were set and not applied. No JSON text begins like this.
const MARK: &CStr = c"(set, but not applied)";

/// Whether a value is the mark.
pub(super) fn is_mark(value: &CStr) -> bool {
    value == MARK
}

/// What the settings were before they were defined; None where nobody had set them.
pub(super) struct Placeholders {
    providers: Option<CString>,
    jwk: Option<CString>,
    claims_fallback: Option<CString>,
    client_keys: Option<CString>,
    removed_providers: bool,
    removed_jwk: bool,
    leeway: Option<CString>,
    audit_log: Option<CString>,
}

impl Placeholders {
    pub(super) fn look() -> Self {
        Placeholders {
            providers: placeholder(name::PROVIDERS),
            jwk: placeholder(name::JWK),
            claims_fallback: placeholder(name::CLAIMS_FALLBACK),
            client_keys: placeholder(name::CLIENT_KEYS),
            removed_providers: was_removed(name::PROVIDERS),
            removed_jwk: was_removed(name::JWK),
            leeway: placeholder(name::LEEWAY),
            audit_log: placeholder(name::AUDIT_LOG),
        }
    }

    /// Puts back what was dropped. A client's placeholder, even an empty one, covers the server's: where it was dropped
    /// nobody knows what stood behind it. Then there is a key or provider that cannot be used, and of a restriction the
    /// strictest there is. An empty value of the server that comes to light behind a dropped one does not unset that.
    pub(super) fn settle(self) {
        let is_empty = |value: Option<CString>| value.is_none_or(|value| value.is_empty());
        let emptied = |before: &Option<CString>, now| !is_empty(before.clone()) && is_empty(now);
        let no_key = is_empty(JWK.get());
        let dropped = [
            (
                self.providers.is_some() && !PROVIDERS_APPLIED.load(Relaxed)
                    || emptied(&self.providers, PROVIDERS.get()),
                name::PROVIDERS,
                MARK,
            ),
            (
                self.jwk.is_some() && no_key && !jwk::is_from_server()
                    || emptied(&self.jwk, JWK.get())
                    || self.removed_jwk && no_key,
                name::JWK,
                MARK,
            ),
            (
                self.claims_fallback.is_some() && !CLAIMS_FALLBACK_APPLIED.load(Relaxed),
                name::CLAIMS_FALLBACK,
                c"off",
            ),
            (
                self.client_keys.is_some() && !CLIENT_KEYS_APPLIED.load(Relaxed),
                name::CLIENT_KEYS,
                c"off",
            ),
            (
                self.leeway.is_some() && !LEEWAY_APPLIED.load(Relaxed),
                name::LEEWAY,
                c"0",
            ),
            (
                self.audit_log.is_some() && !AUDIT_LOG_APPLIED.load(Relaxed),
                name::AUDIT_LOG,
                c"on",
            ),
        ];
        for (_, name, value) in dropped.into_iter().filter(|(dropped, ..)| *dropped) {
            assign(name, value);
        }
        if self.removed_providers {
            remembered::lose_providers();
        }
    }
}

/// Whether a value of the server's file may have been taken out since this session began. That leaves an empty placeholder
/// behind: with the source DEFAULT until the server restarts, or with that of the file if it says so in words. A parallel
/// worker that loads the library by itself began after its session, and cannot tell when: it takes the worse for true.
fn was_removed(name: &CStr) -> bool {
    // SAFETY: reads a global of this process.
    let read = unsafe { pg_sys::PgReloadTime };
    // SAFETY: as above.
    let began = unsafe { pg_sys::MyStartTimestamp };
    let is_empty = || current(name).is_none_or(|value| value.is_empty());
    let is_of_server = || source(name).is_some_and(|source| source <= pg_sys::GucSource::PGC_S_ARGV);
    !is_preloaded() && (read > began || hook::in_parallel_worker()) && is_empty() && is_of_server()
}

/// The value of a placeholder that somebody has set. What was taken out of the server's file leaves an empty one behind
/// until the server restarts, with the source DEFAULT.
fn placeholder(name: &CStr) -> Option<CString> {
    current(name).filter(|_| source(name) != Some(pg_sys::GucSource::PGC_S_DEFAULT))
}

/// Where the current value of a setting came from; None where it does not exist.
#[cfg(not(feature = "pg15"))]
pub(super) fn source(name: &CStr) -> Option<pg_sys::GucSource::Type> {
    // SAFETY: the name is a C string; skip_errors makes it return null where there is no such setting.
    let variable = unsafe { pg_sys::find_option(name.as_ptr(), false, true, 0) };
    // SAFETY: null, or a setting, which lives as long as the process.
    unsafe { variable.as_ref() }.map(|variable| variable.source)
}

/// The same where PostgreSQL keeps `find_option` to itself.
#[cfg(feature = "pg15")]
pub(super) fn source(name: &CStr) -> Option<pg_sys::GucSource::Type> {
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

/// The current value of a setting; None where it does not exist, and in PostgreSQL 15 where it was taken out of the file.
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
