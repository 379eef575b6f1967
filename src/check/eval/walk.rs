//! Finds what an expression reads. PostgreSQL's own walker does it, which knows every type of node.

use std::collections::HashSet;

use pgrx::pg_sys::{self, RTEKind};
use pgrx::prelude::*;

use crate::check::claim_names;
use crate::check::eval::aliases::{self, Scope};
use crate::check::eval::apart;
use crate::check::eval::facts::{Facts, MAX_LEVELS, Mentions};
use crate::check::eval::reads::{Reader, is_role, is_setting, is_table, reads_role};
use crate::check::eval::types;
use crate::check::eval::writable::{self, UserClaims};
use crate::pg::catalog::{self, is_builtin};
use crate::pg::nodes::{self, Kind, NodeRef, View};

struct Walk<'r, 't> {
    readers: &'r [Reader],
    user_claims: &'r UserClaims,
    level: usize,
    /// How often the role is read.
    roles: usize,
    /// The number of columns that were seen, and of those of the row; of tables, and of functions of the application.
    columns: usize,
    row_columns: usize,
    tables: usize,
    opaque_calls: usize,
    /// The number of queries around the current node.
    queries: u32,
    /// These queries.
    from: Vec<Scope<'t>>,
    /// Queries in FROM and WITH, which are walked before the expressions that read their columns.
    walked: HashSet<NodeRef<'t>>,
    /// The last sub-select that was found to read no column of the row.
    rowless: Option<NodeRef<'t>>,
    facts: Facts<'t>,
}

/// The facts about an expression, its sub-selects included.
pub fn facts_of<'t>(readers: &[Reader], user_claims: &UserClaims, expression: NodeRef<'t>) -> Facts<'t> {
    let mut walk = Walk {
        readers,
        user_claims,
        level: 0,
        roles: 0,
        columns: 0,
        row_columns: 0,
        tables: 0,
        opaque_calls: 0,
        queries: 0,
        from: Vec::new(),
        walked: HashSet::new(),
        rowless: None,
        facts: Facts::default(),
    };
    walk.descend(expression);
    walk.facts.reads_role |= walk.roles > 0;
    walk.facts.is_opaque |= walk.roles > 0;
    walk.facts
}

