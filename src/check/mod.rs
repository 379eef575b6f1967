//! `auth.check()`: what an administrator should know of this database before end users send SQL to it.
//!
//! | module | what it looks at |
//! |---|---|
//! | [`tables`] | tables and views that are reached past row-level security |
//! | [`policies`], [`verdict`] | what policies let through |
//! | [`expression`], [`logic`], [`call`], [`sub_select`] | what their expressions can be, as sets of [`truth`]; [`facts`] about them, and what is [`repeated`] in them |
//! | [`columns`] | indexes on what policies compare with the identity |
//! | [`rights`], [`roles`] | what end users may do and become |
//! | [`schema`] | schema `auth` itself |
//! | [`modes`], [`logging`], [`version`] | settings and the server |
//! | [`finding`], [`catalog`] | what can be found, and how the catalogs are read |
//!
//! It reads, and runs nothing that it finds: no function of a policy, no view. docs/check.md lists all findings.

mod call;
mod catalog;
mod columns;
mod expression;
mod facts;
pub mod finding;
mod logging;
mod logic;
mod modes;
mod policies;
mod repeated;
mod rights;
mod roles;
mod schema;
mod sub_select;
mod tables;
mod truth;
mod verdict;
mod version;

use pgrx::prelude::*;

use crate::check::catalog::Catalog;
pub use crate::check::catalog::Row;
use crate::identity::mode;

use crate::identity::mode::Mode;

/// All findings, the worst first.
///
/// # Errors
/// What the caller may not read in the catalogs is an error and not silence.
pub fn rows() -> spi::Result<Vec<Row>> {
    let mut rows = Vec::new();
    Spi::connect(|client| {
        let catalog = Catalog { client, users: users() };
        modes::look(&catalog, &mut rows)?;
        roles::look(&catalog, &mut rows)?;
        tables::look(&catalog, &mut rows)?;
        policies::look(&catalog, &mut rows)?;
        rights::look(&catalog, &mut rows)?;
        schema::look(&catalog, &mut rows)?;
        logging::look(&catalog, &mut rows)
    })?;
    rows.sort_by(|a, b| {
        let key = |row: &Row| (row.finding.severity(), row.finding.name());
        key(a)
            .cmp(&key(b))
            .then_with(|| a.object.cmp(&b.object))
            .then_with(|| a.problem.cmp(&b.problem))
    });
    rows.dedup_by(|a, b| a.finding == b.finding && a.object == b.object && a.problem == b.problem);
    Ok(rows)
}

/// The roles of end users: those of the installation, and those that providers name.
fn users() -> Vec<String> {
    let mut users = vec!["authenticated".to_owned(), "anonymous".to_owned()];
    if let Ok(Mode::Provider(providers)) = mode::mode_in_transaction()
        && modes::may_see_providers()
    {
        for role in providers.list.iter().flat_map(|provider| &provider.roles) {
            if !users.contains(role) {
                users.push(role.clone());
            }
        }
    }
    users
}
