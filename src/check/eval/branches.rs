//! Sub-selects of which a branch forgets the row: `m.team = docs.team AND m.user_id = auth.user_id() OR m.is_admin`, where AND
//! binds first.

use pgrx::pg_sys::{self, BoolExprType, SubLinkType};
use pgrx::prelude::*;

use crate::check::eval::Evaluator;
use crate::check::eval::known::Known;
use crate::pg::nodes::{self, Kind, NodeRef, View};

impl<'t> Evaluator<'_, 't> {
    /// Whether a sub-select over a table finds rows by an alternative that does not read the row, although others do.
    pub(super) fn has_rowless_branch(&self, link: View<'t, pg_sys::SubLink>) -> bool {
        let finds_any = match link.subLinkType() {
            SubLinkType::EXISTS_SUBLINK => true,
            SubLinkType::ANY_SUBLINK => !self.reads_row(link.testexpr()),
            _ => false,
        };
        finds_any
            && self.facts.reads_table(link.node())
            && alternatives(link).iter().any(|branch| {
                let is_possible = !matches!(self.known(*branch), Some(Known::Null | Known::Boolean(false)));
                is_possible && !self.reads_row(*branch)
            })
    }

    /// Whether an expression reads a column of the row.
    fn reads_row(&self, node: NodeRef<'t>) -> bool {
        check_for_interrupts!();
        match node.kind() {
            Kind::Null => false,
            _ if nodes::is_too_deep() => true,
            Kind::Var(column) => match self.facts.alias(node) {
                Some(target) => self.reads_row(target),
                None => self.facts.is_of_row(column.node()),
            },
            _ => nodes::walk_children(node, &mut |child| self.reads_row(child)),
        }
    }
}

/// The alternatives of a sub-select's condition; none of one that is no OR.
fn alternatives(link: View<'_, pg_sys::SubLink>) -> Vec<NodeRef<'_>> {
    let Kind::Query(query) = link.subselect().kind() else {
        return Vec::new();
    };
    let condition = match query.jointree().node().kind() {
        Kind::FromExpr(from) => from.quals().kind(),
        _ => Kind::Null,
    };
    match condition {
        Kind::BoolExpr(it) if it.boolop() == BoolExprType::OR_EXPR => it.args().to_vec(),
        _ => Vec::new(),
    }
}
