//! What can be set, by whom, and which source of identity follows from it.
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
//! A setting that is set but cannot be used never counts as not set: [`mode`] fails, and with it every `auth` function.

mod catalog;
pub mod claims;
mod definitions;
mod extra;
mod hook;
pub mod judge;
mod jwk;
pub mod jwt;
mod late_load;
mod limits;
#[cfg(feature = "pg18")]
pub mod login;
#[cfg(feature = "pg18")]
mod login_role;
pub mod providers;
mod remembered;
mod server_key;
mod stored;
mod verified;

use std::ffi::{CString, OsString};
use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use pgrx::GucSetting;

pub use self::definitions::define;
use crate::error::Failure;
use crate::settings::providers::Providers;
use crate::token::KeySet;

/// The names of the settings.
pub mod name {
    use std::ffi::CStr;

    pub const PREFIX: &CStr = c"pg_session_jwt";
    pub const PROVIDERS: &CStr = c"pg_session_jwt.providers";
    pub const JWK: &CStr = c"pg_session_jwt.jwk";
    pub const JWT: &CStr = c"pg_session_jwt.jwt";
    pub const CLAIMS_FALLBACK: &CStr = c"pg_session_jwt.claims_fallback";
    pub const LEEWAY: &CStr = c"pg_session_jwt.leeway";
    pub const BIND_LOGIN_IDENTITY: &CStr = c"pg_session_jwt.bind_login_identity";
    pub const AUDIT_LOG: &CStr = c"pg_session_jwt.audit_log";
    pub const CA_FILE: &CStr = c"pg_session_jwt.ca_file";
    pub const OPTIMIZE_POLICIES: &CStr = c"pg_session_jwt.optimize_policies";
    pub const CLIENT_KEYS: &CStr = c"pg_session_jwt.client_keys";
    pub const OUTDATED: &CStr = c"pg_session_jwt.outdated";
    pub const LOST_PROVIDERS: &CStr = c"pg_session_jwt.lost_providers";
    #[cfg(feature = "pg18")]
    pub const LOGIN_IDENTITY: &CStr = c"pg_session_jwt.login_identity";
    pub const REQUEST_CLAIMS: &CStr = c"request.jwt.claims";

    pub const PROVIDERS_TEXT: &str = "pg_session_jwt.providers";
    pub const PREFIX_TEXT: &str = "pg_session_jwt";
    pub const CLAIMS_FALLBACK_TEXT: &str = "pg_session_jwt.claims_fallback";
    pub const BIND_LOGIN_IDENTITY_TEXT: &str = "pg_session_jwt.bind_login_identity";
    pub const LEEWAY_TEXT: &str = "pg_session_jwt.leeway";
    pub const CLIENT_KEYS_TEXT: &str = "pg_session_jwt.client_keys";
    pub const JWT_TEXT: &str = "pg_session_jwt.jwt";
    pub const JWK_TEXT: &str = "pg_session_jwt.jwk";
}

static PROVIDERS: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static JWK: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static CLIENT_KEYS: GucSetting<bool> = GucSetting::<bool>::new(true);
static JWT: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static CLAIMS_FALLBACK: GucSetting<bool> = GucSetting::<bool>::new(true);
static LEEWAY: GucSetting<i32> = GucSetting::<i32>::new(60);
static BIND_LOGIN_IDENTITY: GucSetting<bool> = GucSetting::<bool>::new(true);
static AUDIT_LOG: GucSetting<bool> = GucSetting::<bool>::new(false);
static CA_FILE: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static OPTIMIZE_POLICIES: GucSetting<bool> = GucSetting::<bool>::new(true);
static REQUEST_CLAIMS: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));

/// Counts what happens to the keys.
static KEY_GENERATION: AtomicU64 = AtomicU64::new(1);

/// Where identities come from, the most trusted first.
pub enum Mode {
    /// Tokens of identity providers.
    Provider(Rc<Providers>),
    /// Tokens, verified with the key of `pg_session_jwt.jwk`.
    Proxy(Rc<KeySet>),
    /// `request.jwt.claims`, which a trusted front end has verified.
    Claims,
    /// Nowhere: there is no key, and claims are not believed.
    Off,
}

/// The one source of identity that counts now.
///
/// # Errors
/// [`Failure::Unusable`], [`Failure::NotApplied`], [`Failure::LostProviders`], [`Failure::StoredChanged`],
/// [`Failure::ClientKey`]: then no source counts, not even a weaker one.
pub fn mode() -> Result<Mode, Failure> {
    stored::unchanged()?;
    if let Some(providers) = providers::current()? {
        return Ok(Mode::Provider(providers));
    }
    if remembered::has_lost_providers() {
        return Err(Failure::LostProviders);
    }
    match jwk::key_set()? {
        Some(keys) => Ok(Mode::Proxy(keys)),
        None if claims_fallback() => Ok(Mode::Claims),
        None => Ok(Mode::Off),
    }
}

/// As [`mode`], for a caller inside a transaction, who is about to believe that no key is set.
///
/// # Errors
/// As [`mode`].
pub fn mode_in_transaction() -> Result<Mode, Failure> {
    match mode()? {
        Mode::Claims | Mode::Off if stored::has_skipped_key() => Err(Failure::NotApplied {
            setting: name::JWK_TEXT,
        }),
        mode => Ok(mode),
    }
}

/// Differs whenever the keys that identities rest on may have changed. Never 0.
pub fn key_generation() -> u64 {
    KEY_GENERATION.load(Relaxed)
}

fn keys_changed() {
    KEY_GENERATION.fetch_add(1, Relaxed);
    assigned();
}

/// Counts the assignments of all settings that an identity depends on.
static ASSIGNMENTS: AtomicU64 = AtomicU64::new(1);

/// Differs whenever the answer of a reader may have changed, but for the time and the current role; None where claims are
/// believed that can change unseen.
pub fn assignments() -> Option<u64> {
    (!claims::can_change_unseen() || !believes_claims()).then(assignments_counted)
}

/// Whether the answers of readers come from claims, and not from a token.
fn believes_claims() -> bool {
    matches!(mode(), Ok(Mode::Claims))
}

/// As [`assignments`], for who had an answer from it before: which settings are whose does not change.
#[inline]
pub fn assignments_counted() -> u64 {
    ASSIGNMENTS.load(Relaxed)
}

fn assigned() {
    ASSIGNMENTS.fetch_add(1, Relaxed);
}

/// Counts the assignments of the restrictions that are no keys.
static RESTRICTIONS: AtomicU64 = AtomicU64::new(1);

fn restrictions() -> u64 {
    RESTRICTIONS.load(Relaxed)
}

fn restricted() {
    RESTRICTIONS.fetch_add(1, Relaxed);
    assigned();
}

/// What `pg_session_jwt.leeway` can be.
const LEEWAYS: RangeInclusive<i32> = 0..=300;

/// Seconds of grace for `exp` and `nbf`.
pub fn leeway() -> u32 {
    u32::try_from(LEEWAY.get()).unwrap_or(0)
}

/// Whether `request.jwt.claims` is believed where there is no key.
pub fn claims_fallback() -> bool {
    CLAIMS_FALLBACK.get()
}

/// Whether connections may bring keys of their own.
fn client_keys() -> bool {
    CLIENT_KEYS.get()
}

/// Whether a session that logged in with a token stays its user's.
#[cfg(feature = "pg18")]
fn bind_login_identity() -> bool {
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

static PRELOADED: AtomicBool = AtomicBool::new(false);

/// Whether the settings were defined before any session began, so that no session saw them as placeholders.
pub fn is_preloaded() -> bool {
    PRELOADED.load(Relaxed)
}
