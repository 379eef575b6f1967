//! Columns that policies compare with the identity, and whether an index serves them.

use std::collections::HashSet;

use pgrx::pg_sys::{self, BoolExprType, Node, NodeTag, Oid, SubLinkType};
use pgrx::prelude::*;

use crate::check::catalog::{Catalog, Row};
use crate::check::facts::Reader;
use crate::check::finding::Finding;
use crate::pg::nodes;
use crate::pg::nodes::{elements, is, typed};

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
pub fn look(catalog: &Catalog<'_>, columns: &HashSet<Column>, rows: &mut Vec<Row>) -> spi::Result<()> {
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

/// Adds the columns that must equal the identity in a policy: in the forms `auth.user_id() = column`,
/// `(select auth.user_id()) = column` and `(select auth.user_id() = column)`.
pub fn of_policy(readers: &[Reader], tree: *mut Node, table: Oid, all: &mut HashSet<Column>) {
    let mut add = |number| {
        all.insert(Column { table, number });
    };
    of_condition(readers, tree, 0, &mut add);
}

fn of_condition(readers: &[Reader], node: *mut Node, level: u32, add: &mut dyn FnMut(i16)) {
    check_for_interrupts!();
    if nodes::is_too_deep() {
        return;
    }
    if let Some(inner) = bare_select(node) {
        return of_condition(readers, inner, level + 1, add);
    }
    if is(node, NodeTag::T_BoolExpr) {
        // SAFETY: its tag says so.
        let it = unsafe { typed::<pg_sys::BoolExpr>(node) };
        if it.boolop == BoolExprType::AND_EXPR {
            elements(it.args)
                .into_iter()
                .for_each(|part| of_condition(readers, part, level, add));
        }
        return;
    }
    if !is(node, NodeTag::T_OpExpr) {
        return;
    }
    // SAFETY: its tag says so.
    let it = unsafe { typed::<pg_sys::OpExpr>(node) };
    if let [a, b] = elements(it.args)[..]
        && is_equality(it.opno)
    {
        for (identity, other) in [(a, b), (b, a)] {
            if let Some(number) = column(other, level).filter(|_| is_identity(readers, identity)) {
                add(number);
            }
        }
    }
}

fn is_equality(operator: Oid) -> bool {
    // SAFETY: a catalog look-up; null for an operator that is gone, else a C string in the current memory context.
    let name = unsafe { pg_sys::get_opname(operator) };
    // SAFETY: as above.
    !name.is_null() && unsafe { std::ffi::CStr::from_ptr(name) } == c"="
}

fn is_identity(readers: &[Reader], node: *mut Node) -> bool {
    let node = stripped(node);
    let node = bare_select(node).map_or(node, stripped);
    if !is(node, NodeTag::T_FuncExpr) {
        return false;
    }
    // SAFETY: its tag says so.
    let function = unsafe { typed::<pg_sys::FuncExpr>(node) }.funcid;
    readers.iter().any(|reader| reader.oid == function)
}

fn column(node: *mut Node, level: u32) -> Option<i16> {
    let node = stripped(node);
    if !is(node, NodeTag::T_Var) {
        return None;
    }
    // SAFETY: its tag says so.
    let it = unsafe { typed::<pg_sys::Var>(node) };
    (it.varlevelsup == level && it.varattno > 0).then_some(it.varattno)
}

/// Without a change of type that changes nothing, such as varchar to text.
fn stripped(node: *mut Node) -> *mut Node {
    if is(node, NodeTag::T_RelabelType) {
        // SAFETY: its tag says so.
        return unsafe { typed::<pg_sys::RelabelType>(node) }.arg.cast();
    }
    node
}

/// The one expression of a sub-select without FROM.
fn bare_select(node: *mut Node) -> Option<*mut Node> {
    if !is(node, NodeTag::T_SubLink) {
        return None;
    }
    // SAFETY: its tag says so.
    let link = unsafe { typed::<pg_sys::SubLink>(node) };
    if link.subLinkType != SubLinkType::EXPR_SUBLINK || !is(link.subselect, NodeTag::T_Query) {
        return None;
    }
    // SAFETY: its tag says so.
    let query = unsafe { typed::<pg_sys::Query>(link.subselect) };
    match elements(query.targetList)[..] {
        [entry] if query.rtable.is_null() => {
            // SAFETY: a target list has nothing but these.
            Some(unsafe { typed::<pg_sys::TargetEntry>(entry) }.expr.cast())
        }
        _ => None,
    }
}
