//! Facts that a session remembers about itself, in settings that no user can set. Parallel workers receive settings and
//! nothing else.
//!
//! They are assigned with the source OVERRIDE, which no RESET, SET LOCAL or rollback undoes. Their check hook rejects
//! every other source: a startup packet, a file, ALTER ROLE, a placeholder from before the library was loaded.

use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pgrx::prelude::*;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

use crate::guc::{lookup, names, process};

#[cfg(any(feature = "pg18", feature = "pg19"))]
static LOGIN_IDENTITY: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));

static OUTDATED: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static LOST_PROVIDERS: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));

/// How long the token lasts.
pub static TOKEN: Lasting = Lasting::new(names::TOKEN_LIFETIME);
/// How long `request.jwt.claims` last.
pub static CLAIMS: Lasting = Lasting::new(names::CLAIMS_LIFETIME);

/// Whether the value of another setting lasts beyond its transaction, for parallel workers.
pub struct Lasting {
    name: &'static CStr,
    setting: GucSetting<Option<CString>>,
}

/// Whether this process itself has lost the providers, in case PostgreSQL does not apply the setting.
static LOST_HERE: AtomicBool = AtomicBool::new(false);

/// Defines these settings.
pub fn define() {
    define_one(
        names::LOST_PROVIDERS,
        c"Shows whether this session has lost its identity providers.",
        &LOST_PROVIDERS,
    );
    define_one(
        names::OUTDATED,
        c"Shows the setting whose stored value has changed since this session began.",
        &OUTDATED,
    );
    for lasting in [&TOKEN, &CLAIMS] {
        define_one(
            lasting.name,
            c"Shows how long an identity of this session lasts, for parallel workers.",
            &lasting.setting,
        );
    }
    // A worker that loads the library by itself knows nothing of its leader's values.
    if !process::in_parallel_worker() {
        TOKEN.remember(false);
    }
    #[cfg(any(feature = "pg18", feature = "pg19"))]
    define_one(
        names::LOGIN_IDENTITY,
        c"Shows the user of the OAuth login, for parallel workers.",
        &LOGIN_IDENTITY,
    );
}

impl Lasting {
    const SESSION: &CStr = c"session";
    const TRANSACTION: &CStr = c"transaction";

    const fn new(name: &'static CStr) -> Self {
        Lasting {
            name,
            setting: GucSetting::<Option<CString>>::new(Some(c"")),
        }
    }

    /// Remembers whether the value lasts beyond its transaction; false also where there is no value. It raises nothing.
    pub fn remember(&self, is_session: bool) {
        let text = if is_session { Self::SESSION } else { Self::TRANSACTION };
        if self.setting.get().as_deref() != Some(text) {
            remember(self.name, text);
        }
    }

    /// What the leader of this parallel worker has remembered; None if it has not.
    pub fn of_leader(&self) -> Option<bool> {
        match self.setting.get()?.as_c_str() {
            text if text == Self::SESSION => Some(true),
            text if text == Self::TRANSACTION => Some(false),
            _ => None,
        }
    }
}

fn define_one(name: &'static CStr, description: &'static CStr, setting: &'static GucSetting<Option<CString>>) {
    // SAFETY: the hook has the type that PostgreSQL calls it with, is guarded, and lives as long as the library.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            name,
            description,
            c"It cannot be set.",
            setting,
            GucContext::Backend,
            GucFlags::NO_SHOW_ALL | GucFlags::NO_RESET_ALL | GucFlags::SUPERUSER_ONLY | GucFlags::DISALLOW_IN_FILE,
            Some(check),
            None,
            None,
        );
    }
}

/// Whether this session, or the leader of this parallel worker, had providers and has lost them.
pub fn has_lost_providers() -> bool {
    LOST_HERE.load(Relaxed) || LOST_PROVIDERS.get().is_some_and(|lost| !lost.is_empty())
}

/// Remembers that the session has lost its providers. It raises nothing.
pub fn lose_providers() {
    LOST_HERE.store(true, Relaxed);
    remember(names::LOST_PROVIDERS, c"on");
}

/// The setting that [`become_outdated`] has recorded, in this process or in the leader.
pub fn outdated() -> Option<CString> {
    OUTDATED.get().filter(|setting| !setting.is_empty())
}

/// Remembers that the stored value of a setting has changed since the session began.
pub fn become_outdated(setting: &CStr) {
    remember(names::OUTDATED, setting);
}

/// The user that [`remember_login`] has recorded, in this process or in the leader; None without an OAuth login.
#[cfg(any(feature = "pg18", feature = "pg19"))]
pub fn login() -> Option<CString> {
    LOGIN_IDENTITY.get().filter(|login| !login.is_empty())
}

/// Remembers the user of the OAuth login; false where PostgreSQL does not apply the setting.
#[cfg(any(feature = "pg18", feature = "pg19"))]
pub fn remember_login(login: &CStr) -> bool {
    remember(names::LOGIN_IDENTITY, login)
}

/// Assigns one of these settings; false where PostgreSQL does not apply it. It raises nothing, so that an assign hook can
/// call it.
fn remember(name: &'static CStr, value: &CStr) -> bool {
    // The action SAVE is allowed while a parallel plan runs. It differs from SET in nothing else, because a value with this
    // source is not stacked.
    lookup::try_assign(
        name,
        value,
        pg_sys::GucContext::PGC_POSTMASTER,
        pg_sys::GucSource::PGC_S_OVERRIDE,
        pg_sys::GucAction::GUC_ACTION_SAVE,
    )
}

#[pg_guard]
unsafe extern "C-unwind" fn check(
    _newval: *mut *mut c_char,
    _extra: *mut *mut c_void,
    source: pg_sys::GucSource::Type,
) -> bool {
    use pg_sys::GucSource::{PGC_S_DEFAULT, PGC_S_OVERRIDE};
    source == PGC_S_DEFAULT || source == PGC_S_OVERRIDE || process::copying_from_leader()
}
