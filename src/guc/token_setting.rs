//! Assignments of `pg_session_jwt.jwt`, with PostgreSQL's own function for SET.

use std::ffi::CStr;

use pgrx::pg_sys;

use crate::guc::names;

/// How long a token stays set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Duration {
    Session,
    Transaction,
}

/// A level below ERROR: the check hook's reason is raised afterwards with nothing added. An ERROR that crosses pgrx would
/// get a Rust backtrace in its DETAIL where the server's environment asks for backtraces.
const LEVEL: i32 = pg_sys::DEBUG5 as i32;

/// The result of guc.c for a value that it has applied. 0 stands for a rejected value, -1 for a skipped one.
const APPLIED: i32 = 1;

/// Sets the token like SET or SET LOCAL. Returns false if PostgreSQL does not apply it.
pub fn set(token: &CStr, duration: Duration) -> bool {
    let action = match duration {
        Duration::Session => pg_sys::GucAction::GUC_ACTION_SET,
        Duration::Transaction => pg_sys::GucAction::GUC_ACTION_LOCAL,
    };
    // SAFETY: name and value are C strings, and below the level ERROR nothing is raised.
    let applied = unsafe {
        pg_sys::set_config_option(
            names::JWT.as_ptr(),
            token.as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            action,
            true,
            LEVEL,
            false,
        )
    };
    applied == APPLIED
}

/// Sets the token as if the startup packet had set it. Returns false if PostgreSQL does not apply it.
#[cfg(feature = "pg18")]
pub fn set_at_login(token: &CStr) -> bool {
    // During the login no role is set. PostgreSQL itself uses this role for the startup packet.
    let role = pg_sys::Oid::from(pg_sys::BOOTSTRAP_SUPERUSERID);
    // SAFETY: name and value are C strings, and below the level ERROR nothing is raised.
    let applied = unsafe {
        pg_sys::set_config_option_ext(
            names::JWT.as_ptr(),
            token.as_ptr(),
            pg_sys::GucContext::PGC_BACKEND,
            pg_sys::GucSource::PGC_S_CLIENT,
            role,
            pg_sys::GucAction::GUC_ACTION_SET,
            true,
            LEVEL,
            false,
        )
    };
    applied == APPLIED
}
