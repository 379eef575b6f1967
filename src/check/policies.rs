//! Policies that permit more than they seem to.
//!
//! Each permissive policy is evaluated together with the restrictive ones that narrow it. A policy without USING or WITH
//! CHECK permits nothing; without WITH CHECK, PostgreSQL checks new rows by USING.

use std::collections::{BTreeMap, HashSet};

use pgrx::prelude::*;

use crate::check::call_graph::CallGraph;
use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::columns;
use crate::check::columns::Column;
use crate::check::eval::expression::Expression;
use crate::check::eval::reads::Reader;
use crate::check::finding::Finding;
use crate::check::links;
use crate::check::messages;
use crate::check::policy;
use crate::check::policy::{COMMANDS, Clause, Known, Parsed, Policy};
use crate::check::policy_rules;
use crate::pg::memory::Scratch;

/// The functions that return a part of the identity.
const READERS: &str = "SELECT p.oid, p.proname::text
  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
                                 AND d.refclassid = 'pg_extension'::regclass
       JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pg_session_jwt'
 WHERE p.pronargs = 0 AND p.proname::text IN ('user_id', 'uid', 'session', 'jwt', 'organization', 'organization_id', 'role', 'email')";

pub fn inspect(catalog: &Catalog<'_>, functions: &CallGraph, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    let mut readers = Vec::new();
    catalog.each(READERS, |row| {
        if let (Some(oid), Some(name)) = (row.get(1)?, row.get::<String>(2)?) {
            readers.push(Reader::new(oid, &name));
        }
        Ok(())
    })?;
    let known = Known {
        readers,
        user_claims: functions.user_claims(),
        links: links::of_policies(catalog)?,
    };
    // The policies of one table at a time, because a tree is many times as large as its text.
    let mut of_table: Vec<Policy> = Vec::new();
    let mut compared = HashSet::new();
    policy::each(catalog, |policy| {
        if of_table.first().is_some_and(|first| first.table != policy.table) {
            inspect_table(&known, &of_table, rows, &mut compared);
            of_table.clear();
        }
        of_table.push(policy);
    })?;
    inspect_table(&known, &of_table, rows, &mut compared);
    columns::inspect(catalog, &compared, rows)
}

fn inspect_table(known: &Known, policies: &[Policy], rows: &mut Vec<FindingRow>, compared: &mut HashSet<Column>) {
    Scratch::new("pg_session_jwt: policies of a table").run(|arena| {
        let parsed: Vec<Parsed<'_>> = policies.iter().map(|policy| policy.parse(known, arena)).collect();
        for policy in &parsed {
            inspect_policy(&known.readers, policy, &parsed, rows, compared);
        }
    });
}

fn inspect_policy(
    readers: &[Reader],
    it: &Parsed<'_>,
    all: &[Parsed<'_>],
    rows: &mut Vec<FindingRow>,
    compared: &mut HashSet<Column>,
) {
    let object = &it.policy.object;
    if let Some(obstacle) = it.obstacle {
        rows.push(FindingRow::new(
            Finding::NotChecked,
            object,
            obstacle.problem,
            obstacle.remedy,
        ));
        return;
    }
    let clauses = || [&it.using, &it.check].into_iter().flatten();
    if clauses().any(|clause| clause.facts.reads_setting) {
        let message = messages::POLICY_READS_SETTING;
        rows.push(FindingRow::new(
            Finding::PolicyReadsSetting,
            object,
            message.problem,
            message.remedy,
        ));
    }
    if !it.policy.is_permissive {
        return;
    }
    if it.policy.is_unconditional() {
        rows.push(FindingRow::with(
            Finding::PolicyWithoutCondition,
            object,
            messages::POLICY_WITHOUT_CONDITION,
        ));
    }
    for ((finding, object), clauses) in findings(it, all) {
        let message = messages::of_policy(finding);
        let problem = format!("{} ({}).", message.problem, clauses.join(", "));
        rows.push(FindingRow::new(finding, object, problem, message.remedy));
    }
    if let Some(using) = &it.using {
        columns::of_policy(readers, using.tree, it.policy.table, compared);
    }
}

/// The findings of a permissive policy, each with its object and the clauses that it is about.
fn findings(it: &Parsed<'_>, all: &[Parsed<'_>]) -> BTreeMap<(Finding, Vec<u8>), Vec<String>> {
    let mut found: BTreeMap<(Finding, Vec<u8>), Vec<String>> = BTreeMap::new();
    for who in &it.policy.users {
        for (command, name) in COMMANDS.iter().filter(|(_, name)| who.may(name)) {
            for (clause, expression) in it.clauses(*command) {
                // A restrictive policy that is not evaluated has a separate row.
                let Some(narrowing) = narrowing(all, it.policy, *command, clause) else {
                    continue;
                };
                let is_write = *command != b'r';
                for (finding, object) in policy_rules::apply(expression, &narrowing, is_write, who) {
                    let clause = format!("{} for {name}", clause.name());
                    let clauses = found
                        .entry((finding, object.unwrap_or(&it.policy.object).to_vec()))
                        .or_default();
                    if !clauses.contains(&clause) {
                        clauses.push(clause);
                    }
                }
            }
        }
    }
    found
}

/// The restrictive policies that apply wherever a permissive one does, with their expressions; None if one of them is not
/// evaluated.
fn narrowing<'p, 't>(
    all: &'p [Parsed<'t>],
    policy: &Policy,
    command: u8,
    clause: Clause,
) -> Option<Vec<(&'p [u8], &'p Expression<'t>)>> {
    let mut narrowing = Vec::new();
    for other in all {
        check_for_interrupts!();
        if other.policy.is_permissive || !policy.applies_only_with(other.policy) {
            continue;
        }
        if other.obstacle.is_some() {
            return None;
        }
        let clauses = other.clauses(command).into_iter().filter(|(of, _)| *of == clause);
        narrowing.extend(clauses.map(|(_, expression)| (other.policy.object.as_slice(), expression)));
    }
    Some(narrowing)
}
