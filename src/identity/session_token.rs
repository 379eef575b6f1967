//! `pg_session_jwt.jwt`: the token of the session. Its identity is the setting's `extra`.
//!
//! A token that is set in a running session is judged at once, and a refusal leaves everything as it was. A token in
//! the startup packet, and the copy that a parallel worker receives, is judged when it is first used: the settings that
//! it is judged under may come after it. The verdict depends on the token, the settings and the statement's start
//! alone, all of which a worker shares with its leader, so both come to the same.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_void};

use pgrx::prelude::*;

use crate::error::Failure;
use crate::error::check_hook;
use crate::guc::extra::{Extra, Slot};
use crate::guc::generation::{assigned, key_generation};
use crate::guc::values::JWT;
use crate::guc::{extra, names, process};
use crate::identity::audit;
#[cfg(feature = "pg18")]
use crate::identity::login::admit;
use crate::identity::verified_cache::Verdict;
use crate::identity::verify::judge;
use crate::pg::log_guard;
use crate::token;
use crate::token::Error;
use crate::token::identity::FlatIdentity;
use crate::token::policy::TokenId;

static SLOT: Slot = Slot::empty();

thread_local! {
    /// The greatest `jti` that this session has taken on. It only grows: a rollback to an older token is no replay.
    static LAST_JTI: Cell<Option<i64>> = const { Cell::new(None) };
    /// Why the check hook refused its last token.
    static REFUSED: RefCell<Option<Failure>> = const { RefCell::new(None) };
    /// The token, by generation, and the keys under which its later judgement was last written to the audit log.
    static AUDITED: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    /// The verdict on a token that was not judged under the current keys when it was set.
    static JUDGED_LATER: RefCell<Option<Judged>> = const { RefCell::new(None) };
}

struct Judged {
    generation: u64,
    judged_under: u64,
    verdict: Verdict,
}

/// Who is speaking, by the current token.
pub struct Speaker<'a> {
    pub identity: FlatIdentity<'a>,
    /// The place of the provider that the token is of; 0 in proxy mode.
    pub provider: usize,
}

/// Sets the token, for the session or until the transaction ends.
///
/// # Errors
/// Why it is refused; [`Failure::NotApplied`], should PostgreSQL pass the value over for a reason of its own.
pub fn present(token: &CStr, is_local: bool) -> Result<(), Failure> {
    use pg_sys::GucAction::{GUC_ACTION_LOCAL, GUC_ACTION_SET};
    let action = if is_local { GUC_ACTION_LOCAL } else { GUC_ACTION_SET };
    REFUSED.set(None);
    // At a level below ERROR, so that the check hook's reason comes back here and is raised with nothing added: an ERROR
    // that crosses pgrx gets a Rust backtrace in its DETAIL where the server's environment asks for backtraces.
    // SAFETY: both are C strings.
    let applied = unsafe {
        pg_sys::set_config_option(
            names::JWT.as_ptr(),
            token.as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            action,
            true,
            pg_sys::DEBUG5 as i32,
            false,
        )
    };
    // 1: applied; 0: refused; -1: passed over (guc.c).
    if applied == 1 {
        return Ok(());
    }
    Err(REFUSED.take().unwrap_or(Failure::NotApplied {
        setting: names::JWT_TEXT,
    }))
}

