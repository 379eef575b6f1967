//! An OAuth login (since PostgreSQL 18): the verification of its token, and the start of the session.
//!
//! At a login no database is chosen yet. The login therefore depends on the server's own settings and on the clock, reads
//! no catalog of a database, and writes nothing in its encoding. The token then becomes the base value of
//! `pg_session_jwt.jwt`, like a token of the startup packet. Its first use verifies it again under the session's own
//! settings, and RESET returns to it. Other tokens are accepted only from the same user, see [`login_user`].

use std::ffi::{CStr, CString};

use crate::error::Failure;
use crate::guc::values::leeway;
use crate::guc::{names, token_setting};
use crate::identity::login_privileges;
use crate::identity::login_user::{self, LoginUser};
use crate::identity::presented::Presented;
use crate::keys::providers;
use crate::pg::clock;
use crate::token::refetch::Remedy;
use crate::token::user_id::is_readable;
use crate::token::validity::TokenId;
use crate::token::{Error, Validity};

/// A valid token of a login.
pub struct Login {
    user: LoginUser,
    user_id: CString,
    /// Whether the token's provider has no `roles`.
    is_of_any_role: bool,
}

/// Verifies a token that requests a login as `role`.
///
/// # Errors
/// The reason why the token is rejected.
pub fn verify(presented: &Presented<'_>, role: &CStr) -> Result<Login, Failure> {
    let token = presented.token;
    let providers = providers::current()?.ok_or(Failure::NoProviders)?;
    presented.note_providers(&providers);
    let validity = Validity {
        now: clock::now(),
        leeway: leeway(),
        jti: TokenId::Any,
    };
    let provided = providers.verify(token, &validity, Remedy::Refetch, &presented.stopwatch)?;
    let provider = providers.get(provided.provider).ok_or(Error::NoKeys)?;
    // Where pg_hba.conf leaves the choice of the role to the validator, no user map restricts it.
    let is_of_any_role = provider.roles.is_empty();
    if !provider.allows(role.to_bytes()) || is_of_any_role && login_privileges::is_more_than_an_end_user(role) {
        return Err(Failure::LoginRole);
    }
    let claim = &provider.user_id_claim;
    let no_user_id = || Failure::NoUserId { claim: claim.clone() };
    let identity = provided.identity;
    let user_id = identity.user_id.filter(|id| is_readable(id)).ok_or_else(no_user_id)?;
    Ok(Login {
        user: LoginUser::new(token, identity.issuer.as_deref(), claim, &user_id),
        user_id: CString::new(user_id).map_err(|_| no_user_id())?,
        is_of_any_role,
    })
}

impl Login {
    /// Starts the session of this user with the token, and returns the user id.
    ///
    /// # Errors
    /// [`Failure::NotApplied`] if the token cannot be set; [`Failure::OtherUser`] if the session has a user already.
    pub fn begin(self, token: &CStr) -> Result<CString, Failure> {
        let not_applied = Failure::NotApplied {
            setting: names::text(names::JWT),
        };
        if !login_user::remember(self.user)? {
            return Err(not_applied);
        }
        if self.is_of_any_role {
            login_privileges::check_at_first_statement();
        }
        if token_setting::set_at_login(token) {
            Ok(self.user_id)
        } else {
            Err(not_applied)
        }
    }
}
