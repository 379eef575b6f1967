//! OAuth logins of PostgreSQL 18 and later: this library as a validator of SASL OAUTHBEARER (RFC 7628).
//!
//! PostgreSQL loads it by `oauth_validator_libraries`, calls it for its callbacks and passes it each token. [`login`]
//! decides, and denies by default: no failure here is an acceptance. The client learns only that it was rejected; the
//! reason is in the server's log, without the token.
//!
//! pgrx does not bind `libpq/oauth.h`: the necessary parts are declared here, with their fields in the header's order. The
//! entry point that PostgreSQL looks up by name, and the callback with C strings, need unsafe code.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;

use crate::error::Failure;
use crate::identity::presented::Presented;
use crate::identity::{audit, login};
use crate::token::Excerpt;

/// PG_OAUTH_VALIDATOR_MAGIC, the version of the declarations below.
const MAGIC: u32 = 0x2025_0220;

/// ValidatorModuleState, which PostgreSQL owns.
#[repr(C)]
pub struct State {
    sversion: c_int,
    private_data: *mut c_void,
}

/// ValidatorModuleResult.
#[repr(C)]
pub struct Outcome {
    authorized: bool,
    /// The user id of the bearer: SYSTEM_USER, and the name that pg_ident.conf maps. PostgreSQL frees it.
    authn_id: *mut c_char,
    /// The reason of a rejection for PostgreSQL's own line in the log; none, because this library logs its lines itself.
    #[cfg(feature = "pg19")]
    error_detail: *mut c_char,
}

/// OAuthValidatorCallbacks.
#[repr(C)]
pub struct Callbacks {
    magic: u32,
    startup: Option<unsafe extern "C-unwind" fn(*mut State)>,
    shutdown: Option<unsafe extern "C-unwind" fn(*mut State)>,
    validate: Option<unsafe extern "C-unwind" fn(*const State, *const c_char, *const c_char, *mut Outcome) -> bool>,
}

static CALLBACKS: Callbacks = Callbacks {
    magic: MAGIC,
    startup: None,
    shutdown: None,
    validate: Some(validate),
};

/// The function that PostgreSQL looks up in a validator library.
// SAFETY: PostgreSQL defines this name, and looks it up in each library by itself.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn _PG_oauth_validator_module_init() -> *const Callbacks {
    &raw const CALLBACKS
}

/// Validates a token for a role. Returns false where the validator itself fails, which PostgreSQL logs.
#[pg_guard]
unsafe extern "C-unwind" fn validate(
    _state: *const State,
    token: *const c_char,
    role: *const c_char,
    outcome: *mut Outcome,
) -> bool {
    let denied = Outcome {
        authorized: false,
        authn_id: ptr::null_mut(),
        #[cfg(feature = "pg19")]
        error_detail: ptr::null_mut(),
    };
    // SAFETY: PostgreSQL passes its outcome to write to.
    unsafe { outcome.write(denied) };
    // SAFETY: PostgreSQL passes a C string that lives until this returns.
    let token = unsafe { CStr::from_ptr(token) };
    // SAFETY: PostgreSQL passes a C string that lives until this returns.
    let role = unsafe { CStr::from_ptr(role) };
    let decided = PgTryBuilder::new(|| Some(decide(token, role)))
        .catch_others(log_failure)
        .execute();
    match decided {
        None => false,
        Some(None) => true,
        Some(Some(user_id)) => {
            // SAFETY: the user id is a C string, which pstrdup copies into PostgreSQL's memory.
            let authn_id = unsafe { pg_sys::pstrdup(user_id.as_ptr()) };
            let accepted = Outcome {
                authorized: true,
                authn_id,
                #[cfg(feature = "pg19")]
                error_detail: ptr::null_mut(),
            };
            // SAFETY: PostgreSQL passes its outcome to write to.
            unsafe { outcome.write(accepted) };
            true
        }
    }
}

/// The user id of a bearer who may log in as this role.
fn decide(token: &CStr, role: &CStr) -> Option<CString> {
    let presented = Presented::new(token.to_bytes());
    let accepted = login::verify(&presented, role).and_then(|login| login.begin(token));
    let role = Excerpt::new(&role.to_string_lossy());
    audit::log_login(token.to_bytes(), &role, accepted.as_ref().err());
    presented.count_login(accepted.as_ref().err());
    if let Err(failure) = &accepted {
        log_rejected(&role, failure);
    }
    accepted.ok()
}

fn log_rejected(role: &Excerpt, failure: &Failure) {
    failure.log(&format!("pg_session_jwt: OAuth login as \"{role}\" was rejected"));
}

/// Logs an error of this library. An error of PostgreSQL is raised again and ends the process, which releases what it holds;
/// it is not an acceptance either.
fn log_failure(error: CaughtError) -> Option<Option<CString>> {
    let (CaughtError::ErrorReport(report) | CaughtError::RustPanic { ereport: report, .. }) = &error else {
        error.rethrow()
    };
    // Only the position: the message of a panic can contain a part of the token.
    log!(
        "pg_session_jwt: OAuth validation failed at {}:{}",
        report.file(),
        report.line_number()
    );
    None
}
