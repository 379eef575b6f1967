//! `auth.check()`: an abstract interpreter of policies, and queries of the catalogs, that report the problems of a database.
//!
//! | module | what it inspects |
//! |---|---|
//! | [`tables`] | tables and views that end users can access without row-level security |
//! | [`policies`], [`policy`], [`policy_rules`] | policies: each one, and what its expression permits |
//! | [`eval`] | the interpreter: what an expression can be, over a logic of several values |
//! | [`columns`] | indexes on the columns that policies compare with the identity |
//! | [`privileges`], [`roles`] | the privileges of end users, and the roles that they can become |
//! | [`schema`] | schema `auth` itself |
//! | [`modes`], [`logging`], [`version`] | settings and the server |
//! | [`finding`], [`messages`] | the findings and their texts |
//! | [`catalog_query`] | the queries of the catalogs |
//!
//! It only reads the catalogs: it runs no function of a policy and no view. docs/check.md lists all findings.

#![forbid(unsafe_code)]

mod catalog_query;
mod columns;
mod eval;
pub mod finding;
mod logging;
mod messages;
mod modes;
mod policies;
mod policy;
mod policy_rules;
mod privileges;
mod roles;
mod schema;
mod tables;
mod version;

use pgrx::prelude::*;

use crate::check::catalog_query::Catalog;
pub use crate::check::catalog_query::FindingRow;
use crate::identity::mode;
use crate::identity::mode::Mode;

/// All findings, the worst first.
///
/// # Errors
/// An error of PostgreSQL where the caller may not read a catalog, so that nothing is left out silently.
pub fn rows() -> spi::Result<Vec<FindingRow>> {
    let mut rows = Vec::new();
    Spi::connect(|client| {
        let catalog = Catalog { client, users: users() };
        modes::inspect(&catalog, &mut rows)?;
        roles::inspect(&catalog, &mut rows)?;
        tables::inspect(&catalog, &mut rows)?;
        policies::inspect(&catalog, &mut rows)?;
        privileges::inspect(&catalog, &mut rows)?;
        schema::inspect(&catalog, &mut rows)?;
        logging::inspect(&catalog, &mut rows)
    })?;
    rows.sort_by(|a, b| {
        let key = |row: &FindingRow| (row.finding.severity(), row.finding.name());
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
