//! The user of the session's OAuth login (since PostgreSQL 18), to whom `pg_session_jwt.bind_login_identity` restricts the
//! session until the connection ends.

use std::ffi::{CStr, CString};
use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA256, digest as sha256};
use pgrx::pg_sys::GucSource;

use crate::error::Failure;
use crate::guc::values::bind_login_identity;
use crate::guc::{process, remembered};
use crate::identity::verified_token::{VerifiedToken, digest};
use crate::keys::providers::Providers;
use crate::pg::encoding;
use crate::token::identity::{FlatIdentity, IdentityText};

/// Set once, in the process of the session. Its parallel workers have the user from [`remembered::login`].
static USER: OnceLock<LoginUser> = OnceLock::new();

/// A user, as proven by a key of the provider.
#[derive(Clone)]
pub struct LoginUser {
    /// The digest of the token of the login.
    token: String,
    /// The digest of what identifies the user.
    user: String,
}

impl LoginUser {
    /// The user of a valid token. `issuer` may be missing; `claim` is the one that the provider names as user id.
    pub fn new(token: &[u8], issuer: Option<&str>, claim: &str, user_id: &str) -> Self {
        LoginUser {
            token: token_hex(token),
            user: user_hex(issuer, claim, user_id),
        }
    }

    /// Separates the two digests in the text form.
    const SEPARATOR: char = '/';

    fn to_text(&self) -> Option<CString> {
        CString::new(format!("{}{}{}", self.token, Self::SEPARATOR, self.user)).ok()
    }

    /// Parses the text form. Any other text gives a user whom no token belongs to.
    fn from_text(text: &CStr) -> Self {
        let text = text.to_string_lossy();
        let (token, user) = text.split_once(Self::SEPARATOR).unwrap_or_default();
        LoginUser {
            token: token.to_owned(),
            user: user.to_owned(),
        }
    }
}

fn token_hex(token: &[u8]) -> String {
    hex(digest(token).bytes())
}

fn user_hex(issuer: Option<&str>, claim: &str, user_id: &str) -> String {
    let mut text = Vec::new();
    for part in [issuer.unwrap_or_default(), claim, user_id] {
        text.extend_from_slice(&part.len().to_le_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    hex(sha256(&SHA256, &text).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Remembers the user of this session, here and for its parallel workers. Returns false if PostgreSQL does not apply it.
///
/// # Errors
/// [`Failure::OtherUser`] if the session has a user already.
pub fn remember(user: LoginUser) -> Result<bool, Failure> {
    let Some(text) = user.to_text() else {
        return Ok(false);
    };
    USER.set(user).map_err(|_| Failure::OtherUser)?;
    Ok(remembered::remember_login(&text))
}

/// The user whom the session is restricted to.
fn bound_user() -> Option<LoginUser> {
    let of_leader = || remembered::login().map(|text| LoginUser::from_text(&text));
    let user = USER.get().cloned().or_else(of_leader)?;
    bind_login_identity().then_some(user)
}

/// Whether the session is restricted to the user of its OAuth login.
pub fn is_bound() -> bool {
    bound_user().is_some()
}

/// Checks that a verified token belongs to the user of the login. The token's provider, under the current settings of this
/// session, defines who the user is; the text of the token does not.
///
/// # Errors
/// [`Failure::OtherUser`]
pub fn check_token(token: &[u8], providers: &Providers, verified: &VerifiedToken) -> Result<(), Failure> {
    let Some(user) = bound_user() else { return Ok(()) };
    let identity = FlatIdentity::new(&verified.identity);
    let text = |part| identity.text(part).and_then(encoding::from_server);
    let issuer = text(IdentityText::Issuer).filter(|issuer| !issuer.is_empty());
    let provider = verified.provider.and_then(|index| providers.get(index));
    let (Some(provider), Some(user_id)) = (provider, text(IdentityText::UserId)) else {
        return Err(Failure::OtherUser);
    };
    let is_same_user = user_hex(issuer.as_deref(), &provider.user_id_claim, &user_id) == user.user;
    // Another token without `iss` never matches.
    if is_same_user && (issuer.is_some() || token_hex(token) == user.token) {
        Ok(())
    } else {
        Err(Failure::OtherUser)
    }
}

/// Checks a value that cannot be verified yet: a token of the startup packet, or no token at all.
///
/// An empty token is rejected too: it would leave the session anonymous, and so satisfy policies for anonymous sessions.
///
/// # Errors
/// [`Failure::OtherUser`]
pub fn check_unverified(token: &[u8], source: GucSource::Type) -> Result<(), Failure> {
    use GucSource::{PGC_S_CLIENT, PGC_S_SESSION};
    let Some(user) = bound_user() else { return Ok(()) };
    let is_accepted = match source {
        _ if process::copying_from_leader() => true,
        PGC_S_CLIENT => token_hex(token) == user.token,
        PGC_S_SESSION => !token.is_empty(),
        _ => true,
    };
    if is_accepted { Ok(()) } else { Err(Failure::OtherUser) }
}
