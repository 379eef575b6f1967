//! Policies whose sub-selects lead back to a table that PostgreSQL is already applying policies to.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::pg_sys::Oid;
use pgrx::spi;

use crate::check::call_graph::CallGraph;
use crate::check::catalog_query;
use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use crate::check::messages;
use crate::check::policy::COMMANDS;
use crate::check::policy_graph::PolicyGraph;
use crate::check::policy_walks::{Failure, PolicyWalks};
use crate::check::view_graph::ViewGraph;

const PRIVILEGES: &str = "SELECT DISTINCT m.oid, m.who, m.who_name, m.privilege FROM may m";

/// The commands that fail with a policy or view, the roles, and the relations that lead back.
#[derive(Default)]
struct Failures {
    commands: BTreeSet<&'static str>,
    roles: BTreeSet<Vec<u8>>,
    /// Whether functions lead back, and the relations with their number.
    way: Option<(bool, usize, Vec<Vec<u8>>)>,
}

pub fn inspect(
    catalog: &Catalog<'_>,
    functions: &CallGraph,
    views: &ViewGraph,
    rows: &mut Vec<FindingRow>,
) -> spi::Result<()> {
    let graph = PolicyGraph::load(catalog, functions, views)?;
    if !graph.reads_relations() {
        return Ok(());
    }
    let mut walks = PolicyWalks::on(&graph);
    let mut failures: BTreeMap<Vec<u8>, Failures> = BTreeMap::new();
    catalog.each(PRIVILEGES, |row| {
        let text = |column| catalog_query::text(row, column);
        let (Some(relation), Some(actor)) = (row.get::<Oid>(1)?, row.get::<Oid>(2)?) else {
            return Ok(());
        };
        let (role, privilege) = (text(3)?, text(4)?);
        let Some((command, name)) = COMMANDS.iter().find(|(_, name)| name.as_bytes() == privilege) else {
            return Ok(());
        };
        for found in walks.failures(relation, actor, *command) {
            let Failure {
                object,
                path,
                is_by_functions,
            } = found;
            if path.is_empty() {
                rows.push(FindingRow::with(
                    Finding::NotChecked,
                    object,
                    messages::TOO_MANY_RELATIONS,
                ));
                continue;
            }
            let failure = failures.entry(object).or_default();
            failure.commands.insert(name);
            failure.roles.insert(role.clone());
            let names = path.iter().filter_map(|oid| graph.name(*oid));
            let path: Vec<Vec<u8>> = names.collect();
            let way = (is_by_functions, path.len(), path);
            // The same one, whatever the order of the catalogs.
            failure.way = failure.way.take().into_iter().chain([way]).min();
        }
        Ok(())
    })?;
    for (object, failure) in failures {
        let (is_by_functions, _, path) = failure.way.unwrap_or_default();
        let commands = failure.commands.into_iter().collect::<Vec<_>>().join(", ");
        let roles: Vec<Vec<u8>> = failure.roles.into_iter().collect();
        let problem = [
            commands.as_bytes(),
            b" by ",
            &roles.join(&b", "[..]),
            match is_by_functions {
                true => b" fails at a row, because functions lead back until the stack is full: ".as_slice(),
                false => b" fails with infinite recursion: ",
            },
            &path.join(&b" reads "[..]),
            b".",
        ];
        rows.push(FindingRow::new(
            Finding::PolicyRecursion,
            object,
            problem.concat(),
            messages::POLICY_RECURSION_REMEDY,
        ));
    }
    Ok(())
}
