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
//! | `pg_session_jwt.identity_scope` | `any` or `transaction`; superuser | any |
//! | `pg_session_jwt.audit_log` | bool; superuser | off |
//! | `pg_session_jwt.log_user_id` | bool; superuser | off |
//! | `pg_session_jwt.ca_file` | string, a path; configuration file | '' |
//! | `pg_session_jwt.shared_cache` | integer, kB, 0 to 1 GB; start of the server | 8 MB |
//! | `pg_session_jwt.optimize_policies` | bool; any user | on |
//! | `request.jwt.claims` | string, a JSON object; any user | '' |
//!
//! A setting with an unusable value never counts as not set: [`mode`](crate::identity::mode::mode) fails, and with it
//! every `auth` function.

use std::ffi::{CStr, CString, OsString};
use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pgrx::{GucSetting, PostgresGucEnum};

use crate::guc::process;
use crate::token::limits::MAX_LEEWAY;

type TextSetting = GucSetting<Option<CString>>;

pub(super) static PROVIDERS: TextSetting = TextSetting::new(Some(c""));
pub(super) static JWK: TextSetting = TextSetting::new(Some(c""));
pub(super) static CLIENT_KEYS: GucSetting<bool> = GucSetting::<bool>::new(true);
pub(super) static JWT: TextSetting = TextSetting::new(Some(c""));
pub(super) static CLAIMS_FALLBACK: GucSetting<bool> = GucSetting::<bool>::new(true);
pub(super) static LEEWAY: GucSetting<i32> = GucSetting::<i32>::new(60);
pub(super) static BIND_LOGIN_IDENTITY: GucSetting<bool> = GucSetting::<bool>::new(true);
pub(super) static IDENTITY_SCOPE: GucSetting<Scope> = GucSetting::<Scope>::new(Scope::Any);
pub(super) static AUDIT_LOG: GucSetting<bool> = GucSetting::<bool>::new(false);
pub(super) static LOG_USER_ID: GucSetting<bool> = GucSetting::<bool>::new(false);
pub(super) static CA_FILE: TextSetting = TextSetting::new(Some(c""));
pub(super) static SHARED_CACHE: GucSetting<i32> = GucSetting::<i32>::new(8192);
pub(super) static OPTIMIZE_POLICIES: GucSetting<bool> = GucSetting::<bool>::new(true);
pub(super) static REQUEST_CLAIMS: TextSetting = TextSetting::new(Some(c""));

/// How long an identity may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
pub enum Scope {
    /// As long as the session, or shorter.
    #[name = c"any"]
    Any,
    /// Until its transaction ends, or shorter.
    #[name = c"transaction"]
    Transaction,
}

impl Scope {
    /// Parses a value as PostgreSQL does; None for one that it does not apply.
    pub fn parse(text: &CStr) -> Option<Scope> {
        let is = |name: &CStr| text.to_bytes().eq_ignore_ascii_case(name.to_bytes());
        match text {
            _ if is(c"any") => Some(Scope::Any),
            _ if is(c"transaction") => Some(Scope::Transaction),
            _ => None,
        }
    }
}

/// The range of `pg_session_jwt.leeway`, which is also that of a provider.
pub const LEEWAYS: RangeInclusive<i32> = 0..=MAX_LEEWAY.cast_signed();

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

/// Seconds of grace for `exp` and `nbf`, where the provider has no other leeway.
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
#[cfg(any(feature = "pg18", feature = "pg19"))]
pub fn bind_login_identity() -> bool {
    BIND_LOGIN_IDENTITY.get()
}

/// How long an identity may last.
pub fn identity_scope() -> Scope {
    IDENTITY_SCOPE.get()
}

/// Whether adopted and rejected identities are logged.
pub fn audit_log() -> bool {
    AUDIT_LOG.get()
}

/// Whether the server's log has the user id of the session.
pub fn log_user_id() -> bool {
    LOG_USER_ID.get()
}

/// The file with the certificate authorities that a `jwks_url` is verified with; None for those of the system.
pub fn ca_file() -> Option<PathBuf> {
    text(&CA_FILE).map(|path| PathBuf::from(OsString::from_vec(path.into_bytes())))
}

/// The range of `pg_session_jwt.shared_cache`.
pub const SHARED_CACHES: RangeInclusive<i32> = 0..=1024 * 1024;

/// The kilobytes of the cache that all sessions share; 0 for none.
pub fn shared_cache_kilobytes() -> usize {
    usize::try_from(SHARED_CACHE.get()).unwrap_or(0)
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
