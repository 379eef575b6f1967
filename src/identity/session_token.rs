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
use crate::guc::extra::{Block, IdentityExtra, Lifetime, ProviderIndex, Slot};
use crate::guc::generation::{KeyGeneration, key_generation, settings_changed};
use crate::guc::hooks::{Checked, StringHooks};
use crate::guc::token_setting::{self, Duration};
use crate::guc::{names, process, values};
use crate::identity::activity;
#[cfg(any(feature = "pg18", feature = "pg19"))]
use crate::identity::login_user;
use crate::identity::presented::{self, Presented};
use crate::identity::scope;
use crate::identity::verified_token::{Accepted, VerifiedToken};
use crate::identity::verify::verify;
use crate::pg::{ereport, log_guard};
use crate::token::Error;
use crate::token::identity::FlatIdentity;
use crate::token::limits::MAX_TOKEN_BYTES;
use crate::token::refetch::Remedy;
use crate::token::validity::TokenId;

static SLOT: Slot<IdentityExtra<'static>> = Slot::empty();

thread_local! {
    /// The greatest `jti` that this session has accepted. It only grows: a rollback to an older token is not a replay.
    static LAST_JTI: Cell<Option<i64>> = const { Cell::new(None) };
    /// The reason why the check hook has rejected its last token.
    static REJECTED: RefCell<Option<Failure>> = const { RefCell::new(None) };
    /// The last `jti` before a token that was set, and that [`check_duration`] has not seen yet.
    static JUST_SET: Cell<Option<Option<i64>>> = const { Cell::new(None) };
    /// The late verification that was last written to the audit log and counted.
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

impl Basis {
    fn of(extra: &IdentityExtra<'_>) -> Self {
        Basis {
            value_number: extra.value_number,
            keys: key_generation(),
        }
    }
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
    /// The value that has the token.
    pub value: IdentityExtra<'a>,
}

/// Sets the token.
///
/// # Errors
/// The reason why the token is rejected; [`Failure::NotApplied`] if PostgreSQL does not apply the value.
pub fn present(token: &CStr, duration: Duration) -> Result<(), Failure> {
    REJECTED.set(None);
    if duration == Duration::Session && scope::is_transaction() {
        return reject_session_wide(token);
    }
    let is_set = token_setting::set(token, duration);
    JUST_SET.set(None);
    if is_set {
        return Ok(());
    }
    Err(REJECTED.take().unwrap_or(Failure::NotApplied {
        setting: names::text(names::JWT),
    }))
}

/// Calls `read` with the identity of the current token; None without a token that counts.
///
/// # Errors
/// The reason why the token is rejected under the current keys.
pub fn read<R>(read: impl FnOnce(Option<TokenIdentity<'_>>) -> R) -> Result<R, Failure> {
    SLOT.read(|extra| match extra {
        None => Ok(read(None)),
        Some(extra) if !scope::counts(scope::TOKEN, &extra)? => Ok(read(None)),
        Some(value) if value.verified_under == Some(key_generation()) => Ok(read(Some(TokenIdentity {
            identity: value.identity,
            provider: value.provider,
            value,
        }))),
        Some(extra) => LATE.with_borrow_mut(|late| {
            let verified = verify_late(&extra, late)?;
            Ok(read(Some(TokenIdentity {
                identity: FlatIdentity::new(&verified.identity),
                provider: verified.provider,
                value: extra,
            })))
        }),
    })
}

/// Raises an error if the token that was just set outlasts its transaction and must not. SET and set_config() tell a check
/// hook nothing about the duration. PostgreSQL calls this function at the end of both; the error then undoes the assignment.
pub fn check_duration() {
    let outlasts = || SLOT.read(|extra| extra.is_some_and(|extra| extra.lifetime.get() == Some(Lifetime::Session)));
    let Some(last_jti) = JUST_SET.take() else { return };
    if outlasts() && scope::is_transaction() {
        // The same token may follow with SET LOCAL.
        LAST_JTI.set(last_jti);
        let token = values::jwt().unwrap_or_default();
        if let Err(failure) = reject_session_wide(&token) {
            failure.raise();
        }
    }
}

/// Ends the loading of the library. A token from before is not one that a statement has just set.
pub fn loaded() {
    JUST_SET.set(None);
}

fn reject_session_wide(token: &CStr) -> Result<(), Failure> {
    let outcome = Err(Failure::OutlastsTransaction);
    Presented::new(token.to_bytes()).decided(&outcome);
    outcome.map(|_| ())
}

/// Whether there is a token that does not count because it outlasts its transaction.
pub fn outlasts() -> bool {
    SLOT.read(|extra| extra.is_some_and(|extra| scope::counts(scope::TOKEN, &extra) == Ok(false)))
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
    let basis = Basis::of(extra);
    match last.take() {
        Some(late) if late.basis == basis => Ok(&last.insert(late).verified),
        _ => {
            let token = values::jwt().unwrap_or_default();
            // A token that was accepted before lost its key to the present set, which need not be fetched again. A parallel
            // worker has the keys of its leader.
            let most = match extra.verified_under {
                None if !process::in_parallel_worker() => Remedy::Refetch,
                _ => Remedy::FirstFetch,
            };
            let presented = Presented::new(token.as_bytes());
            let result = verify(&presented, TokenId::Integer, most);
            if !process::in_parallel_worker() && LOGGED.replace(Some(basis)) != Some(basis) {
                presented.decided(&result);
            }
            let verified = accepted(result?);
            raise_last_jti(FlatIdentity::new(&verified.identity).jti());
            Ok(&last.insert(LateVerification { basis, verified }).verified)
        }
    }
}

/// The identity of a token that was accepted. A server that logs at DEBUG1 logs where the token was verified.
fn accepted(Accepted { verified, origin }: Accepted) -> VerifiedToken {
    ereport::debug(|| format!("token was {}", origin.text()));
    verified
}

/// Verifies the current token if it is still unverified, so that its `jti` counts before that of the next token. A
/// rejection is reported where the token is used.
pub fn verify_current_token() {
    let _ = read(|_| ());
}

/// What the `jti` of the next token must be in proxy mode.
pub fn required_token_id() -> TokenId {
    LAST_JTI.get().map_or(TokenId::Integer, TokenId::GreaterThan)
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
    const SHOW: Option<fn() -> &'static CStr> = Some(|| {
        // set_config() returns the new value, and so shows it.
        check_duration();
        if is_set() { c"***" } else { c"" }
    });

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
        scope::assigned(names::JWT, scope::TOKEN, extra);
        show(extra);
        raise_last_jti(extra.and_then(|extra| extra.identity.jti()));
    }
}

