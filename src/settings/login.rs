//! The user who logged in with a token (PostgreSQL 18), for as long as the connection lives.
//!
//! No database is chosen yet at a login. So the server's own settings decide, by the clock; no catalog of a database is
//! asked, and nothing is written in its encoding. The token is then the base value of `pg_session_jwt.jwt`, like one
//! of the startup packet: it is judged again under the session's own settings when it is first used, and RESET comes
//! back to it. Another token is taken only if it is of the same user.

use std::ffi::{CStr, CString};
use std::sync::OnceLock;

use pgrx::pg_sys;

use super::judge::allows;
use super::verified::{self, Name};
use super::{bind_login_identity, hook, leeway, name, providers};
use crate::clock;
use crate::error::Failure;
use crate::token::claims::Claims;
use crate::token::compact::Compact;
use crate::token::policy::TokenId;
use crate::token::{Error, Policy};

/// Set once, in the process of a session that logged in with a token; not in its parallel workers.
static LOGIN: OnceLock<Login> = OnceLock::new();

/// Who logged in, proven by their provider's key.
pub struct Login {
    token: Name,
    issuer: Option<String>,
    /// The claim that their provider says is the user id.
    claim: String,
    user_id: CString,
}

/// Judges a token that asks to be let in as `role`.
///
/// # Errors
/// Why it is refused.
pub fn judge(token: &[u8], role: &CStr) -> Result<Login, Failure> {
    let providers = providers::current()?.ok_or(Failure::NoProviders)?;
    let policy = Policy {
        now: clock::now(),
        leeway: leeway(),
        jti: TokenId::Any,
    };
    let (identity, place) = providers.verify(token, &policy)?;
    let provider = providers.list.get(place).ok_or(Error::NoKeys)?;
    // Where pg_hba.conf leaves the choice of the role to the validator, no user map would say this.
    if !allows(provider, role.to_bytes()) || provider.roles.is_empty() && is_more_than_an_end_user(role) {
        return Err(Failure::Role);
    }
    let claim = provider.user_id_claim.clone();
    // PostgreSQL writes it to its log as it is: a line break in it could forge a line.
    let is_name = |id: &String| !id.is_empty() && !id.chars().any(char::is_control);
    let user_id = identity.user_id.filter(is_name).and_then(|id| CString::new(id).ok());
    Ok(Login {
        token: verified::name(token),
        issuer: identity.issuer,
        user_id: user_id.ok_or_else(|| Failure::NoUserId { claim: claim.clone() })?,
        claim,
    })
}

/// Whether a role has one of the rights with which `authenticated` would not be installed: SUPERUSER, REPLICATION,
/// BYPASSRLS or CREATEROLE. PostgreSQL itself looks roles up at a login, in a transaction: they belong to no database.
fn is_more_than_an_end_user(role: &CStr) -> bool {
    // SAFETY: reads the transaction state of this process.
    if !unsafe { pg_sys::IsTransactionState() } {
        return true;
    }
    // SAFETY: a look-up in a transaction; with missing_ok it returns 0 where there is no such role.
    let id = unsafe { pg_sys::get_role_oid(role.as_ptr(), true) };
    let rights = [
        pg_sys::has_rolreplication,
        pg_sys::has_bypassrls_privilege,
        pg_sys::has_createrole_privilege,
    ];
    // A superuser has each of them.
    // SAFETY: look-ups in a transaction, false where there is no such role.
    rights.into_iter().any(|has_right| unsafe { has_right(id) })
}

impl Login {
    /// Makes the session this user's, with the token that proves it, and gives the user id.
    ///
    /// # Errors
    /// [`Failure::NotApplied`], where the token cannot be set; [`Failure::OtherUser`], where the session is somebody's.
    pub fn begin(self, token: &CStr) -> Result<CString, Failure> {
        let user_id = self.user_id.clone();
        LOGIN.set(self).map_err(|_| Failure::OtherUser)?;
        // By the role that PostgreSQL itself would take: nobody is logged in yet.
        // SAFETY: both are C strings; at a level below ERROR nothing is raised.
        let applied = unsafe {
            pg_sys::set_config_option_ext(
                name::JWT.as_ptr(),
                token.as_ptr(),
                pg_sys::GucContext::PGC_BACKEND,
                pg_sys::GucSource::PGC_S_CLIENT,
                pg_sys::Oid::from(pg_sys::BOOTSTRAP_SUPERUSERID),
                pg_sys::GucAction::GUC_ACTION_SET,
                true,
                pg_sys::DEBUG5 as i32,
                false,
            )
        };
        // 1: applied; 0: refused; -1: passed over (guc.c).
        if applied == 1 {
            return Ok(user_id);
        }
        Err(Failure::NotApplied {
            setting: name::JWT_TEXT,
        })
    }

    /// Whether a token that was verified is of this user. A token without `iss` is of nobody whom another one names.
    fn is_of(&self, token: &[u8]) -> bool {
        if verified::name(token) == self.token {
            return true;
        }
        let same = |token: &Compact| {
            let payload = token.payload().ok()?;
            let claims = Claims::parse(&payload).ok()?;
            let issuer = claims.text("iss").filter(|issuer| !issuer.is_empty())?;
            let user_id = claims.text(&self.claim)?;
            Some(self.issuer.as_deref() == Some(issuer) && self.user_id.as_bytes() == user_id.as_bytes())
        };
        Compact::parse(token).ok().as_ref().and_then(same) == Some(true)
    }
}

/// Whether the token may be replaced by this one, which was verified if it is not empty and came from the session.
/// Without a token the session would be nobody's, which opens policies for nobody, and the claims of the weakest mode.
///
/// # Errors
/// [`Failure::OtherUser`]
pub fn admit(token: &[u8], source: pg_sys::GucSource::Type) -> Result<(), Failure> {
    use pg_sys::GucSource::{PGC_S_CLIENT, PGC_S_SESSION};
    let is_theirs = || match (source, LOGIN.get()) {
        // Of the startup packet: it cannot be verified yet.
        (PGC_S_CLIENT, Some(login)) => verified::name(token) == login.token,
        (PGC_S_SESSION, Some(login)) => login.is_of(token),
        (PGC_S_SESSION, None) => hook::copying_from_leader() || !is_worker_of_a_login(),
        _ => true,
    };
    if !bind_login_identity() || is_theirs() {
        return Ok(());
    }
    Err(Failure::OtherUser)
}

/// A parallel worker does not know who logged in, only how. The one value that it can be given is that of a function's
/// SET clause.
fn is_worker_of_a_login() -> bool {
    if !hook::in_parallel_worker() {
        return false;
    }
    // SAFETY: reads a global of this process.
    let system_user = unsafe { pg_sys::GetSystemUser() };
    // SAFETY: a C string that lives as long as the process.
    !system_user.is_null() && unsafe { CStr::from_ptr(system_user) }.to_bytes().starts_with(b"oauth:")
}
