//! What a session remembers of itself, in settings that nobody can set: parallel workers receive settings and nothing
//! else.
//!
//! They are assigned with the source OVERRIDE, which no RESET, SET LOCAL or rollback undoes, and their check hook refuses
//! every other source: a startup packet, a file, ALTER ROLE, a placeholder from before the library was loaded.

use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pgrx::prelude::*;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

use crate::guc::{names, process};

#[cfg(feature = "pg18")]
static LOGIN_IDENTITY: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));

static OUTDATED: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static LOST_PROVIDERS: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));

/// The same in the process where it happened, should PostgreSQL not apply the setting.
static LOST_HERE: AtomicBool = AtomicBool::new(false);

/// Defines them.
pub(crate) fn define() {
    define_one(
        names::LOST_PROVIDERS,
        c"Whether this session has lost its identity providers.",
        &LOST_PROVIDERS,
    );
    define_one(
        names::OUTDATED,
        c"The setting that is not what is stored for this session any more.",
        &OUTDATED,
    );
    #[cfg(feature = "pg18")]
    define_one(
        names::LOGIN_IDENTITY,
        c"Who logged in with a token, for parallel workers.",
        &LOGIN_IDENTITY,
    );
}

fn define_one(name: &'static CStr, description: &'static CStr, setting: &'static GucSetting<Option<CString>>) {
    // SAFETY: the hook has the type that PostgreSQL calls it with, is guarded, and lives as long as the library.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            name,
            description,
            c"Nobody can set it.",
            setting,
            GucContext::Backend,
            GucFlags::NO_SHOW_ALL | GucFlags::NO_RESET_ALL | GucFlags::SUPERUSER_ONLY | GucFlags::DISALLOW_IN_FILE,
            Some(check),
            None,
            None,
        );
    }
}

/// Whether this session has had providers and has none any more, or is a parallel worker of one.
pub(crate) fn has_lost_providers() -> bool {
    LOST_HERE.load(Relaxed) || LOST_PROVIDERS.get().is_some_and(|lost| !lost.is_empty())
}

/// Remembers that the session has lost its providers.
pub(crate) fn lose_providers() {
    LOST_HERE.store(true, Relaxed);
    remember(names::LOST_PROVIDERS, c"on");
}

/// The setting of which [`become_outdated`] was told, here or in the leader.
pub(crate) fn outdated() -> Option<CString> {
    OUTDATED.get().filter(|setting| !setting.is_empty())
}

/// Remembers that the session is not what its stored settings are.
pub(crate) fn become_outdated(setting: &CStr) {
    remember(names::OUTDATED, setting);
}

/// What [`remember_login`] has remembered, here or in the leader; None where nobody logged in with a token.
#[cfg(feature = "pg18")]
pub(crate) fn login() -> Option<CString> {
    LOGIN_IDENTITY.get().filter(|login| !login.is_empty())
}

/// Remembers who logged in; false where PostgreSQL does not apply it.
#[cfg(feature = "pg18")]
pub(crate) fn remember_login(login: &CStr) -> bool {
    remember(names::LOGIN_IDENTITY, login)
}

/// Raises nothing, so that an assign hook can call it.
fn remember(name: &CStr, value: &CStr) -> bool {
    // What is remembered for good is not stacked, so the action SAVE differs from SET in one thing: it is allowed while a
    // parallel plan runs.
    // SAFETY: both are C strings, and the setting is defined; at a level below ERROR nothing is raised.
    let applied = unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_POSTMASTER,
            pg_sys::GucSource::PGC_S_OVERRIDE,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            pg_sys::DEBUG5 as i32,
            false,
        )
    };
    // 1: applied; 0: refused; -1: passed over (guc.c).
    applied == 1
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
