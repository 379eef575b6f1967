//! Expressions that may be moved out of their sub-select.
//!
//! PostgreSQL evaluates a sub-select where it is written, for the rows that reach it. An expression outside of a
//! sub-select is evaluated where the planner chooses. That may be while it estimates, at the start of an index scan, or
//! before a costlier condition that would have excluded the row. So only an expression that cannot fail is moved. It has the same
//! value everywhere, and no error of it can reveal the content of a row.

use pgrx::pg_sys::{self, CoerceViaIO, Oid};

use crate::pg::catalog;
use crate::pg::nodes::{self, Kind, List, NodeRef, View};
use crate::planner::functions::{self, Functions};

/// What an expression consists of.
#[derive(Default)]
struct Parts {
    readers: usize,
    outer_columns: usize,
}

/// Whether an expression depends on the identity and on the outer row, and cannot fail.
pub fn is_movable(expression: NodeRef<'_>, functions: &mut Functions) -> bool {
    let mut parts = Parts::default();
    cannot_fail(expression, functions, &mut parts)
        && parts.readers > 0
        && parts.outer_columns > 0
        && !expression.is_volatile()
}

/// Whether every node of an expression is of a type that cannot fail, and depends on nothing at its position in the query.
/// AND, OR and NOT are not among these types, because the planner would split them.
fn cannot_fail(node: NodeRef<'_>, functions: &mut Functions, parts: &mut Parts) -> bool {
    if node.is_null() {
        return true;
    }
    if nodes::is_too_deep() {
        return false;
    }
    let mut all = match node.kind() {
        Kind::Var(column) => {
            parts.outer_columns += usize::from(column.varlevelsup() == 1);
            column.varlevelsup() >= 1
        }
        Kind::Const(_)
        | Kind::Param(_)
        | Kind::List(_)
        | Kind::RelabelType(_)
        | Kind::CollateExpr(_)
        | Kind::CoalesceExpr(_)
        | Kind::NullTest(_)
        | Kind::BooleanTest(_) => true,
        Kind::FuncExpr(call) => {
            let kind = functions.kind(call.funcid());
            parts.readers += usize::from(kind == functions::Kind::Reader);
            kind != functions::Kind::Other && has_collation(call.inputcollid(), call.args())
        }
        Kind::OpExpr(operator) | Kind::DistinctExpr(operator) | Kind::NullIfExpr(operator) => {
            is_safe_operator(operator.opno(), functions) && has_collation(operator.inputcollid(), operator.args())
        }
        Kind::ScalarArrayOpExpr(operator) => {
            is_safe_operator(operator.opno(), functions) && has_collation(operator.inputcollid(), operator.args())
        }
        Kind::CoerceViaIO(cast) => is_safe_cast(cast),
        // An array of arrays fails where these differ in length.
        Kind::ArrayExpr(array) => !array.multidims(),
        _ => false,
    };
    nodes::each_child(node, |child| all = all && cannot_fail(child.node(), functions, parts));
    all
}

/// Whether the function of an operator cannot fail. A stored policy names only the operator.
fn is_safe_operator(operator: Oid, functions: &mut Functions) -> bool {
    catalog::operator_function(operator).is_some_and(|function| functions.kind(function) == functions::Kind::CannotFail)
}

/// Whether texts are compared by a known collation. Two columns whose collations differ have none, and even a LEAKPROOF
/// comparison of these fails (42P22).
fn has_collation(collation: Oid, arguments: List<'_>) -> bool {
    collation != pg_sys::InvalidOid
        || !arguments
            .iter()
            .any(|argument| catalog::is_collatable(argument.value_type()))
}

/// Whether every value of the type can be written as a text.
fn is_safe_cast(cast: View<'_, CoerceViaIO>) -> bool {
    [
        pg_sys::UUIDOID,
        pg_sys::INT2OID,
        pg_sys::INT4OID,
        pg_sys::INT8OID,
        pg_sys::OIDOID,
    ]
    .contains(&cast.arg().value_type())
        && [pg_sys::TEXTOID, pg_sys::VARCHAROID].contains(&cast.resulttype())
}