/// Shows the identity of a value that was just assigned to other sessions. One that is still to be verified is shown from
/// its next use on.
fn show(extra: Option<IdentityExtra<'_>>) {
    let Some(value) = extra else {
        return activity::hide_token();
    };
    let source = activity::Source::of_token(value.provider);
    if !scope::may_count(&value) {
        activity::hide();
    } else if value.verified_under == Some(key_generation()) {
        activity::show(source, &value, &value.identity);
    } else {
        // Where the process ends by exit(), the last rollback comes when this memory is gone.
        let show_late = |late: &RefCell<Option<LateVerification>>| match late.try_borrow().as_deref() {
            Ok(Some(late)) if late.basis == Basis::of(&value) => {
                let source = activity::Source::of_token(late.verified.provider);
                activity::show(source, &value, &FlatIdentity::new(&late.verified.identity));
            }
            _ => activity::hide(),
        };
        LATE.try_with(show_late).unwrap_or_else(|_| activity::hide());
    }
}

/// Checks a value of the setting. Returns the block of a token, and None for the empty value.
fn check(token: &[u8], source: GucSource::Type) -> Result<Option<Block<IdentityExtra<'static>>>, Failure> {
    use GucSource::{PGC_S_CLIENT, PGC_S_SESSION};
    let unverified = |lifetime| Some(IdentityExtra::block(None, None, lifetime, &[]));
    match source {
        _ if token.is_empty() => check_unverified(token, source).map(|()| None),
        _ if token.len() > MAX_TOKEN_BYTES => Err(too_long(token, source)),
        PGC_S_CLIENT => check_unverified(token, source).map(|()| unverified(Some(Lifetime::Connection))),
        PGC_S_SESSION if process::copying_from_leader() => Ok(unverified(None)),
        PGC_S_SESSION => {
            verify_current_token();
            let presented = Presented::new(token);
            let result = verify(&presented, required_token_id(), Remedy::Refetch);
            presented.decided(&result);
            let VerifiedToken { provider, identity } = accepted(result?);
            JUST_SET.set(Some(LAST_JTI.get()));
            activity::begin();
            let keys = Some(key_generation());
            Ok(Some(IdentityExtra::block(keys, provider, None, &identity)))
        }
        _ => Err(Failure::TokenSource),
    }
}

/// The rejection of a token that is too long to be read. One of an open session was presented, and counts.
fn too_long(token: &[u8], source: GucSource::Type) -> Failure {
    let error = Error::TokenTooLong { bytes: token.len() };
    if source == GucSource::PGC_S_SESSION {
        presented::reject_unread(error)
    } else {
        error.into()
    }
}

/// Checks a value that is not verified now: a token of the startup packet, or no token.
#[cfg(any(feature = "pg18", feature = "pg19"))]
fn check_unverified(token: &[u8], source: GucSource::Type) -> Result<(), Failure> {
    login_user::check_unverified(token, source)
}

/// Checks nothing: PostgreSQL has OAuth logins since version 18.
#[cfg(not(any(feature = "pg18", feature = "pg19")))]
fn check_unverified(_token: &[u8], _source: GucSource::Type) -> Result<(), Failure> {
    Ok(())
}
