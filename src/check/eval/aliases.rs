//! Columns that stand for expressions: `me.id` in `(SELECT auth.user_id() AS id) me`, and in WITH.

use pgrx::pg_sys::{self, RTEKind};

use crate::pg::nodes::{Kind, NodeRef, View};

/// A query around an expression.
pub struct Scope<'t> {
    query: View<'t, pg_sys::Query>,
    tables: Vec<NodeRef<'t>>,
}

impl<'t> Scope<'t> {
    pub fn of(query: View<'t, pg_sys::Query>) -> Scope<'t> {
        Scope {
            query,
            tables: query.rtable().to_vec(),
        }
    }
}

/// The queries in WITH and FROM, each after those that it can refer to.
pub fn inner_queries(query: View<'_, pg_sys::Query>) -> Vec<NodeRef<'_>> {
    let with = query.cteList().iter().filter_map(|it| match it.kind() {
        Kind::CommonTableExpr(named) => Some(named.ctequery()),
        _ => None,
    });
    let from = query.rtable().iter().filter_map(|entry| match entry.kind() {
        Kind::RangeTblEntry(entry) if entry.rtekind() == RTEKind::RTE_SUBQUERY => Some(entry.subquery()),
        _ => None,
    });
    with.chain(from).collect()
}

/// The entry of FROM that a column belongs to; None for the row.
pub fn entry<'t>(from: &[Scope<'t>], column: View<'t, pg_sys::Var>) -> Option<NodeRef<'t>> {
    let scope = outwards(from, column.varlevelsup())?;
    let index = usize::try_from(column.varno()).ok()?.checked_sub(1)?;
    scope.tables.get(index).copied()
}

/// The expression that a column stands for.
pub fn target<'t>(from: &[Scope<'t>], column: View<'t, pg_sys::Var>) -> Option<NodeRef<'t>> {
    let outer = from.len().checked_sub(usize::try_from(column.varlevelsup()).ok()?)?;
    let Kind::Query(query) = source(from.get(..outer)?, entry(from, column)?)?.kind() else {
        return None;
    };
    let index = usize::try_from(column.varattno()).ok()?.checked_sub(1)?;
    match query.targetList().slots().nth(index)?.node().kind() {
        Kind::TargetEntry(entry) if !entry.resjunk() => Some(entry.expr()),
        _ => None,
    }
}

/// The query of an entry in FROM of the innermost query, if each of its rows is a row of the FROM inside it.
pub fn source<'t>(from: &[Scope<'t>], entry: NodeRef<'t>) -> Option<NodeRef<'t>> {
    let Kind::RangeTblEntry(entry) = entry.kind() else {
        return None;
    };
    let query = match entry.rtekind() {
        RTEKind::RTE_SUBQUERY => entry.subquery(),
        RTEKind::RTE_CTE => {
            let name = entry.name_in_with()?;
            let named = outwards(from, entry.ctelevelsup())?.query.cteList().iter();
            let mut named = named.filter_map(|it| match it.kind() {
                Kind::CommonTableExpr(it) if it.name() == Some(name) && !it.cterecursive() => Some(it.ctequery()),
                _ => None,
            });
            named.next()?
        }
        _ => return None,
    };
    matches!(query.kind(), Kind::Query(it) if has_rows_of_from(it) && !it.hasTargetSRFs()).then_some(query)
}

/// Whether each row of a query is a row of its FROM: it has neither aggregates nor UNION and the like.
pub fn has_rows_of_from(query: View<'_, pg_sys::Query>) -> bool {
    !query.hasAggs()
        && query.groupingSets().is_null()
        && query.setOperations().is_null()
        && !query.hasWindowFuncs()
        && query.havingQual().is_null()
        && query.commandType() == pg_sys::CmdType::CMD_SELECT
}

/// Whether a query aggregates all rows of its FROM into one.
pub fn is_of_all_rows(query: View<'_, pg_sys::Query>) -> bool {
    query.hasAggs() && query.groupClause().is_null() && query.groupingSets().is_null()
}

/// A query by the number of queries between it and the innermost one.
fn outwards<'s, 't>(from: &'s [Scope<'t>], levels: u32) -> Option<&'s Scope<'t>> {
    from.get(from.len().checked_sub(usize::try_from(levels).ok()? + 1)?)
}
