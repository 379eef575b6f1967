//! PostgreSQL 18's login with a token: this library as a validator of SASL OAUTHBEARER (RFC 7628).
//!
//! PostgreSQL loads it by `oauth_validator_libraries`, asks it for its callbacks and shows it each token. Who is let in
//! is decided by [`login`], which denies by default: nothing that goes wrong here is an acceptance. The client is told
//! of a refusal only that it is one; the reason is in the server's log, and never the token.
//!
//! `libpq/oauth.h` is not bound by pgrx: what is needed of it stands here, its fields in the header's order.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;

use crate::error::Failure;
use crate::identity::{audit, login};
use crate::token::Excerpt;

/// PG_OAUTH_VALIDATOR_MAGIC, which stands for the form of what follows.
const MAGIC: u32 = 0x2025_0220;

/// ValidatorModuleState; PostgreSQL's own.
#[repr(C)]
pub struct State {
    sversion: c_int,
    private_data: *mut c_void,
}

/// ValidatorModuleResult.
#[repr(C)]
pub struct Verdict {
    authorized: bool,
    /// Who the bearer is: SYSTEM_USER, and what pg_ident.conf maps. PostgreSQL frees it.
    authn_id: *mut c_char,
}

/// OAuthValidatorCallbacks.
#[repr(C)]
pub struct Callbacks {
    magic: u32,
    startup: Option<unsafe extern "C-unwind" fn(*mut State)>,
    shutdown: Option<unsafe extern "C-unwind" fn(*mut State)>,
    validate: Option<unsafe extern "C-unwind" fn(*const State, *const c_char, *const c_char, *mut Verdict) -> bool>,
}

static CALLBACKS: Callbacks = Callbacks {
    magic: MAGIC,
    startup: None,
    shutdown: None,
    validate: Some(validate),
};

/// What PostgreSQL looks for in a validator library.
// SAFETY: PostgreSQL's name for this; it looks it up in each library by itself.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn _PG_oauth_validator_module_init() -> *const Callbacks {
    &raw const CALLBACKS
}

/// Whether the bearer of a token may log in as a role. False is a failure of the validator, which PostgreSQL logs.
#[pg_guard]
unsafe extern "C-unwind" fn validate(
    _state: *const State,
    token: *const c_char,
    role: *const c_char,
    verdict: *mut Verdict,
) -> bool {
    let denied = Verdict {
        authorized: false,
        authn_id: ptr::null_mut(),
    };
    // SAFETY: PostgreSQL calls this with a verdict of its own to write to.
    unsafe { verdict.write(denied) };
    // SAFETY: a C string that lives until this returns.
    let token = unsafe { CStr::from_ptr(token) };
    // SAFETY: as above.
    let role = unsafe { CStr::from_ptr(role) };
    let decided = PgTryBuilder::new(|| Some(decide(token, role)))
        .catch_others(broken_off)
        .execute();
    match decided {
        None => false,
        Some(None) => true,
        Some(Some(user_id)) => {
            // SAFETY: a C string, which is copied into PostgreSQL's memory.
            let authn_id = unsafe { pg_sys::pstrdup(user_id.as_ptr()) };
            let accepted = Verdict {
                authorized: true,
                authn_id,
            };
            // SAFETY: as before.
            unsafe { verdict.write(accepted) };
            true
        }
    }
}

/// The user id of a bearer who may log in as this role.
fn decide(token: &CStr, role: &CStr) -> Option<CString> {
    let accepted = login::judge(token.to_bytes(), role).and_then(|login| login.begin(token));
    let role = Excerpt::new(&role.to_string_lossy());
    audit::log_login(token.to_bytes(), &role, accepted.as_ref().err());
    if let Err(failure) = &accepted {
        log_refused(&role, failure);
    }
    accepted.ok()
}

fn log_refused(role: &Excerpt, failure: &Failure) {
    failure.log(&format!(
        "pg_session_jwt: a login as \"{role}\" with a token is refused"
    ));
}

/// No verdict. An error of PostgreSQL itself goes on and ends the process, which gives back what it holds; it is no
/// acceptance either.
fn broken_off(error: CaughtError) -> Option<Option<CString>> {
    let (CaughtError::ErrorReport(report) | CaughtError::RustPanic { ereport: report, .. }) = &error else {
        error.rethrow()
    };
    // The place only: the message of a panic can have a piece of what it was about.
    log!(
        "pg_session_jwt: a login with a token broke off at {}:{}",
        report.file(),
        report.line_number()
    );
    None
}
