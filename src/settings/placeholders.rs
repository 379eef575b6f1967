//! When the library is loaded after the session has begun.
//!
//! Until then PostgreSQL keeps the library's settings as placeholders. When they are defined it applies what it kept,
//! and drops what it may not apply with a mere WARNING (guc.c, `define_custom_variable`); the setting is then not set,
//! which would open the weaker modes. So the placeholders are looked at before, and what did not survive is put back as
//! a mark that cannot be used, which parallel workers receive like any other value.

use std::ffi::{CStr, CString};
use std::sync::atomic::Ordering::Relaxed;

use pgrx::pg_sys;

use crate::guc::applied::{
    AUDIT_LOG_APPLIED, CLAIMS_FALLBACK_APPLIED, CLIENT_KEYS_APPLIED, LEEWAY_APPLIED, PROVIDERS_APPLIED,
};
use crate::guc::lookup::{MARK, assign, current, source};
use crate::guc::values::{JWK, PROVIDERS, is_preloaded};
use crate::guc::{names, process, remembered};
use crate::keys::proxy_key;

/// What the settings were before they were defined; None where nobody had set them.
pub struct Placeholders {
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
    pub(crate) fn look() -> Self {
        Placeholders {
            providers: placeholder(names::PROVIDERS),
            jwk: placeholder(names::JWK),
            claims_fallback: placeholder(names::CLAIMS_FALLBACK),
            client_keys: placeholder(names::CLIENT_KEYS),
            removed_providers: was_removed(names::PROVIDERS),
            removed_jwk: was_removed(names::JWK),
            leeway: placeholder(names::LEEWAY),
            audit_log: placeholder(names::AUDIT_LOG),
        }
    }

    /// Puts back what was dropped. A client's placeholder, even an empty one, covers the server's: where it was dropped
    /// nobody knows what stood behind it. Then there is a key or provider that cannot be used, and of a restriction the
    /// strictest there is. An empty value of the server that comes to light behind a dropped one does not unset that.
    pub(crate) fn settle(self) {
        let is_empty = |value: Option<CString>| value.is_none_or(|value| value.is_empty());
        let emptied = |before: &Option<CString>, now| !is_empty(before.clone()) && is_empty(now);
        let no_key = is_empty(JWK.get());
        let dropped = [
            (
                self.providers.is_some() && !PROVIDERS_APPLIED.load(Relaxed)
                    || emptied(&self.providers, PROVIDERS.get()),
                names::PROVIDERS,
                MARK,
            ),
            (
                self.jwk.is_some() && no_key && !proxy_key::is_from_server()
                    || emptied(&self.jwk, JWK.get())
                    || self.removed_jwk && no_key,
                names::JWK,
                MARK,
            ),
            (
                self.claims_fallback.is_some() && !CLAIMS_FALLBACK_APPLIED.load(Relaxed),
                names::CLAIMS_FALLBACK,
                c"off",
            ),
            (
                self.client_keys.is_some() && !CLIENT_KEYS_APPLIED.load(Relaxed),
                names::CLIENT_KEYS,
                c"off",
            ),
            (
                self.leeway.is_some() && !LEEWAY_APPLIED.load(Relaxed),
                names::LEEWAY,
                c"0",
            ),
            (
                self.audit_log.is_some() && !AUDIT_LOG_APPLIED.load(Relaxed),
                names::AUDIT_LOG,
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
    !is_preloaded() && (read > began || process::in_parallel_worker()) && is_empty() && is_of_server()
}

/// The value of a placeholder that somebody has set. What was taken out of the server's file leaves an empty one behind
/// until the server restarts, with the source DEFAULT.
fn placeholder(name: &CStr) -> Option<CString> {
    current(name).filter(|_| source(name) != Some(pg_sys::GucSource::PGC_S_DEFAULT))
}
