//! `pg_session_jwt.jwt`: the token of the session. Its identity is the setting's `extra`.
//!
//! A token that is set in an open session is verified at once, and a rejection changes nothing. A token of the startup
//! packet is verified late, at its first use, because the settings that it depends on may arrive after it. For the same
//! reason a parallel worker verifies its copy late.
//!
//! The result depends only on the token, the settings and the statement's start. A worker shares all of these with its
//! leader, so that both get the same result.

use std::cell::{Cell, RefCell};
use std::ffi::CStr;

use pgrx::pg_sys::GucSource;

use crate::error::Failure;
use crate::guc::extra::{Block, IdentityExtra, ProviderIndex, Slot};
use crate::guc::generation::{KeyGeneration, key_generation, settings_changed};
use crate::guc::hooks::{Checked, StringHooks};
use crate::guc::token_setting::{self, Duration};
use crate::guc::{names, process, values};
use crate::identity::audit;
#[cfg(feature = "pg18")]
use crate::identity::login_user;
use crate::identity::verified_token::VerifiedToken;
use crate::identity::verify::verify;
use crate::pg::log_guard;
use crate::token::Error;
use crate::token::identity::FlatIdentity;
use crate::token::limits::MAX_TOKEN_BYTES;
use crate::token::validity::TokenId;

static SLOT: Slot<IdentityExtra<'static>> = Slot::empty();

thread_local! {
    /// The greatest `jti` that this session has accepted. It only grows: a rollback to an older token is not a replay.
    static LAST_JTI: Cell<Option<i64>> = const { Cell::new(None) };
    /// The reason why the check hook has rejected its last token.
    static REJECTED: RefCell<Option<Failure>> = const { RefCell::new(None) };
    /// The late verification that was last written to the audit log.
    static LOGGED: Cell<Option<Basis>> = const { Cell::new(None) };
    /// The last late verification that accepted the token.
    static LATE: RefCell<Option<LateVerification>> = const { RefCell::new(None) };
}

/// What the result of a late verification depends on.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Basis {
    /// The token, by the number of its value.
    value_number: u64,
    keys: KeyGeneration,
}

struct LateVerification {
    basis: Basis,
    verified: VerifiedToken,
}

/// The identity of the current token.
pub struct TokenIdentity<'a> {
    pub identity: FlatIdentity<'a>,
    /// The provider that issued the token; None in proxy mode.
    pub provider: Option<ProviderIndex>,
}

/// Sets the token.
///
/// # Errors
/// The reason why the token is rejected; [`Failure::NotApplied`] if PostgreSQL does not apply the value.
pub fn present(token: &CStr, duration: Duration) -> Result<(), Failure> {
    REJECTED.set(None);
    if token_setting::set(token, duration) {
        return Ok(());
    }
    Err(REJECTED.take().unwrap_or(Failure::NotApplied {
        setting: names::text(names::JWT),
    }))
}

/// Calls `read` with the identity of the current token; None without a token.
///
/// # Errors
/// The reason why the token is rejected under the current keys.
pub fn read<R>(read: impl FnOnce(Option<TokenIdentity<'_>>) -> R) -> Result<R, Failure> {
    SLOT.read(|extra| match extra {
        None => Ok(read(None)),
        Some(IdentityExtra {
            verified_under,
            identity,
            provider,
            ..
        }) if verified_under == Some(key_generation()) => Ok(read(Some(TokenIdentity { identity, provider }))),
        Some(extra) => LATE.with_borrow_mut(|late| {
            let verified = verify_late(&extra, late)?;
            Ok(read(Some(TokenIdentity {
                identity: FlatIdentity::new(&verified.identity),
                provider: verified.provider,
            })))
        }),
    })
}

/// Whether a token is set, valid or not.
pub fn is_set() -> bool {
    SLOT.read(|extra| extra.is_some())
}

/// Verifies a token that was not verified with the current keys, unless the last late verification has done so.
fn verify_late<'a>(
    extra: &IdentityExtra<'_>,
    last: &'a mut Option<LateVerification>,
) -> Result<&'a VerifiedToken, Failure> {
    let basis = Basis {
        value_number: extra.value_number,
        keys: key_generation(),
    };
    match last.take() {
        Some(late) if late.basis == basis => Ok(&last.insert(late).verified),
        _ => {
            let token = values::jwt().unwrap_or_default();
            let result = verify(token.as_bytes(), TokenId::Integer);
            if !process::in_parallel_worker() && LOGGED.replace(Some(basis)) != Some(basis) {
                audit::log(token.as_bytes(), result.as_ref().err());
            }
            let verified = result?;
            raise_last_jti(FlatIdentity::new(&verified.identity).jti());
            Ok(&last.insert(LateVerification { basis, verified }).verified)
        }
    }
}

/// Verifies the current token if it is still unverified, so that its `jti` counts before that of the next token. A
/// rejection is reported where the token is used.
fn verify_current_token() {
    let _ = read(|_| ());
}

/// Raises [`LAST_JTI`].
fn raise_last_jti(jti: Option<i64>) {
    LAST_JTI.set(LAST_JTI.get().max(jti));
}

/// The setting.
pub struct TokenSetting;

impl StringHooks for TokenSetting {
    type Extra = IdentityExtra<'static>;

    const SLOT: Option<&'static Slot<Self::Extra>> = Some(&SLOT);

    /// The token is never shown.
    const SHOW: Option<fn() -> &'static CStr> = Some(|| if is_set() { c"***" } else { c"" });

    fn check(value: &CStr, source: GucSource::Type) -> Checked<Self::Extra> {
        check(value.to_bytes(), source).map_err(|failure| {
            let report = failure.report();
            REJECTED.set(Some(failure));
            report
        })
    }

    fn assign(_value: &CStr, extra: Option<IdentityExtra<'_>>) {
        log_guard::token_assigned(extra.is_some());
        settings_changed();
        raise_last_jti(extra.and_then(|extra| extra.identity.jti()));
    }
}

/// Checks a value of the setting. Returns the block of a token, and None for the empty value.
fn check(token: &[u8], source: GucSource::Type) -> Result<Option<Block<IdentityExtra<'static>>>, Failure> {
    use GucSource::{PGC_S_CLIENT, PGC_S_SESSION};
    let unverified = || Some(IdentityExtra::block(None, None, &[]));
    match source {
        _ if token.is_empty() => check_unverified(token, source).map(|()| None),
        _ if token.len() > MAX_TOKEN_BYTES => Err(Error::TokenTooLong { bytes: token.len() }.into()),
        PGC_S_CLIENT => check_unverified(token, source).map(|()| unverified()),
        PGC_S_SESSION if process::copying_from_leader() => Ok(unverified()),
        PGC_S_SESSION => {
            verify_current_token();
            let jti = LAST_JTI.get().map_or(TokenId::Integer, TokenId::GreaterThan);
            let result = verify(token, jti);
            audit::log(token, result.as_ref().err());
            let VerifiedToken { provider, identity } = result?;
            Ok(Some(IdentityExtra::block(Some(key_generation()), provider, &identity)))
        }
        _ => Err(Failure::TokenSource),
    }
}

/// Checks a value that is not verified now: a token of the startup packet, or no token.
#[cfg(feature = "pg18")]
fn check_unverified(token: &[u8], source: GucSource::Type) -> Result<(), Failure> {
    login_user::check_unverified(token, source)
}

/// Checks nothing: PostgreSQL has OAuth logins since version 18.
#[cfg(not(feature = "pg18"))]
fn check_unverified(_token: &[u8], _source: GucSource::Type) -> Result<(), Failure> {
    Ok(())
}
