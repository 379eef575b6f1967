//! What the query of a view hides, and which columns it shows.

use pgrx::pg_sys::{self, CTEMaterialize, Oid, RTEKind, SetOperation};
use pgrx::prelude::*;

use crate::check::call_graph::CallGraph;
use crate::check::eval::aliases::is_of_all_rows;
use crate::check::eval::facts;
use crate::check::tree_calls;
use crate::pg::memory::Arena;
use crate::pg::nodes::{self, Kind, NodeRef, View};
use crate::pg::sql_types::StoredTree;

#[derive(Default)]
pub struct ViewQuery {
    /// Whether a condition reads the identity, and the planner may evaluate a condition of the caller before it.
    pub filters_by_identity: bool,
    /// Whether it is a UNION ALL, which the planner takes apart in spite of `security_barrier`.
    pub is_union_all: bool,
    /// The relation that it reads, if there is only one.
    pub base: Option<Oid>,
    /// The columns of that relation that its condition reads.
    pub condition_columns: Vec<i16>,
    /// Its columns, each with that of the relation.
    pub columns: Vec<(i16, i16)>,
}

/// Reads the query of a view.
pub fn read(functions: &CallGraph, arena: Arena<'_>, stored: &StoredTree, view: Oid) -> ViewQuery {
    if facts::is_too_deep(stored.as_c_str().to_bytes()) {
        return ViewQuery::default();
    }
    // A rule stores a list of one query.
    let query = match arena.parse(stored).kind() {
        Kind::List(list) => list.iter().next().map(NodeRef::kind),
        _ => None,
    };
    let Some(Kind::Query(query)) = query else {
        return ViewQuery::default();
    };
    let mut found = ViewQuery {
        filters_by_identity: filters(functions, query, view),
        is_union_all: is_union_all(query.setOperations()),
        ..ViewQuery::default()
    };
    let Kind::FromExpr(from) = query.jointree().node().kind() else {
        return found;
    };
    let parts = from.fromlist().to_vec();
    let [part] = parts[..] else {
        return found;
    };
    found.base = relation(query, part);
    let mut add = |column| found.condition_columns.push(column);
    columns(from.quals(), 0, &mut add);
    for (entry, own) in query.targetList().iter().zip(1..) {
        if let Kind::TargetEntry(entry) = entry.kind()
            && let Kind::Var(column) = entry.expr().kind()
        {
            found.columns.push((own, column.varattno()));
        }
    }
    found
}

fn is_union_all(node: NodeRef<'_>) -> bool {
    match node.kind() {
        Kind::SetOperationStmt(union) if !nodes::is_too_deep() => {
            let is_leaf_or_union =
                |part: NodeRef<'_>| matches!(part.kind(), Kind::RangeTblRef(_)) || is_union_all(part);
            union.op() == SetOperation::SETOP_UNION
                && union.all()
                && is_leaf_or_union(union.larg())
                && is_leaf_or_union(union.rarg())
        }
        _ => false,
    }
}

/// The relation at an item of FROM.
fn relation(query: View<'_, pg_sys::Query>, item: NodeRef<'_>) -> Option<Oid> {
    let Kind::RangeTblRef(reference) = item.kind() else {
        return None;
    };
    let index = usize::try_from(reference.rtindex()).ok()?.checked_sub(1)?;
    match query.rtable().iter().nth(index)?.kind() {
        Kind::RangeTblEntry(entry) if entry.rtekind() == RTEKind::RTE_RELATION => Some(entry.relid()),
        _ => None,
    }
}

/// Whether a query has a condition on the identity: in WHERE, ON or HAVING, in a query in FROM, or as a join with something that
/// reads it.
fn filters(functions: &CallGraph, query: View<'_, pg_sys::Query>, view: Oid) -> bool {
    check_for_interrupts!();
    // The planner moves no condition into a query with LIMIT or OFFSET, or below an aggregate of all rows.
    let is_closed = is_of_all_rows(query) || !query.limitCount().is_null() || !query.limitOffset().is_null();
    if nodes::is_too_deep() || is_closed {
        return false;
    }
    let is_of_identity = |node| functions.is_of_identity(&tree_calls::of(node));
    if is_of_identity(query.jointree().node()) || is_of_identity(query.havingQual()) {
        return true;
    }
    if reads_column_of_identity(functions, query, query.jointree().node()) {
        return true;
    }
    let (mut count, mut is_joined_with_identity) = (0, false);
    for entry in query.rtable().iter() {
        let Kind::RangeTblEntry(entry) = entry.kind() else {
            continue;
        };
        let is_identity = match entry.rtekind() {
            // Before PostgreSQL 16 the query of a view has two entries for the view itself.
            RTEKind::RTE_RELATION if entry.relid() == view => continue,
            RTEKind::RTE_RELATION => functions.is_view_over_identity(entry.relid()),
            RTEKind::RTE_FUNCTION => is_of_identity(entry.functions().node()),
            RTEKind::RTE_SUBQUERY => match entry.subquery().kind() {
                Kind::Query(inner) if filters(functions, inner, view) => return true,
                _ => is_of_identity(entry.subquery()),
            },
            RTEKind::RTE_CTE => query.cteList().iter().any(is_of_identity),
            _ => continue,
        };
        count += 1;
        is_joined_with_identity |= is_identity;
    }
    let in_with = query.cteList().iter().any(|with| match with.kind() {
        Kind::CommonTableExpr(with) => {
            let is_merged = match with.ctematerialized() {
                CTEMaterialize::CTEMaterializeDefault => with.cterefcount() == 1,
                materialized => materialized == CTEMaterialize::CTEMaterializeNever,
            };
            is_merged && is_of_identity(with.ctequery())
        }
        _ => false,
    });
    in_with || count > 1 && is_joined_with_identity && query.setOperations().is_null()
}

/// Whether a condition reads a column that a query in FROM computes from the identity: `owner = auth.user_id() AS is_mine`.
fn reads_column_of_identity(functions: &CallGraph, query: View<'_, pg_sys::Query>, node: NodeRef<'_>) -> bool {
    check_for_interrupts!();
    if nodes::is_too_deep() {
        return false;
    }
    match node.kind() {
        // The columns of a sub-select are its own.
        Kind::Query(_) => false,
        Kind::Var(column) if column.varlevelsup() == 0 => {
            let at = |number: i64| usize::try_from(number).ok()?.checked_sub(1);
            let entry = at(column.varno().into()).and_then(|index| query.rtable().iter().nth(index));
            let inner = match entry.map(NodeRef::kind) {
                Some(Kind::RangeTblEntry(entry)) if entry.rtekind() == RTEKind::RTE_SUBQUERY => entry.subquery().kind(),
                _ => return false,
            };
            let Kind::Query(inner) = inner else {
                return false;
            };
            let target = at(column.varattno().into()).and_then(|index| inner.targetList().iter().nth(index));
            target.is_some_and(|target| functions.is_of_identity(&tree_calls::of(target)))
        }
        _ => nodes::walk_children(node, &mut |child| reads_column_of_identity(functions, query, child)),
    }
}

/// Passes the columns of the relation that an expression reads, also in its sub-selects.
fn columns(node: NodeRef<'_>, level: u32, see: &mut dyn FnMut(i16)) -> bool {
    check_for_interrupts!();
    if nodes::is_too_deep() {
        return true;
    }
    match node.kind() {
        Kind::Var(column) if column.varlevelsup() == level => see(column.varattno()),
        Kind::Query(_) => return nodes::walk_children(node, &mut |child| columns(child, level + 1, see)),
        _ => {}
    }
    nodes::walk_children(node, &mut |child| columns(child, level, see))
}
