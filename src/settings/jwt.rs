//! `pg_session_jwt.jwt`: the token of the session. Its identity is the setting's `extra`.
//!
//! A token that is set in a running session is judged at once, and a refusal leaves everything as it was. A token in
//! the startup packet, and the copy that a parallel worker receives, is judged when it is first used: the settings that
//! it is judged under may come after it. The verdict depends on the token, the settings and the statement's start
//! alone, all of which a worker shares with its leader, so both come to the same.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_void};

use pgrx::prelude::*;

use super::extra::{self, Extra, Slot};
use super::{JWT, Mode, hook, key_generation, leeway, mode, name};
use crate::error::Failure;
use crate::token::identity::FlatIdentity;
use crate::token::policy::TokenId;
use crate::token::{self, Error, Identity, Policy};
use crate::{audit, clock, encoding};

static SLOT: Slot = Slot::empty();

thread_local! {
    /// The greatest `jti` that this session has taken on. It only grows: a rollback to an older token is no replay.
    static LAST_JTI: Cell<Option<i64>> = const { Cell::new(None) };
    /// The verdict on a token that was not judged under the current keys when it was set.
    static JUDGED_LATER: RefCell<Option<Judged>> = const { RefCell::new(None) };
}

struct Judged {
    generation: u64,
    judged_under: u64,
    identity: Vec<u8>,
}

/// Sets the token, for the session or until the transaction ends.
pub fn present(token: &CStr, is_local: bool) {
    use pg_sys::GucAction::{GUC_ACTION_LOCAL, GUC_ACTION_SET};
    let action = if is_local { GUC_ACTION_LOCAL } else { GUC_ACTION_SET };
    // SAFETY: both are C strings; a refusal is raised as an error from inside.
    unsafe {
        pg_sys::set_config_option(
            name::JWT.as_ptr(),
            token.as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            action,
            true,
            0,
            false,
        )
    };
}

/// Shows the identity of the current token to `read`; None without a token.
///
/// # Errors
/// Why the token is not accepted under the current keys.
pub fn read<R>(read: impl FnOnce(Option<FlatIdentity<'_>>) -> R) -> Result<R, Failure> {
    SLOT.read(|extra| match extra {
        None => Ok(read(None)),
        Some(extra) if extra.judged_under == key_generation() => Ok(read(Some(extra.identity))),
        Some(extra) => JUDGED_LATER.with_borrow_mut(|judged| {
            let identity = judge_later(&extra, judged)?;
            Ok(read(Some(FlatIdentity::new(identity))))
        }),
    })
}

/// Whether a token is set, whatever it is worth.
pub fn is_set() -> bool {
    SLOT.read(|extra| extra.is_some())
}

fn judge_later<'a>(extra: &Extra, judged: &'a mut Option<Judged>) -> Result<&'a [u8], Failure> {
    let (generation, judged_under) = (extra.generation, key_generation());
    let known = |judged: &Judged| judged.generation == generation && judged.judged_under == judged_under;
    if !judged.as_ref().is_some_and(known) {
        *judged = None;
        let token = JWT.get().unwrap_or_default();
        let verdict = judge(token.as_bytes(), TokenId::Integer);
        if !hook::in_parallel_worker() {
            audit::log(token.as_bytes(), &verdict);
        }
        let identity = verdict?;
        raise_last_jti(identity.jti);
        *judged = Some(Judged {
            generation,
            judged_under,
            identity: encoding::flatten(identity)?,
        });
    }
    Ok(judged.as_ref().map_or(&[], |judged| &judged.identity))
}

/// The one place where a token becomes an identity.
fn judge(token: &[u8], jti: TokenId) -> Result<Identity, Failure> {
    let keys = match mode()? {
        Mode::Proxy(keys) => keys,
        Mode::Claims | Mode::Off => return Err(Failure::NoKey),
    };
    let policy = Policy {
        now: clock::statement_start(),
        leeway: leeway(),
        jti,
    };
    Ok(token::verify(token, &keys, &policy)?)
}

#[pg_guard]
pub(super) unsafe extern "C-unwind" fn check(
    newval: *mut *mut c_char,
    extra: *mut *mut c_void,
    source: pg_sys::GucSource::Type,
) -> bool {
    // SAFETY: PostgreSQL calls check hooks with the value to check.
    let token = unsafe { hook::value(newval) }.to_bytes();
    if token.is_empty() {
        return true;
    }
    let block = match verdict(token, source) {
        Ok((judged_under, identity)) => extra::allocate(judged_under, &identity),
        Err(failure) => return hook::refuse(&failure),
    };
    // SAFETY: PostgreSQL calls check hooks with a place for their block.
    unsafe { *extra = block };
    !block.is_null()
}

/// What goes into the block: the key generation and the flat identity.
fn verdict(token: &[u8], source: pg_sys::GucSource::Type) -> Result<(u64, Vec<u8>), Failure> {
    use pg_sys::GucSource::{PGC_S_CLIENT, PGC_S_SESSION};
    match source {
        _ if token.len() > token::compact::MAX_TOKEN_BYTES => Err(Error::TokenTooLong { bytes: token.len() }.into()),
        PGC_S_CLIENT => Ok((0, Vec::new())),
        PGC_S_SESSION if hook::copying_from_leader() => Ok((0, Vec::new())),
        PGC_S_SESSION => {
            let jti = LAST_JTI.get().map_or(TokenId::Integer, TokenId::GreaterThan);
            let judged = judge(token, jti);
            audit::log(token, &judged);
            Ok((key_generation(), encoding::flatten(judged?)?))
        }
        _ => Err(Failure::TokenSource),
    }
}

#[pg_guard]
pub(super) unsafe extern "C-unwind" fn assign(_newval: *const c_char, extra: *mut c_void) {
    SLOT.assign(extra);
    SLOT.read(|extra| raise_last_jti(extra.and_then(|extra| extra.identity.jti())));
}

fn raise_last_jti(jti: Option<i64>) {
    LAST_JTI.set(LAST_JTI.get().max(jti));
}

#[pg_guard]
pub(super) unsafe extern "C-unwind" fn show() -> *const c_char {
    if is_set() { c"***".as_ptr() } else { c"".as_ptr() }
}
