//! `claims_fallback`, `client_keys`, `leeway`, `audit_log` and `bind_login_identity`: what a superuser restricts.
//!
//! The check hooks accept everything; they record that PostgreSQL has applied a value at all, see
//! [`placeholders`](crate::settings::placeholders). So does that of `providers`.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pgrx::prelude::*;

use crate::guc::generation::{keys_changed, restricted};

/// Whether somebody's value was ever applied, and not only the default.
pub(crate) static PROVIDERS_APPLIED: AtomicBool = AtomicBool::new(false);
pub(crate) static CLAIMS_FALLBACK_APPLIED: AtomicBool = AtomicBool::new(false);
pub(crate) static LEEWAY_APPLIED: AtomicBool = AtomicBool::new(false);
pub(crate) static CLIENT_KEYS_APPLIED: AtomicBool = AtomicBool::new(false);
pub(crate) static AUDIT_LOG_APPLIED: AtomicBool = AtomicBool::new(false);

pub(crate) fn note(applied: &AtomicBool, source: pg_sys::GucSource::Type) -> bool {
    if source != pg_sys::GucSource::PGC_S_DEFAULT && source != pg_sys::GucSource::PGC_S_TEST {
        applied.store(true, Relaxed);
    }
    true
}

#[pg_guard]
pub(crate) unsafe extern "C-unwind" fn check_claims_fallback(
    _newval: *mut bool,
    _extra: *mut *mut c_void,
    source: pg_sys::GucSource::Type,
) -> bool {
    note(&CLAIMS_FALLBACK_APPLIED, source)
}

#[pg_guard]
pub(crate) unsafe extern "C-unwind" fn assign_claims_fallback(_newval: bool, _extra: *mut c_void) {
    restricted();
}

#[pg_guard]
pub(crate) unsafe extern "C-unwind" fn check_leeway(
    _newval: *mut c_int,
    _extra: *mut *mut c_void,
    source: pg_sys::GucSource::Type,
) -> bool {
    note(&LEEWAY_APPLIED, source)
}

#[pg_guard]
pub(crate) unsafe extern "C-unwind" fn assign_leeway(_newval: c_int, _extra: *mut c_void) {
    restricted();
}

#[pg_guard]
pub(crate) unsafe extern "C-unwind" fn check_client_keys(
    _newval: *mut bool,
    _extra: *mut *mut c_void,
    source: pg_sys::GucSource::Type,
) -> bool {
    note(&CLIENT_KEYS_APPLIED, source)
}

#[pg_guard]
pub(crate) unsafe extern "C-unwind" fn assign_client_keys(_newval: bool, _extra: *mut c_void) {
    keys_changed();
}

/// Every token is verified again: whose it may be has changed.
#[pg_guard]
pub(crate) unsafe extern "C-unwind" fn assign_bind_login_identity(_newval: bool, _extra: *mut c_void) {
    keys_changed();
}

#[pg_guard]
pub(crate) unsafe extern "C-unwind" fn check_audit_log(
    _newval: *mut bool,
    _extra: *mut *mut c_void,
    source: pg_sys::GucSource::Type,
) -> bool {
    note(&AUDIT_LOG_APPLIED, source)
}
