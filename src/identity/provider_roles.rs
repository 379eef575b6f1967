//! Which database roles may use the tokens of a provider: those in its `roles`, or all. `login` has a stricter rule for OAuth
//! logins without `roles`.

use std::borrow::Cow;
use std::ffi::CString;

use pgrx::pg_sys::Oid;

use crate::error::Failure;
use crate::guc::extra::ProviderIndex;
use crate::keys::providers::Providers;
use crate::pg::{catalog, encoding, statement};
use crate::token::{Excerpt, Provider};

/// Checks that the current role may use tokens of a provider, as each use of the token does.
///
/// The current role is the one of SET ROLE, also inside a SECURITY DEFINER function. A parallel worker has all of this
/// from its leader.
///
/// # Errors
/// [`Failure::Role`]
pub fn check_role(providers: &Providers, provider: Option<ProviderIndex>) -> Result<(), Failure> {
    let provider = provider.and_then(|index| providers.get(index)).ok_or(Failure::NoKey)?;
    if provider.roles.is_empty() {
        return Ok(());
    }
    let role = catalog::role_name(statement::role());
    match role {
        Some(role) if provider.allows(&role) => Ok(()),
        _ => Err(wrong_role(provider)),
    }
}

/// The error for a role that is not among those of the provider, with the statement that is missing.
fn wrong_role(provider: &Provider) -> Failure {
    let existing = |name: &String| {
        let role = catalog::role(&CString::new(name.as_str()).ok()?)?;
        Some((quoted(name), role))
    };
    let roles: Vec<_> = provider.roles.iter().filter_map(existing).collect();
    let reachable = roles.iter().find(|(_, role)| catalog::session_user_can_set(*role));
    let remedy = match (reachable, roles.first()) {
        (Some((role, _)), _) => format!("Run SET ROLE {role}, or SET LOCAL ROLE {role} in the transaction."),
        (None, Some((role, _))) => {
            let login = name_of(statement::session_user());
            format!("Run GRANT {role} TO {login} as an administrator, and then SET ROLE {role}.")
        }
        (None, None) => "Create a role that the provider lists in its \"roles\".".to_owned(),
    };
    Failure::Role {
        current: name_of(statement::role()),
        remedy,
    }
}

fn name_of(role: Oid) -> String {
    let name = catalog::role_name(role).and_then(|name| encoding::from_server(&name).map(Cow::into_owned));
    quoted(&name.unwrap_or_default())
}

/// A name as it is written in SQL. All texts of errors are ASCII, so other characters are escaped.
fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.chars().all(is_plain) && name.starts_with(|c: char| !c.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!("\"{}\"", Excerpt::new(name))
    }
}
