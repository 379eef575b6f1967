//! The user who logged in with a token (PostgreSQL 18), for as long as the connection lives.
//!
//! No database is chosen yet at a login. So the server's own settings decide, by the clock; no catalog of a database is
//! asked, and nothing is written in its encoding. The token is then the base value of `pg_session_jwt.jwt`, like one
//! of the startup packet: it is judged again under the session's own settings when it is first used, and RESET comes
//! back to it. Another token is taken only if it is of the same user.

use std::ffi::{CStr, CString};
use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA256, digest};
use pgrx::pg_sys;

use crate::error::Failure;
use crate::guc::values::{bind_login_identity, leeway};
use crate::guc::{names, process, remembered};
use crate::identity::login_role;
use crate::identity::verified_cache::{self, Verified};
use crate::keys::providers::{self, ProvidedIdentity, Providers};
use crate::pg::{clock, encoding};
use crate::token::identity::{FlatIdentity, Text as Part};
use crate::token::policy::TokenId;
use crate::token::user_id::is_readable;
use crate::token::{Error, Policy};

/// Who logged in, see [`Login::known`]. Set once, in the process of a session that logged in with a token; its parallel
/// workers know by [`remembered::login`].
static LOGIN: OnceLock<CString> = OnceLock::new();

/// Who logged in, proven by their provider's key.
pub struct Login {
    token: String,
    person: String,
    user_id: CString,
    names_no_role: bool,
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
    let ProvidedIdentity { identity, provider } = providers.verify(token, &policy)?;
    let provider = providers.get(provider).ok_or(Error::NoKeys)?;
    // Where pg_hba.conf leaves the choice of the role to the validator, no user map would say this.
    let names_no_role = provider.roles.is_empty();
    if !provider.allows(role.to_bytes()) || names_no_role && login_role::is_more_than_an_end_user(role) {
        return Err(Failure::Role);
    }
    let claim = &provider.user_id_claim;
    let no_user_id = || Failure::NoUserId { claim: claim.clone() };
    let user_id = identity.user_id.filter(|id| is_readable(id)).ok_or_else(no_user_id)?;
    Ok(Login {
        token: hex(verified_cache::name(token).bytes()),
        person: person(identity.issuer.as_deref(), claim, &user_id),
        user_id: CString::new(user_id).map_err(|_| no_user_id())?,
        names_no_role,
    })
}

impl Login {
    /// Makes the session this user's, with the token that proves it, and gives the user id.
    ///
    /// # Errors
    /// [`Failure::NotApplied`], where the token cannot be set; [`Failure::OtherUser`], where the session is somebody's.
    pub fn begin(self, token: &CStr) -> Result<CString, Failure> {
        let not_applied = || Failure::NotApplied {
            setting: names::text(names::JWT),
        };
        let known = self.known().ok_or_else(not_applied)?;
        LOGIN.set(known.clone()).map_err(|_| Failure::OtherUser)?;
        if !remembered::remember_login(&known) {
            return Err(not_applied());
        }
        if self.names_no_role {
            login_role::check_at_first_statement();
        }
        // By the role that PostgreSQL itself would take: nobody is logged in yet.
        // SAFETY: both are C strings; at a level below ERROR nothing is raised.
        let applied = unsafe {
            pg_sys::set_config_option_ext(
                names::JWT.as_ptr(),
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
            return Ok(self.user_id);
        }
        Err(not_applied())
    }

    /// `token` and `person`, in one text.
    fn known(&self) -> Option<CString> {
        CString::new(format!("{}{BETWEEN}{}", self.token, self.person)).ok()
    }
}

/// Between the two hashes of [`Login::known`].
const BETWEEN: char = '/';

/// The hash of who somebody is: their provider's name, which may be missing, the claim that it says is the user id, and
/// that.
fn person(issuer: Option<&str>, claim: &str, user_id: &str) -> String {
    let mut text = Vec::new();
    for part in [issuer.unwrap_or_default(), claim, user_id] {
        text.extend_from_slice(&part.len().to_le_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    hex(digest(&SHA256, &text).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Who logged in with a token, if the session is to stay theirs.
fn owner() -> Option<CString> {
    let login = LOGIN.get().cloned().or_else(remembered::login)?;
    bind_login_identity().then_some(login)
}

/// Whether the session is its user's who logged in with a token.
pub fn is_bound() -> bool {
    owner().is_some()
}

/// Whether a token that was verified is of the user who logged in. What counts is what its provider says of it now, under
/// the settings of this session, and not what stands in it.
///
/// # Errors
/// [`Failure::OtherUser`]
pub fn is_theirs(token: &[u8], providers: &Providers, verdict: &Verified) -> Result<(), Failure> {
    let Some(owner) = owner() else { return Ok(()) };
    let owner = owner.to_string_lossy();
    let (their_token, them) = owner.split_once(BETWEEN).ok_or(Failure::OtherUser)?;
    let identity = FlatIdentity::new(&verdict.identity);
    let text = |part| identity.text(part).and_then(encoding::from_server);
    let issuer = text(Part::Issuer).filter(|issuer| !issuer.is_empty());
    let provider = verdict.provider.and_then(|provider| providers.get(provider));
    let (Some(provider), Some(user_id)) = (provider, text(Part::UserId)) else {
        return Err(Failure::OtherUser);
    };
    let same_person = person(issuer.as_deref(), &provider.user_id_claim, &user_id) == them;
    // A token without `iss` is of nobody whom another one names.
    let same = same_person && (issuer.is_some() || hex(verified_cache::name(token).bytes()) == their_token);
    if same { Ok(()) } else { Err(Failure::OtherUser) }
}

/// Whether a value that cannot be verified yet may be the session's token: a token of the startup packet, or none at all.
/// Without a token the session would be nobody's, which opens policies for nobody.
///
/// # Errors
/// [`Failure::OtherUser`]
pub fn admit(token: &[u8], source: pg_sys::GucSource::Type) -> Result<(), Failure> {
    use pg_sys::GucSource::{PGC_S_CLIENT, PGC_S_SESSION};
    let Some(owner) = owner() else { return Ok(()) };
    let is_their_token = || {
        owner
            .to_string_lossy()
            .starts_with(&hex(verified_cache::name(token).bytes()))
    };
    let admitted = match source {
        _ if process::copying_from_leader() => true,
        PGC_S_CLIENT => is_their_token(),
        PGC_S_SESSION => !token.is_empty(),
        _ => true,
    };
    if admitted { Ok(()) } else { Err(Failure::OtherUser) }
}
