//! Columns that policies compare with the identity, and whether an index begins with them.

use std::collections::HashSet;

use pgrx::pg_sys::{BoolExprType, Oid, SubLinkType};
use pgrx::prelude::*;

use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::eval::facts::Reader;
use crate::check::finding::Finding;
use crate::pg::catalog;
use crate::pg::nodes::{self, Kind, NodeRef};

/// A column of a table.
#[derive(PartialEq, Eq, Hash)]
pub struct Column {
    table: Oid,
    number: i16,
}

const WITHOUT_INDEX: &str = "SELECT format('%s (%I)', r.name, a.attname),
       'A policy compares it with the identity, and no index begins with it: each query reads the whole table.',
       format('CREATE INDEX ON %s (%I);', r.name, a.attname)
  FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid
       JOIN unnest(string_to_array('$COLUMNS', ',')) c (name) ON c.name = r.oid || ' ' || a.attnum
 WHERE NOT a.attisdropped AND r.kind IN ('r', 'p') AND NOT EXISTS (
           SELECT FROM pg_index i
            WHERE i.indrelid = r.oid AND i.indisvalid AND i.indkey[0] = a.attnum AND i.indpred IS NULL)";

/// Reports the columns without an index.
pub fn inspect(catalog: &Catalog<'_>, columns: &HashSet<Column>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    if columns.is_empty() {
        return Ok(());
    }
    let columns: Vec<String> = columns
        .iter()
        .map(|it| format!("{} {}", it.table.to_u32(), it.number))
        .collect();
    let sql = WITHOUT_INDEX.replace("$COLUMNS", &columns.join(","));
    catalog.find(Finding::PolicyColumnWithoutIndex, &sql, rows)
}

/// Adds the columns that must equal the identity in a policy, in the forms `auth.user_id() = column`,
/// `(select auth.user_id()) = column` and `(select auth.user_id() = column)`.
pub fn of_policy(readers: &[Reader], tree: NodeRef<'_>, table: Oid, all: &mut HashSet<Column>) {
    let mut add = |number| {
        all.insert(Column { table, number });
    };
    of_condition(readers, tree, 0, &mut add);
}

fn of_condition(readers: &[Reader], node: NodeRef<'_>, level: u32, add: &mut dyn FnMut(i16)) {
    check_for_interrupts!();
    if nodes::is_too_deep() {
        return;
    }
    if let Some(inner) = bare_select(node) {
        return of_condition(readers, inner, level + 1, add);
    }
    match node.kind() {
        Kind::BoolExpr(boolean) if boolean.boolop() == BoolExprType::AND_EXPR => {
            for part in boolean.args().iter() {
                of_condition(readers, part, level, add);
            }
        }
        Kind::OpExpr(operator) => {
            if let [a, b] = operator.args().to_vec()[..]
                && catalog::operator_is_named(operator.opno(), c"=")
            {
                for (identity, other) in [(a, b), (b, a)] {
                    if let Some(number) = column(other, level).filter(|_| is_identity(readers, identity)) {
                        add(number);
                    }
                }
            }
        }
        _ => {}
    }
}

fn is_identity(readers: &[Reader], node: NodeRef<'_>) -> bool {
    let node = stripped(node);
    match bare_select(node).map_or(node, stripped).kind() {
        Kind::FuncExpr(call) => readers.iter().any(|reader| reader.oid == call.funcid()),
        _ => false,
    }
}

fn column(node: NodeRef<'_>, level: u32) -> Option<i16> {
    match stripped(node).kind() {
        Kind::Var(column) => (column.varlevelsup() == level && column.varattno() > 0).then_some(column.varattno()),
        _ => None,
    }
}

/// The expression below a change of type that changes no value, such as varchar to text.
fn stripped(node: NodeRef<'_>) -> NodeRef<'_> {
    match node.kind() {
        Kind::RelabelType(relabelled) => relabelled.arg(),
        _ => node,
    }
}

/// The expression of a sub-select that has one expression and no FROM.
fn bare_select(node: NodeRef<'_>) -> Option<NodeRef<'_>> {
    let Kind::SubLink(link) = node.kind() else {
        return None;
    };
    let Kind::Query(query) = link.subselect().kind() else {
        return None;
    };
    let mut entries = query.targetList().iter();
    match (entries.next()?.kind(), entries.next()) {
        (Kind::TargetEntry(entry), None)
            if link.subLinkType() == SubLinkType::EXPR_SUBLINK && query.rtable().is_null() =>
        {
            Some(entry.expr())
        }
        _ => None,
    }
}
