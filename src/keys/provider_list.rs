//! The list of providers that a new value of ALTER DATABASE replaces.
//!
//! The catalog has the value that is stored for this database now, also if it was stored after this session began. Without
//! one, the value of the server's files applies. A session in which another value hides that one does not know it.

use std::ffi::CString;

use pgrx::pg_sys::GucSource::PGC_S_ARGV;

use crate::error::Failure;
use crate::guc::{db_role_setting, lookup, names};
use crate::token::Error;
use crate::token::recognition::list::List;

/// The list; empty where none is set.
///
/// # Errors
/// [`Failure::HiddenProviders`] where this session does not know it, [`Failure::Unusable`], and [`Failure::Token`] for a list
/// that others must not read.
pub fn of_database() -> Result<List, Failure> {
    let text = stored().map_or_else(of_server, Ok)?;
    let setting = names::text(names::PROVIDERS);
    let text = text.to_str().map_err(|_| Failure::Unusable {
        setting,
        problem: Error::Providers {
            index: None,
            problem: "is not UTF-8".to_owned(),
        },
    })?;
    List::parse(text).map_err(Failure::Token)
}

/// The value that is stored for this database, or else for all databases.
fn stored() -> Option<CString> {
    let stored = db_role_setting::stored_for_all_roles();
    let providers = stored
        .into_iter()
        .find(|stored| stored.name == names::PROVIDERS.to_bytes());
    CString::new(providers?.value).ok()
}

/// The value of the server's files and command line, if this session would return to it.
fn of_server() -> Result<CString, Failure> {
    match lookup::reset_source(names::PROVIDERS) {
        Some(source) if source <= PGC_S_ARGV => Ok(lookup::reset_value(names::PROVIDERS).unwrap_or_default()),
        _ => Err(Failure::HiddenProviders),
    }
}
