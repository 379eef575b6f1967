//! Which expressions may be moved out of their sub-select.
//!
//! A sub-select is evaluated where it stands, for the rows that come there. The expression in it, once it stands alone,
//! is evaluated where the planner likes: while it estimates, at the start of an index scan, before a costlier condition
//! beside it, on rows that this would have kept away. So only what cannot fail is moved: it has the same value
//! everywhere, and no error of it can tell what is in a row.

use pgrx::pg_sys::{self, Node, NodeTag, Oid};

use crate::pg::nodes::{each_child, is_too_deep, typed};
use crate::planner::functions::{Functions, Kind};

/// What an expression was seen to be made of.
#[derive(Default)]
struct Parts {
    readers: usize,
    outer_columns: usize,
}

/// Whether an expression asks for the identity and for the row outside, and cannot fail.
pub fn is_movable(expression: *mut Node, functions: &mut Functions) -> bool {
    let mut parts = Parts::default();
    cannot_fail(expression, functions, &mut parts)
        && parts.readers > 0
        && parts.outer_columns > 0
        // SAFETY: an expression of the planner's query.
        && !unsafe { pg_sys::contain_volatile_functions(expression) }
}

/// Whether every node of an expression is of a kind that cannot fail, and asks for nothing that depends on where it
/// stands. AND, OR and NOT are not among the kinds: the planner would take them apart.
fn cannot_fail(place: *mut Node, functions: &mut Functions, parts: &mut Parts) -> bool {
    if place.is_null() {
        return true;
    }
    if is_too_deep() {
        return false;
    }
    // SAFETY: not null.
    let node_itself = match unsafe { (*place).type_ } {
        NodeTag::T_Var => {
            // SAFETY: its tag says so.
            let column = unsafe { typed::<pg_sys::Var>(place) };
            parts.outer_columns += usize::from(column.varlevelsup == 1);
            column.varlevelsup >= 1
        }
        NodeTag::T_Const
        | NodeTag::T_Param
        | NodeTag::T_List
        | NodeTag::T_RelabelType
        | NodeTag::T_CollateExpr
        | NodeTag::T_CoalesceExpr
        | NodeTag::T_NullTest
        | NodeTag::T_BooleanTest => true,
        NodeTag::T_FuncExpr => {
            // SAFETY: its tag says so.
            let call = unsafe { typed::<pg_sys::FuncExpr>(place) };
            let kind = functions.kind(call.funcid);
            parts.readers += usize::from(kind == Kind::Reader);
            kind != Kind::Other && has_collation(call.inputcollid, call.args)
        }
        NodeTag::T_OpExpr | NodeTag::T_DistinctExpr | NodeTag::T_NullIfExpr => {
            // SAFETY: its tag says so: the three are one struct (primnodes.h).
            let operator = unsafe { typed::<pg_sys::OpExpr>(place) };
            is_safe_operator(operator.opno, functions) && has_collation(operator.inputcollid, operator.args)
        }
        NodeTag::T_ScalarArrayOpExpr => {
            // SAFETY: its tag says so.
            let operator = unsafe { typed::<pg_sys::ScalarArrayOpExpr>(place) };
            is_safe_operator(operator.opno, functions) && has_collation(operator.inputcollid, operator.args)
        }
        NodeTag::T_CoerceViaIO => {
            // SAFETY: its tag says so.
            let cast = unsafe { typed::<pg_sys::CoerceViaIO>(place) };
            is_safe_cast(cast)
        }
        NodeTag::T_ArrayExpr => {
            // SAFETY: its tag says so. Arrays of arrays fail where these differ in length.
            !unsafe { typed::<pg_sys::ArrayExpr>(place) }.multidims
        }
        _ => false,
    };
    let mut all = node_itself;
    each_child(place, |child| all = all && cannot_fail(*child, functions, parts));
    all
}

/// An operator as its number says: in a stored policy the number of its function is not filled in.
fn is_safe_operator(operator: Oid, functions: &mut Functions) -> bool {
    // SAFETY: a catalog look-up inside of a transaction; it returns 0 where there is no such operator.
    let function = unsafe { pg_sys::get_opcode(operator) };
    functions.kind(function) == Kind::CannotFail
}

/// Whether texts are compared by a known collation. Where two columns' collations differ there is none, and a leakproof
/// comparison fails all the same (42P22).
fn has_collation(collation: Oid, arguments: *mut pg_sys::List) -> bool {
    let mut any_collatable = false;
    crate::pg::nodes::each(arguments, |argument| {
        // SAFETY: an expression.
        let of_type = unsafe { pg_sys::exprType(argument) };
        // SAFETY: a catalog look-up inside of a transaction.
        any_collatable |= unsafe { pg_sys::type_is_collatable(of_type) };
    });
    collation != pg_sys::InvalidOid || !any_collatable
}

/// Whether every value of the type can be written as a text.
fn is_safe_cast(cast: &pg_sys::CoerceViaIO) -> bool {
    // SAFETY: an expression.
    let from = unsafe { pg_sys::exprType(cast.arg.cast()) };
    [
        pg_sys::UUIDOID,
        pg_sys::INT2OID,
        pg_sys::INT4OID,
        pg_sys::INT8OID,
        pg_sys::OIDOID,
    ]
    .contains(&from)
        && [pg_sys::TEXTOID, pg_sys::VARCHAROID].contains(&cast.resulttype)
}
