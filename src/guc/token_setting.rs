//! Assignments of `pg_session_jwt.jwt`, with PostgreSQL's own function for SET.

use std::ffi::CStr;

use pgrx::pg_sys;

#[cfg(any(feature = "pg18", feature = "pg19"))]
use crate::guc::lookup::{APPLIED, QUIET};
use crate::guc::{lookup, names};

/// How long a token stays set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Duration {
    Session,
    Transaction,
}

/// Sets the token like SET or SET LOCAL. Returns false if PostgreSQL does not apply it.
pub fn set(token: &CStr, duration: Duration) -> bool {
    let action = match duration {
        Duration::Session => pg_sys::GucAction::GUC_ACTION_SET,
        Duration::Transaction => pg_sys::GucAction::GUC_ACTION_LOCAL,
    };
    // The reason of the check hook is raised afterwards, by the caller.
    lookup::try_assign(
        names::JWT,
        token,
        pg_sys::GucContext::PGC_USERSET,
        pg_sys::GucSource::PGC_S_SESSION,
        action,
    )
}

/// Sets the token as if the startup packet had set it. Returns false if PostgreSQL does not apply it.
#[cfg(any(feature = "pg18", feature = "pg19"))]
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
            QUIET,
            false,
        )
    };
    applied == APPLIED
}
