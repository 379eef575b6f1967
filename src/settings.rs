//! What can be set, by whom, and which source of identity follows from it.
//!
//! | setting | type, context | default |
//! |---|---|---|
//! | `pg_session_jwt.providers` | string, JSON array; superuser, who alone sees it | '' |
//! | `pg_session_jwt.jwk` | string, one public JWK; configuration file or startup packet | '' |
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
mod extra;
mod hook;
pub mod judge;
mod jwk;
pub mod jwt;
mod late_load;
mod limits;
#[cfg(feature = "pg18")]
pub mod login;
pub mod providers;
mod server_key;
mod verified;

use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use pgrx::pg_sys;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

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
    pub const REQUEST_CLAIMS: &CStr = c"request.jwt.claims";

    pub const PROVIDERS_TEXT: &str = "pg_session_jwt.providers";
    pub const PREFIX_TEXT: &str = "pg_session_jwt";
    pub const CLAIMS_FALLBACK_TEXT: &str = "pg_session_jwt.claims_fallback";
    pub const JWT_TEXT: &str = "pg_session_jwt.jwt";
    pub const JWK_TEXT: &str = "pg_session_jwt.jwk";
}

static PROVIDERS: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static JWK: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
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
/// [`Failure::Unusable`], [`Failure::NotApplied`]: then no source counts, not even a weaker one.
pub fn mode() -> Result<Mode, Failure> {
    if let Some(providers) = providers::current()? {
        return Ok(Mode::Provider(providers));
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
        Mode::Claims | Mode::Off if catalog::has_skipped_key() => Err(Failure::NotApplied {
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

/// Differs whenever the answer of a reader may have changed, but for the time and the current role; None where a setting
/// that belongs to another library can change unseen.
pub fn assignments() -> Option<u64> {
    (!claims::belong_to_others()).then(assignments_counted)
}

/// As [`assignments`], for who had an answer from it before: which settings are whose does not change.
#[inline]
pub fn assignments_counted() -> u64 {
    ASSIGNMENTS.load(Relaxed)
}

fn assigned() {
    ASSIGNMENTS.fetch_add(1, Relaxed);
}

/// Seconds of grace for `exp` and `nbf`.
pub fn leeway() -> u32 {
    u32::try_from(LEEWAY.get()).unwrap_or(0)
}

/// Whether `request.jwt.claims` is believed where there is no key.
pub fn claims_fallback() -> bool {
    CLAIMS_FALLBACK.get()
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

/// Defines the settings. The key comes before the token, which is verified with it.
pub fn define() {
    // SAFETY: reads a global of this process.
    PRELOADED.store(unsafe { pg_sys::process_shared_preload_libraries_in_progress }, Relaxed);
    let placeholders = late_load::Placeholders::look();
    // SAFETY: the hooks have the types that PostgreSQL calls them with, are guarded, and live as long as the library.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            name::PROVIDERS,
            c"The identity providers whose tokens are accepted, as a JSON array.",
            c"Where it is set, no other source of identity counts.",
            &PROVIDERS,
            GucContext::Suset,
            GucFlags::SUPERUSER_ONLY,
            Some(providers::check),
            Some(providers::assign),
            None,
        );
    }
    // SAFETY: as above.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            name::JWK,
            c"The public key (one JSON Web Key) that tokens are verified with.",
            c"Set by the server's configuration, or by a trusted proxy in the startup packet of each connection.",
            &JWK,
            GucContext::Backend,
            GucFlags::NO_RESET_ALL,
            Some(jwk::check),
            Some(jwk::assign),
            None,
        );
    }
    // SAFETY: as above.
    unsafe {
        GucRegistry::define_bool_guc_with_hooks(
            name::CLAIMS_FALLBACK,
            c"Believes request.jwt.claims where no key is set.",
            c"Whoever can run SQL can set request.jwt.claims: leave this on only behind a trusted front end.",
            &CLAIMS_FALLBACK,
            GucContext::Suset,
            GucFlags::default(),
            Some(limits::check_claims_fallback),
            Some(limits::assign_claims_fallback),
            None,
        );
    }
    // SAFETY: as above.
    unsafe {
        GucRegistry::define_int_guc_with_hooks(
            name::LEEWAY,
            c"Seconds by which a token may be used after exp and before nbf.",
            c"Allows for clocks that differ.",
            &LEEWAY,
            0,
            300,
            GucContext::Suset,
            GucFlags::UNIT_S,
            Some(limits::check_leeway),
            Some(limits::assign_leeway),
            None,
        );
    }
    // SAFETY: as above.
    unsafe {
        GucRegistry::define_bool_guc_with_hooks(
            name::AUDIT_LOG,
            c"Logs each identity that a session takes on and each token that is refused.",
            c"One line each, with iss, sub, aud, jti and kid as JSON; never the token.",
            &AUDIT_LOG,
            GucContext::Suset,
            GucFlags::default(),
            Some(limits::check_audit_log),
            None,
            None,
        );
    }
    // On every major, so that one configuration fits all of them.
    GucRegistry::define_bool_guc(
        name::BIND_LOGIN_IDENTITY,
        c"Keeps a session that logged in with a token its user's.",
        c"Then it takes other tokens only of the same issuer and user id. Logins with a token need PostgreSQL 18.",
        &BIND_LOGIN_IDENTITY,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_string_guc(
        name::CA_FILE,
        c"The certificate authorities that a jwks_url is verified with, as a PEM file.",
        c"Empty: those that the system trusts.",
        &CA_FILE,
        GucContext::Sighup,
        GucFlags::SUPERUSER_ONLY,
    );
    GucRegistry::define_bool_guc(
        name::OPTIMIZE_POLICIES,
        c"Plans (select auth.user_id() = column) in a policy as if it were written without the select.",
        c"Then an index on the column can be used. No result depends on it.",
        &OPTIMIZE_POLICIES,
        GucContext::Userset,
        GucFlags::default(),
    );
    placeholders.settle();
    server_key::keep();
    // SAFETY: as above.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            name::JWT,
            c"The token of this session. It is never shown.",
            c"Verified when it is set; the identity in it lasts as long as the value.",
            &JWT,
            GucContext::Userset,
            GucFlags::NO_SHOW_ALL | GucFlags::DISALLOW_IN_FILE,
            Some(jwt::check),
            Some(jwt::assign),
            Some(jwt::show),
        );
    }
    if !late_load::is_defined_elsewhere(name::REQUEST_CLAIMS) {
        // SAFETY: as above.
        unsafe {
            GucRegistry::define_string_guc_with_hooks(
                name::REQUEST_CLAIMS,
                c"Claims that a trusted front end has verified.",
                c"A JSON object; believed only where no key is set and pg_session_jwt.claims_fallback is on.",
                &REQUEST_CLAIMS,
                GucContext::Userset,
                GucFlags::default(),
                Some(claims::check),
                Some(claims::assign),
                None,
            );
        }
    } else {
        claims::leave_to_others();
    }
    // SAFETY: the name is a C string that lives as long as the library.
    unsafe { pg_sys::MarkGUCPrefixReserved(name::PREFIX.as_ptr()) };
}