impl<'t> Walk<'_, 't> {
    /// Inspects a node and everything below it; true ends the walk.
    fn descend(&mut self, node: NodeRef<'t>) -> bool {
        check_for_interrupts!();
        if node.is_null() || self.walked.contains(&node) {
            return false;
        }
        if self.level >= MAX_LEVELS || nodes::is_too_deep() {
            self.facts.is_too_deep = true;
            return true;
        }
        let before = self.facts.all;
        let (roles, columns) = (self.roles, self.columns);
        let (row_columns, tables, opaque_calls) = (self.row_columns, self.tables, self.opaque_calls);
        self.inspect(node);
        self.level += 1;
        let ends = match node.kind() {
            Kind::Query(query) => self.query(query),
            _ => nodes::walk_children(node, &mut |child| self.descend(child)),
        };
        self.level -= 1;
        // A condition on the role alone is evaluated for each role.
        if self.roles > roles && self.columns == columns && types::is_condition(node) {
            self.facts.reads_role = true;
            self.roles = roles;
        }
        let has_claims = self.facts.all.since(before).may_be_claims();
        let is_writable = has_claims && writable::is_read(node)
            || self.user_claims.are_read_by(node, has_claims)
            || self.is_writable_column(node);
        if is_writable {
            self.facts.all.writable += 1;
            self.facts.writable.insert(node);
        }
        let here = self.facts.all.since(before);
        if self.tables > tables && matches!(node.kind(), Kind::SubLink(_)) {
            self.facts.of_tables.insert(node);
        }
        if self.tables > tables && self.opaque_calls == opaque_calls {
            let is_rowless = self.row_columns == row_columns;
            match node.kind() {
                Kind::SubLink(_) if is_rowless => {
                    self.rowless = Some(node);
                    self.facts.rowless.insert(node, node);
                }
                Kind::SubLink(link) => {
                    let tables = apart::tables_of_user(self.readers, link);
                    self.facts.apart.extend(tables.map(|tables| (node, tables)));
                }
                _ if is_rowless && types::is_condition(node) => {
                    self.facts.rowless.extend(self.rowless.map(|part| (node, part)));
                }
                _ => {}
            }
        }
        if here != Mentions::default() {
            self.facts.parts.insert(node, here);
        }
        ends
    }

    fn query(&mut self, query: View<'t, pg_sys::Query>) -> bool {
        self.queries += 1;
        self.from.push(Scope::of(query));
        let mut ends = false;
        for inner in aliases::inner_queries(query) {
            ends = ends || self.descend(inner);
            self.walked.insert(inner);
        }
        for entry in query.rtable().iter() {
            if let Some(source) = aliases::source(&self.from, entry) {
                self.facts.sources.insert(entry, source);
            }
        }
        let ends = ends || nodes::walk_children(query.node(), &mut |child| self.descend(child));
        self.from.pop();
        self.queries -= 1;
        ends
    }

    /// A column that stands for an expression reads what that reads.
    fn column(&mut self, column: View<'t, pg_sys::Var>) {
        self.columns += 1;
        if column.varlevelsup() == self.queries {
            self.row_columns += 1;
            self.facts.row.insert(column.node());
        }
        if let Some(target) = aliases::target(&self.from, column) {
            let there = self.facts.parts.get(&target).copied().unwrap_or_default();
            self.facts.all.identity += usize::from(there.identity > 0);
            self.facts.all.writable += usize::from(there.writable > 0);
            self.facts.all.own_readers += usize::from(there.own_readers > 0);
            self.facts.aliases.insert(column.node(), target);
        }
    }

    /// Whether a node is a column of a sub-select's table with the name of such a claim.
    fn is_writable_column(&self, node: NodeRef<'t>) -> bool {
        let Kind::Var(column) = node.kind() else {
            return false;
        };
        match aliases::entry(&self.from, column).map(NodeRef::kind) {
            Some(Kind::RangeTblEntry(table)) if table.rtekind() == RTEKind::RTE_RELATION => {
                catalog::column_name(table.relid(), column.varattno()).is_some_and(|name| claim_names::is_name(&name))
            }
            _ => false,
        }
    }

    fn inspect(&mut self, node: NodeRef<'t>) {
        match node.kind() {
            Kind::FuncExpr(call) => {
                if self.readers.iter().any(|reader| reader.oid == call.funcid()) {
                    self.facts.all.identity += 1;
                } else if !is_builtin(call.funcid()) {
                    self.facts.is_opaque = true;
                    self.opaque_calls += 1;
                    self.facts.all.own_readers += usize::from(self.user_claims.own_readers.contains(&call.funcid()));
                } else if reads_role(call) {
                    self.roles += 1;
                } else if is_setting(call) {
                    self.facts.reads_setting = true;
                    self.facts.is_opaque = true;
                }
            }
            Kind::OpExpr(operator) | Kind::DistinctExpr(operator) | Kind::NullIfExpr(operator) => {
                self.facts.is_opaque |= !is_builtin(operator.opno());
            }
            Kind::ScalarArrayOpExpr(operator) => self.facts.is_opaque |= !is_builtin(operator.opno()),
            Kind::SqlValueFunction(function) => self.roles += usize::from(is_role(function.op())),
            Kind::Var(column) => self.column(column),
            Kind::Query(query) => {
                self.facts.is_opaque |= !query.rtable().is_null();
                self.tables += query.rtable().iter().filter(|entry| is_table(*entry)).count();
            }
            Kind::Param(parameter) => {
                let of_sub_select = parameter.paramkind() == pg_sys::ParamKind::PARAM_SUBLINK;
                self.facts.all.columns += usize::from(of_sub_select);
            }
            _ => {}
        }
    }
}
