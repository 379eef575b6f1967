//! `pg_session_jwt.jwt`: the token of the session. Its identity is the setting's `extra`.
//!
//! A token that is set in a running session is judged at once, and a refusal leaves everything as it was. A token in
//! the startup packet, and the copy that a parallel worker receives, is judged when it is first used: the settings that
//! it is judged under may come after it. The verdict depends on the token, the settings and the statement's start
//! alone, all of which a worker shares with its leader, so both come to the same.

use std::cell::{Cell, RefCell};
use std::ffi::CStr;

use pgrx::pg_sys;

use crate::error::Failure;
use crate::guc::extra::{IdentityExtra, ProviderIndex, Slot};
use crate::guc::generation::{KeyGeneration, assigned, key_generation};
use crate::guc::hooks::{Checked, StringHooks};
use crate::guc::{names, process, values};
use crate::identity::audit;
#[cfg(feature = "pg18")]
use crate::identity::login::admit;
use crate::identity::verified_cache::Verified;
use crate::identity::verify::judge;
use crate::pg::log_guard;
use crate::token;
use crate::token::Error;
use crate::token::identity::FlatIdentity;
use crate::token::policy::TokenId;

static SLOT: Slot<IdentityExtra<'static>> = Slot::empty();

thread_local! {
    /// The greatest `jti` that this session has taken on. It only grows: a rollback to an older token is no replay.
    static LAST_JTI: Cell<Option<i64>> = const { Cell::new(None) };
    /// Why the check hook refused its last token.
    static REFUSED: RefCell<Option<Failure>> = const { RefCell::new(None) };
    /// The token, by value number, and the keys under which its later verification was last written to the audit log.
    static AUDITED: Cell<Option<(u64, KeyGeneration)>> = const { Cell::new(None) };
    /// The verdict on a token that was not judged under the current keys when it was set.
    static JUDGED_LATER: RefCell<Option<Judged>> = const { RefCell::new(None) };
}

struct Judged {
    value_number: u64,
    verified_under: KeyGeneration,
    verified: Verified,
}

/// Who is speaking, by the current token.
pub struct Speaker<'a> {
    pub identity: FlatIdentity<'a>,
    /// The provider that issued the token; None in proxy mode.
    pub provider: Option<ProviderIndex>,
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
        setting: names::text(names::JWT),
    }))
}

/// Shows the identity of the current token to `read`; None without a token.
///
/// # Errors
/// Why the token is not accepted under the current keys.
pub fn read<R>(read: impl FnOnce(Option<Speaker<'_>>) -> R) -> Result<R, Failure> {
    SLOT.read(|extra| match extra {
        None => Ok(read(None)),
        Some(IdentityExtra {
            verified_under: Some(generation),
            provider,
            identity,
            ..
        }) if generation == key_generation() => Ok(read(Some(Speaker { identity, provider }))),
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

fn judge_later<'a>(extra: &IdentityExtra, known: &'a mut Option<Judged>) -> Result<&'a Verified, Failure> {
    let (value_number, verified_under) = (extra.value_number, key_generation());
    match known.take() {
        Some(judged) if judged.value_number == value_number && judged.verified_under == verified_under => {
            Ok(&known.insert(judged).verified)
        }
        _ => {
            let token = values::jwt().unwrap_or_default();
            let verified = judge(token.as_bytes(), TokenId::Integer);
            let audited = Some((value_number, verified_under));
            if !process::in_parallel_worker() && AUDITED.replace(audited) != audited {
                audit::log(token.as_bytes(), verified.as_ref().err());
            }
            let verified = verified?;
            raise_last_jti(FlatIdentity::new(&verified.identity).jti());
            let judged = known.insert(Judged {
                value_number,
                verified_under,
                verified,
            });
            Ok(&judged.verified)
        }
    }
}

/// Nobody logs in with a token before PostgreSQL 18.
#[cfg(not(feature = "pg18"))]
fn admit(_token: &[u8], _source: pg_sys::GucSource::Type) -> Result<(), Failure> {
    Ok(())
}

/// Verifies a token where that is due now; None where it is verified at its first use.
fn verify_now(token: &[u8], source: pg_sys::GucSource::Type) -> Result<Option<Verified>, Failure> {
    use pg_sys::GucSource::{PGC_S_CLIENT, PGC_S_SESSION};
    match source {
        _ if token.len() > token::limits::MAX_TOKEN_BYTES => Err(Error::TokenTooLong { bytes: token.len() }.into()),
        PGC_S_CLIENT => admit(token, source).map(|()| None),
        PGC_S_SESSION if process::copying_from_leader() => Ok(None),
        PGC_S_SESSION => {
            // A token of the startup packet that nobody has used yet came before this one.
            let _ = read(|_| ());
            let jti = LAST_JTI.get().map_or(TokenId::Integer, TokenId::GreaterThan);
            let verified = judge(token, jti);
            audit::log(token, verified.as_ref().err());
            verified.map(Some)
        }
        _ => Err(Failure::TokenSource),
    }
}

fn raise_last_jti(jti: Option<i64>) {
    LAST_JTI.set(LAST_JTI.get().max(jti));
}

/// The setting.
pub struct TokenSetting;

impl StringHooks for TokenSetting {
    type Extra = IdentityExtra<'static>;

    const SLOT: Option<&'static Slot<Self::Extra>> = Some(&SLOT);

    const SHOW: Option<fn() -> &'static CStr> = Some(|| if is_set() { c"***" } else { c"" });

    fn check(value: &CStr, source: pg_sys::GucSource::Type) -> Checked<Self::Extra> {
        let token = value.to_bytes();
        let block = if token.is_empty() {
            admit(token, source).map(|()| None)
        } else {
            verify_now(token, source).map(|verified| {
                Some(match verified {
                    None => IdentityExtra::block(None, None, &[]),
                    Some(Verified { provider, identity }) => {
                        IdentityExtra::block(Some(key_generation()), provider, &identity)
                    }
                })
            })
        };
        block.map_err(|failure| {
            let report = failure.report();
            REFUSED.set(Some(failure));
            report
        })
    }

    fn assign(_value: &CStr, extra: Option<IdentityExtra<'_>>) {
        log_guard::token_assigned(extra.is_some());
        assigned();
        raise_last_jti(extra.and_then(|extra| extra.identity.jti()));
    }
}
