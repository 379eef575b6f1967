//! Whether PostgreSQL has applied a value of a setting at all, and the hooks of the settings that restrict a session.
//!
//! Their check hooks accept every value. They record that a value was applied, which
//! [`placeholders`](crate::settings::placeholders) needs.

use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pgrx::prelude::*;

use crate::guc::generation::{keys_changed, restricted};
use crate::guc::{lookup, names};

/// A setting with which a superuser restricts sessions.
#[derive(Clone, Copy)]
pub enum Restriction {
    ClaimsFallback,
    Leeway,
    ClientKeys,
    AuditLog,
    LogUserId,
    IdentityScope,
}

static PROVIDERS: AtomicBool = AtomicBool::new(false);
static CLAIMS_FALLBACK: AtomicBool = AtomicBool::new(false);
static LEEWAY: AtomicBool = AtomicBool::new(false);
static CLIENT_KEYS: AtomicBool = AtomicBool::new(false);
static AUDIT_LOG: AtomicBool = AtomicBool::new(false);
static LOG_USER_ID: AtomicBool = AtomicBool::new(false);
static IDENTITY_SCOPE: AtomicBool = AtomicBool::new(false);

impl Restriction {
    /// Whether a value other than the default was ever applied.
    pub fn is_applied(self) -> bool {
        let (applied, ..) = self.facts();
        applied.load(Relaxed)
    }

    /// Assigns the strictest value.
    pub fn set_strictest(self) {
        let (_, name, strictest) = self.facts();
        lookup::assign(name, strictest);
    }

    fn facts(self) -> (&'static AtomicBool, &'static CStr, &'static CStr) {
        match self {
            Restriction::ClaimsFallback => (&CLAIMS_FALLBACK, names::CLAIMS_FALLBACK, c"off"),
            Restriction::Leeway => (&LEEWAY, names::LEEWAY, c"0"),
            Restriction::ClientKeys => (&CLIENT_KEYS, names::CLIENT_KEYS, c"off"),
            Restriction::AuditLog => (&AUDIT_LOG, names::AUDIT_LOG, c"on"),
            Restriction::LogUserId => (&LOG_USER_ID, names::LOG_USER_ID, c"on"),
            Restriction::IdentityScope => (&IDENTITY_SCOPE, names::IDENTITY_SCOPE, c"transaction"),
        }
    }
}

/// Whether providers other than the default, which are none, were ever applied.
pub fn are_providers_applied() -> bool {
    PROVIDERS.load(Relaxed)
}

/// Records that providers from this source are applied.
pub fn note_providers(source: pg_sys::GucSource::Type) {
    note(&PROVIDERS, source);
}

fn note(applied: &AtomicBool, source: pg_sys::GucSource::Type) {
    if source != pg_sys::GucSource::PGC_S_DEFAULT && source != pg_sys::GucSource::PGC_S_TEST {
        applied.store(true, Relaxed);
    }
}

/// The check hook of each of these settings.
macro_rules! check_hooks {
    ($($hook:ident: $value:ty => $applied:ident;)*) => {$(
        #[pg_guard]
        pub(super) unsafe extern "C-unwind" fn $hook(
            _newval: *mut $value,
            _extra: *mut *mut c_void,
            source: pg_sys::GucSource::Type,
        ) -> bool {
            note(&$applied, source);
            true
        }
    )*};
}

check_hooks! {
    check_claims_fallback: bool => CLAIMS_FALLBACK;
    check_leeway: c_int => LEEWAY;
    check_client_keys: bool => CLIENT_KEYS;
    check_audit_log: bool => AUDIT_LOG;
    check_log_user_id: bool => LOG_USER_ID;
    check_identity_scope: c_int => IDENTITY_SCOPE;
}

/// The assign hook of a restriction that is not about keys.
#[pg_guard]
pub(super) unsafe extern "C-unwind" fn assign_restriction<T>(_newval: T, _extra: *mut c_void) {
    restricted();
}

/// The assign hook of a setting that changes which tokens are accepted. Every token is verified again.
#[pg_guard]
pub(super) unsafe extern "C-unwind" fn assign_keys<T>(_newval: T, _extra: *mut c_void) {
    keys_changed();
}