/// Shows the identity of the current token to `read`; None without a token.
///
/// # Errors
/// Why the token is not accepted under the current keys.
pub fn read<R>(read: impl FnOnce(Option<Speaker<'_>>) -> R) -> Result<R, Failure> {
    SLOT.read(|extra| match extra {
        None => Ok(read(None)),
        Some(Extra {
            judged_under,
            provider,
            identity,
            ..
        }) if judged_under == key_generation() => Ok(read(Some(Speaker { identity, provider }))),
        Some(extra) => JUDGED_LATER.with_borrow_mut(|judged| {
            let verdict = judge_later(&extra, judged)?;
            Ok(read(Some(Speaker {
                identity: FlatIdentity::new(&verdict.identity),
                provider: verdict.provider,
            })))
        }),
    })
}

/// Whether a token is set, whatever it is worth.
pub fn is_set() -> bool {
    SLOT.read(|extra| extra.is_some())
}

fn judge_later<'a>(extra: &Extra, known: &'a mut Option<Judged>) -> Result<&'a Verdict, Failure> {
    let (generation, judged_under) = (extra.generation, key_generation());
    match known.take() {
        Some(judged) if judged.generation == generation && judged.judged_under == judged_under => {
            Ok(&known.insert(judged).verdict)
        }
        _ => {
            let token = JWT.get().unwrap_or_default();
            let verdict = judge(token.as_bytes(), TokenId::Integer);
            if !process::in_parallel_worker()
                && AUDITED.replace((generation, judged_under)) != (generation, judged_under)
            {
                audit::log(token.as_bytes(), verdict.as_ref().err());
            }
            let verdict = verdict?;
            raise_last_jti(FlatIdentity::new(&verdict.identity).jti());
            let judged = known.insert(Judged {
                generation,
                judged_under,
                verdict,
            });
            Ok(&judged.verdict)
        }
    }
}

#[pg_guard]
pub(crate) unsafe extern "C-unwind" fn check(
    newval: *mut *mut c_char,
    extra: *mut *mut c_void,
    source: pg_sys::GucSource::Type,
) -> bool {
    // SAFETY: PostgreSQL calls check hooks with the value to check.
    let token = unsafe { check_hook::value(newval) }.to_bytes();
    if token.is_empty() {
        return admit(token, source).map_or_else(refuse, |()| true);
    }
    let block = match verdict(token, source) {
        Ok((judged_under, provider, identity)) => extra::allocate(judged_under, provider, &identity),
        Err(failure) => return refuse(failure),
    };
    // SAFETY: PostgreSQL calls check hooks with a place for their block.
    unsafe { *extra = block };
    !block.is_null()
}

fn refuse(failure: Failure) -> bool {
    let accepted = check_hook::reject(&failure);
    REFUSED.set(Some(failure));
    accepted
}

/// Nobody logs in with a token before PostgreSQL 18.
#[cfg(not(feature = "pg18"))]
fn admit(_token: &[u8], _source: pg_sys::GucSource::Type) -> Result<(), Failure> {
    Ok(())
}

/// What goes into the block: the key generation, the provider and the flat identity.
fn verdict(token: &[u8], source: pg_sys::GucSource::Type) -> Result<(u64, usize, Vec<u8>), Failure> {
    use pg_sys::GucSource::{PGC_S_CLIENT, PGC_S_SESSION};
    match source {
        _ if token.len() > token::limits::MAX_TOKEN_BYTES => Err(Error::TokenTooLong { bytes: token.len() }.into()),
        PGC_S_CLIENT => admit(token, source).map(|()| (0, 0, Vec::new())),
        PGC_S_SESSION if process::copying_from_leader() => Ok((0, 0, Vec::new())),
        PGC_S_SESSION => {
            // A token of the startup packet that nobody has used yet came before this one.
            let _ = read(|_| ());
            let jti = LAST_JTI.get().map_or(TokenId::Integer, TokenId::GreaterThan);
            let judged = judge(token, jti);
            audit::log(token, judged.as_ref().err());
            let Verdict { provider, identity } = judged?;
            Ok((key_generation(), provider, identity))
        }
        _ => Err(Failure::TokenSource),
    }
}

#[pg_guard]
pub(crate) unsafe extern "C-unwind" fn assign(_newval: *const c_char, extra: *mut c_void) {
    SLOT.assign(extra);
    log_guard::token_assigned(!extra.is_null());
    assigned();
    SLOT.read(|extra| raise_last_jti(extra.and_then(|extra| extra.identity.jti())));
}

fn raise_last_jti(jti: Option<i64>) {
    LAST_JTI.set(LAST_JTI.get().max(jti));
}

#[pg_guard]
pub(crate) unsafe extern "C-unwind" fn show() -> *const c_char {
    if is_set() { c"***".as_ptr() } else { c"".as_ptr() }
}
