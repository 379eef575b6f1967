//! Sub-selects that only wrap an expression, so that PostgreSQL evaluates it once: `(SELECT auth.user_id())`.

use pgrx::pg_sys::{self, SubLinkType};

use crate::pg::nodes::{Kind, NodeRef, View};

/// The expression of a sub-select that has one expression, no FROM and no condition.
pub fn bare_select<'t>(link: View<'t, pg_sys::SubLink>) -> Option<NodeRef<'t>> {
    let Kind::Query(query) = link.subselect().kind() else {
        return None;
    };
    only_expression(link).filter(|_| is_one_row(query))
}

/// The expression of a sub-select that has one.
pub(super) fn only_expression<'t>(link: View<'t, pg_sys::SubLink>) -> Option<NodeRef<'t>> {
    let Kind::Query(query) = link.subselect().kind() else {
        return None;
    };
    let mut entries = query.targetList().iter();
    match (entries.next()?.kind(), entries.next()) {
        (Kind::TargetEntry(entry), None) if link.subLinkType() == SubLinkType::EXPR_SUBLINK => Some(entry.expr()),
        _ => None,
    }
}

/// Whether a query has exactly one row.
fn is_one_row(query: View<'_, pg_sys::Query>) -> bool {
    query.rtable().is_null()
        && has_every_row(query)
        && query.havingQual().is_null()
        && query.setOperations().is_null()
        && !query.hasTargetSRFs()
}

/// Whether a query leaves out no row of its FROM.
pub(super) fn has_every_row(query: View<'_, pg_sys::Query>) -> bool {
    let is_unconditional = match query.jointree().node().kind() {
        Kind::FromExpr(from) => from.quals().is_null(),
        _ => false,
    };
    is_unconditional && query.limitCount().is_null() && query.limitOffset().is_null()
}
