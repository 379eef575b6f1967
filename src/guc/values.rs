//! The values of the settings.
//!
//! | setting | type, context | default |
//! |---|---|---|
//! | `pg_session_jwt.providers` | string, JSON array; superuser, visible to superusers only | '' |
//! | `pg_session_jwt.jwk` | string, one public JWK; configuration file or startup packet | '' |
//! | `pg_session_jwt.client_keys` | bool; configuration file | on |
//! | `pg_session_jwt.jwt` | string, the token; any user, within the session | '' |
//! | `pg_session_jwt.claims_fallback` | bool; superuser | on |
//! | `pg_session_jwt.leeway` | integer, seconds, 0 to 300; superuser | 60 |
//! | `pg_session_jwt.bind_login_identity` | bool; superuser | on |
//! | `pg_session_jwt.audit_log` | bool; superuser | off |
//! | `pg_session_jwt.ca_file` | string, a path; configuration file | '' |
//! | `pg_session_jwt.optimize_policies` | bool; any user | on |
//! | `request.jwt.claims` | string, a JSON object; any user | '' |
//!
//! A setting with an unusable value never counts as not set: [`mode`](crate::identity::mode::mode) fails, and with it
//! every `auth` function.

use std::ffi::{CString, OsString};
use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pgrx::GucSetting;

use crate::guc::process;

type TextSetting = GucSetting<Option<CString>>;

pub(super) static PROVIDERS: TextSetting = TextSetting::new(Some(c""));
pub(super) static JWK: TextSetting = TextSetting::new(Some(c""));
pub(super) static CLIENT_KEYS: GucSetting<bool> = GucSetting::<bool>::new(true);
pub(super) static JWT: TextSetting = TextSetting::new(Some(c""));
pub(super) static CLAIMS_FALLBACK: GucSetting<bool> = GucSetting::<bool>::new(true);
pub(super) static LEEWAY: GucSetting<i32> = GucSetting::<i32>::new(60);
pub(super) static BIND_LOGIN_IDENTITY: GucSetting<bool> = GucSetting::<bool>::new(true);
pub(super) static AUDIT_LOG: GucSetting<bool> = GucSetting::<bool>::new(false);
pub(super) static CA_FILE: TextSetting = TextSetting::new(Some(c""));
pub(super) static OPTIMIZE_POLICIES: GucSetting<bool> = GucSetting::<bool>::new(true);
pub(super) static REQUEST_CLAIMS: TextSetting = TextSetting::new(Some(c""));

/// The range of `pg_session_jwt.leeway`.
pub const LEEWAYS: RangeInclusive<i32> = 0..=300;

/// The text of `pg_session_jwt.providers`; None where it is empty.
pub fn providers() -> Option<CString> {
    text(&PROVIDERS)
}

/// The text of `pg_session_jwt.jwk`; None where it is empty.
pub fn jwk() -> Option<CString> {
    text(&JWK)
}

/// The token, `pg_session_jwt.jwt`; None where it is empty.
pub fn jwt() -> Option<CString> {
    text(&JWT)
}

fn text(setting: &TextSetting) -> Option<CString> {
    setting.get().filter(|text| !text.is_empty())
}

/// Seconds of grace for `exp` and `nbf`.
pub fn leeway() -> u32 {
    u32::try_from(LEEWAY.get()).unwrap_or(0)
}

/// Whether `request.jwt.claims` is trusted where there is no key.
pub fn claims_fallback() -> bool {
    CLAIMS_FALLBACK.get()
}

/// Whether a connection may bring its own key.
pub fn client_keys() -> bool {
    CLIENT_KEYS.get()
}

/// Whether a session from an OAuth login is restricted to tokens of the same user.
#[cfg(feature = "pg18")]
pub fn bind_login_identity() -> bool {
    BIND_LOGIN_IDENTITY.get()
}

/// Whether adopted and rejected identities are logged.
pub fn audit_log() -> bool {
    AUDIT_LOG.get()
}

/// The file with the certificate authorities that a `jwks_url` is verified with; None for those of the system.
pub fn ca_file() -> Option<PathBuf> {
    text(&CA_FILE).map(|path| PathBuf::from(OsString::from_vec(path.into_bytes())))
}

/// Whether the planner replaces sub-selects in policies by their contents.
pub fn optimize_policies() -> bool {
    OPTIMIZE_POLICIES.get()
}

static PRELOADED: AtomicBool = AtomicBool::new(false);

/// Records whether the postmaster is loading the library now. To be called before the settings are defined.
pub fn note_preloading() {
    PRELOADED.store(process::is_preloading(), Relaxed);
}

/// Whether the settings were defined before any session began, so that no session had placeholders for them.
pub fn is_preloaded() -> bool {
    PRELOADED.load(Relaxed)
}
