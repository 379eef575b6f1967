//! Comparisons whose result is the same for every value but NULL.

use pgrx::pg_sys::{self, Oid};

use crate::check::eval::bare_select::bare_select;
use crate::pg::catalog;
use crate::pg::nodes::{Kind, NodeRef};

/// Whether a comparison of a value with itself is always true, or always false, if it is not NULL; None for other operators.
/// Geometric types are left out, whose equality is that of rounded areas.
pub(super) fn with_itself(operator: Oid, arguments: &[NodeRef<'_>]) -> Option<bool> {
    let [a, b] = *arguments else {
        return None;
    };
    if !a.equals(b) || !is_deterministic(a) {
        return None;
    }
    match (a.value_type(), catalog::builtin_operator(operator)?.as_slice()) {
        (
            pg_sys::BOXOID
            | pg_sys::CIRCLEOID
            | pg_sys::POLYGONOID
            | pg_sys::PATHOID
            | pg_sys::LSEGOID
            | pg_sys::LINEOID,
            _,
        ) => None,
        (_, b"=" | b"<=" | b">=") => Some(true),
        (_, b"<>" | b"<" | b">") => Some(false),
        _ => None,
    }
}

/// Whether an expression is a column or a constant, or made of these by functions that are not volatile.
fn is_deterministic(node: NodeRef<'_>) -> bool {
    match node.kind() {
        Kind::Var(_) | Kind::Const(_) => true,
        Kind::RelabelType(it) => is_deterministic(it.arg()),
        Kind::CollateExpr(it) => is_deterministic(it.arg()),
        Kind::CoalesceExpr(it) => it.args().iter().all(is_deterministic),
        Kind::CoerceViaIO(it) => is_deterministic(it.arg()),
        Kind::FuncExpr(it) => !node.is_volatile() && it.args().iter().all(is_deterministic),
        Kind::OpExpr(it) => !node.is_volatile() && it.args().iter().all(is_deterministic),
        Kind::SubLink(link) => bare_select(link).is_some_and(is_deterministic),
        _ => false,
    }
}
