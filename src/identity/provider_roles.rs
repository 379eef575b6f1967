//! Which database roles may use the tokens of a provider: those in its `roles`, or all. `login` has a stricter rule for OAuth
//! logins without `roles`.

use crate::error::Failure;
use crate::guc::extra::ProviderIndex;
use crate::keys::providers::Providers;
use crate::pg::{catalog, statement};

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
        _ => Err(Failure::Role),
    }
}
