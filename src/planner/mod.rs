//! Rewrites policies that are written as sub-selects, so that they can use an index.
//!
//! Drizzle's `authUid` and `crudPolicy` write `USING ((select auth.user_id() = user_id))`. PostgreSQL runs this as a
//! sub-plan for each row and cannot use an index on the column. Before a query is planned, this room replaces such a
//! sub-select by the expression in it, which has the same value for every row.
//!
//! | module | what it owns |
//! |---|---|
//! | [`scalar`] | sub-selects that consist of one expression |
//! | [`movable`] | expressions that may be moved out of their sub-select |
//! | [`functions`] | what a function is to the rewrite |
//!
//! Only sub-selects in conditions are replaced: in policies, WHERE, ON, WITH CHECK, ON CONFLICT and MERGE.
//! `pg_session_jwt.optimize_policies` disables the rewrite.

#![forbid(unsafe_code)]

mod functions;
mod movable;
mod scalar;

use crate::guc::values;
use crate::identity::current;
use crate::pg::hooks;
use crate::pg::nodes::{self, Kind, NodeRef, Query, Slot, View};
use crate::planner::functions::Functions;
use crate::planner::movable::is_movable;
use crate::token::identity::FlatIdentity;

/// Hooks into the planner, once in a process.
pub fn install() {
    hooks::before_planning(|query| {
        if values::optimize_policies() {
            Rewrite::default().query(query);
        }
    });
}

/// One statement that is planned.
#[derive(Default)]
struct Rewrite {
    functions: Functions,
    /// Whether the session's identity can be read; None before it was read.
    identity_holds: Option<bool>,
}

impl Rewrite {
    /// Rewrites the conditions of a query, and of every query in it.
    fn query(&mut self, query: View<'_, Query>) {
        if nodes::is_too_deep() {
            return;
        }
        let has_sub_selects = query.hasSubLinks();
        for entry in query.rtable().iter() {
            let Kind::RangeTblEntry(entry) = entry.kind() else {
                continue;
            };
            if has_sub_selects {
                self.condition(entry.securityQuals());
            }
            if let Kind::Query(query) = entry.subquery().kind() {
                self.query(query);
            }
        }
        for with in query.cteList().iter() {
            if let Kind::CommonTableExpr(with) = with.kind() {
                self.queries_in(with.ctequery());
            }
        }
        if has_sub_selects {
            self.clauses(query);
        }
    }

    /// Rewrites the clauses of one query.
    fn clauses(&mut self, query: View<'_, Query>) {
        self.condition(query.jointree());
        for option in query.withCheckOptions().iter() {
            if let Kind::WithCheckOption(option) = option.kind() {
                self.condition(option.qual());
            }
        }
        if let Kind::OnConflictExpr(on_conflict) = query.onConflict().kind() {
            self.condition(on_conflict.onConflictWhere());
        }
        for action in query.mergeActionList().iter() {
            if let Kind::MergeAction(action) = action.kind() {
                self.condition(action.qual());
            }
        }
        #[cfg(any(feature = "pg17", feature = "pg18", feature = "pg19"))]
        self.condition(query.mergeJoinCondition());
        for list in [query.targetList(), query.returningList()] {
            self.queries_in(list.node());
        }
        self.queries_in(query.havingQual());
    }

    /// Replaces the sub-selects in a condition by their expressions, where these have the same value.
    fn condition(&mut self, slot: Slot<'_>) {
        let node = slot.node();
        if node.is_null() || nodes::is_too_deep() {
            return;
        }
        nodes::each_child(node, |child| self.condition(child));
        let Kind::SubLink(link) = node.kind() else {
            return;
        };
        self.queries_in(link.subselect());
        if let Some(expression) = scalar::expression(link)
            && is_movable(expression, &mut self.functions)
            && self.identity_holds()
        {
            slot.replace_sub_select(nodes::one_level_up(expression));
        }
    }

    /// Rewrites the queries in an expression that is not a condition; the expression itself stays as it is written.
    fn queries_in(&mut self, node: NodeRef<'_>) {
        if node.is_null() || nodes::is_too_deep() {
            return;
        }
        match node.kind() {
            Kind::Query(query) => return self.query(query),
            Kind::SubLink(link) => self.queries_in(link.subselect()),
            _ => {}
        }
        nodes::each_child(node, |child| self.queries_in(child.node()));
    }

    /// Whether every reader would answer now. Otherwise the sub-selects stay: the planner would raise the reader's error
    /// while it estimates, also in statements that have no row for the reader.
    fn identity_holds(&mut self) -> bool {
        let answers = |identity: Option<FlatIdentity<'_>>| identity.is_none_or(|it| !it.user_id_malformed());
        *self
            .identity_holds
            .get_or_insert_with(|| current::read(answers).unwrap_or(false))
    }
}
