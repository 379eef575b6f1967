//! Sub-selects that consist of one expression: `(select expression)` without FROM or any other clause.

use pgrx::pg_sys::{CmdType, SubLink, SubLinkType};

use crate::pg::nodes::{Kind, NodeRef, View};

/// The expression of a sub-select that has nothing else.
pub fn expression<'t>(link: View<'t, SubLink>) -> Option<NodeRef<'t>> {
    if link.subLinkType() != SubLinkType::EXPR_SUBLINK {
        return None;
    }
    let Kind::Query(query) = link.subselect().kind() else {
        return None;
    };
    let Kind::FromExpr(from) = query.jointree().node().kind() else {
        return None;
    };
    let is_bare = query.commandType() == CmdType::CMD_SELECT
        && query.utilityStmt().is_null()
        && !(query.hasAggs() || query.hasWindowFuncs() || query.hasTargetSRFs() || query.hasSubLinks())
        && !(query.hasDistinctOn() || query.hasRecursive() || query.hasModifyingCTE() || query.hasForUpdate())
        && from.quals().is_null()
        && query.havingQual().is_null()
        && query.limitOffset().is_null()
        && query.limitCount().is_null()
        && query.setOperations().is_null();
    let has_no_clauses = [
        from.fromlist(),
        query.cteList(),
        query.rtable(),
        query.groupClause(),
        query.groupingSets(),
        query.windowClause(),
        query.distinctClause(),
        query.sortClause(),
        query.rowMarks(),
        query.withCheckOptions(),
    ]
    .into_iter()
    .all(|clause| clause.is_null());
    if !is_bare || !has_no_clauses {
        return None;
    }
    let mut entries = query.targetList().iter();
    match (entries.next()?.kind(), entries.next()) {
        (Kind::TargetEntry(entry), None) if !entry.resjunk() => Some(entry.expr()),
        _ => None,
    }
}
