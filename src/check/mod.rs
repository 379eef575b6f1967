//! `auth.check()`: an abstract interpreter of policies, and queries of the catalogs, that report the problems of a database.
//!
//! | module | what it inspects |
//! |---|---|
//! | [`tables`] | tables that end users can access without row-level security |
//! | [`policies`], [`policy`], [`policy_rules`] | policies: each one, and what its expression permits |
//! | [`links`] | the tables that policies read |
//! | [`who`] | the end user's role that an expression is evaluated for |
//! | [`eval`] | the interpreter: what an expression can be, over a logic of several values |
//! | [`recursion`], [`policy_graph`], [`policy_walks`] | policies that PostgreSQL rejects, because their sub-selects lead back to them |
//! | [`columns`] | indexes on the columns that policies compare with the identity |
//! | [`functions`], [`call_graph`], [`tree_calls`], [`source_text`] | functions of the application, and what they call and read |
//! | [`claim_names`] | the names of claims that their user can write |
//! | [`policy_settings`] | policies that read a setting by a function |
//! | [`stable_names`] | functions that read the identity although their declaration promises otherwise |
//! | [`view_graph`], [`view_readers`] | what views read, and as whom |
//! | [`view_bypasses`] | views that show the rows of tables whose row-level security does not apply to them |
//! | [`views`], [`view_query`] | views that hide rows, and whether they can be seen or written |
//! | [`privileges`], [`roles`] | the privileges of end users, and the roles that they can become |
//! | [`connections`] | connections that look like those of a pooler |
//! | [`schema`] | schema `auth` itself |
//! | [`modes`], [`logging`], [`version`] | settings and the server |
//! | [`shared_issuers`], [`missing_roles`], [`nearest`] | the issuers and roles of providers |
//! | [`finding`], [`messages`], [`remedy`] | the findings and their texts |
//! | [`children`] | one row for all children of a table |
//! | [`exceptions`], [`allowance`] | the findings that comments allow |
//! | [`sarif`] | the findings as a log for code hosts |
//! | [`catalog_query`] | the queries of the catalogs |
//!
//! It only reads the catalogs: it runs no function of a policy and no view. docs/check.md lists all findings.

#![forbid(unsafe_code)]

mod allowance;
mod call_graph;
mod catalog_query;
mod children;
mod claim_names;
mod columns;
mod connections;
mod eval;
mod exceptions;
pub mod finding;
mod functions;
mod links;
mod logging;
mod messages;
mod missing_roles;
mod modes;
mod nearest;
mod policies;
mod policy;
mod policy_graph;
mod policy_rules;
mod policy_settings;
mod policy_walks;
mod privileges;
mod recursion;
mod remedy;
mod roles;
pub mod sarif;
mod schema;
mod shared_issuers;
mod source_text;
mod stable_names;
mod tables;
mod tree_calls;
mod version;
mod view_bypasses;
mod view_graph;
mod view_query;
mod view_readers;
mod views;
mod who;

use pgrx::prelude::*;

use crate::check::call_graph::CallGraph;
use crate::check::catalog_query::Catalog;
pub use crate::check::catalog_query::FindingRow;
use crate::check::view_graph::ViewGraph;
use crate::identity::mode;
use crate::identity::mode::Mode;

/// All findings, the worst first.
///
/// # Errors
/// An error of PostgreSQL where the caller may not read a catalog, so that nothing is left out silently.
pub fn rows() -> spi::Result<Vec<FindingRow>> {
    Spi::connect(|client| {
        let mut rows = Vec::new();
        let catalog = Catalog { client, users: users() };
        modes::inspect(&catalog, &mut rows)?;
        roles::inspect(&catalog, &mut rows)?;
        connections::inspect(&catalog, &mut rows)?;
        tables::inspect(&catalog, &mut rows)?;
        let functions = CallGraph::load(&catalog)?;
        policies::inspect(&catalog, &functions, &mut rows)?;
        stable_names::inspect(&catalog, &functions, &mut rows)?;
        policy_settings::inspect(&catalog, &functions, &mut rows)?;
        let views = ViewGraph::load(&catalog)?;
        recursion::inspect(&catalog, &functions, &views, &mut rows)?;
        views::inspect(&catalog, &functions, &views, &mut rows)?;
        privileges::inspect(&catalog, &mut rows)?;
        schema::inspect(&catalog, &mut rows)?;
        logging::inspect(&catalog, &mut rows)?;
        sort(&mut rows);
        rows.dedup_by(|a, b| a.finding == b.finding && a.object == b.object && a.problem == b.problem);
        children::group(&catalog, &mut rows)?;
        exceptions::apply(&catalog, &mut rows)?;
        sort(&mut rows);
        Ok(rows)
    })
}

fn sort(rows: &mut [FindingRow]) {
    rows.sort_by(|a, b| {
        let key = |row: &FindingRow| (row.severity(), row.finding.name());
        key(a)
            .cmp(&key(b))
            .then_with(|| a.object.cmp(&b.object))
            .then_with(|| a.problem.cmp(&b.problem))
    });
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
