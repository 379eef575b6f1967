//! What can be set, and by whom.
//!
//! | setting | type, context | default |
//! |---|---|---|
//! | `pg_session_jwt.providers` | string, JSON array; superuser, who alone sees it | '' |
//! | `pg_session_jwt.jwk` | string, one public JWK; configuration file or startup packet | '' |
//! | `pg_session_jwt.client_keys` | bool; configuration file | on |
//! | `pg_session_jwt.jwt` | string, the token; anyone, in the session | '' |
//! | `pg_session_jwt.claims_fallback` | bool; superuser | on |
//! | `pg_session_jwt.leeway` | integer, seconds, 0 to 300; superuser | 60 |
//! | `pg_session_jwt.bind_login_identity` | bool; superuser | on |
//! | `pg_session_jwt.audit_log` | bool; superuser | off |
//! | `pg_session_jwt.ca_file` | string, a path; configuration file | '' |
//! | `pg_session_jwt.optimize_policies` | bool; anyone | on |
//! | `request.jwt.claims` | string, a JSON object; anyone | '' |
//!
//! A setting that is set but cannot be used never counts as not set: [`mode`](crate::identity::mode::mode) fails, and with
//! it every `auth` function.

use std::ffi::{CString, OsString};
use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pgrx::GucSetting;

pub static PROVIDERS: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
pub static JWK: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
pub static CLIENT_KEYS: GucSetting<bool> = GucSetting::<bool>::new(true);
pub static JWT: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
pub static CLAIMS_FALLBACK: GucSetting<bool> = GucSetting::<bool>::new(true);
pub static LEEWAY: GucSetting<i32> = GucSetting::<i32>::new(60);
pub static BIND_LOGIN_IDENTITY: GucSetting<bool> = GucSetting::<bool>::new(true);
pub static AUDIT_LOG: GucSetting<bool> = GucSetting::<bool>::new(false);
pub static CA_FILE: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
pub static OPTIMIZE_POLICIES: GucSetting<bool> = GucSetting::<bool>::new(true);
pub static REQUEST_CLAIMS: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));

/// What `pg_session_jwt.leeway` can be.
pub const LEEWAYS: RangeInclusive<i32> = 0..=300;

/// Seconds of grace for `exp` and `nbf`.
pub fn leeway() -> u32 {
    u32::try_from(LEEWAY.get()).unwrap_or(0)
}

/// Whether `request.jwt.claims` is believed where there is no key.
pub fn claims_fallback() -> bool {
    CLAIMS_FALLBACK.get()
}

/// Whether connections may bring keys of their own.
pub fn client_keys() -> bool {
    CLIENT_KEYS.get()
}

/// Whether a session that logged in with a token stays its user's.
#[cfg(feature = "pg18")]
pub fn bind_login_identity() -> bool {
    BIND_LOGIN_IDENTITY.get()
}

/// Whether identities that are taken on or refused are logged.
pub fn audit_log() -> bool {
    AUDIT_LOG.get()
}

/// The file with the certificate authorities that key sets may come from; None for those of the system.
pub fn ca_file() -> Option<PathBuf> {
    let path = CA_FILE.get().filter(|path| !path.is_empty())?;
    Some(PathBuf::from(OsString::from_vec(path.into_bytes())))
}

/// Whether sub-selects in policies may be replaced by what is in them.
pub fn optimize_policies() -> bool {
    OPTIMIZE_POLICIES.get()
}

pub static PRELOADED: AtomicBool = AtomicBool::new(false);

/// Whether the settings were defined before any session began, so that no session saw them as placeholders.
pub fn is_preloaded() -> bool {
    PRELOADED.load(Relaxed)
}
