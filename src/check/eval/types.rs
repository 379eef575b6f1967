//! The types of expressions, as far as they limit the values.

use pgrx::pg_sys;

use crate::check::eval::domain::Value::{False, JsonNull, Null, Other, True};
use crate::check::eval::domain::{Value, Values};
use crate::pg::nodes::{Kind, NodeRef};

/// The type of an expression's value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Boolean,
    Json,
    Other,
}

impl Target {
    pub fn of(node: NodeRef<'_>) -> Target {
        match node.value_type() {
            pg_sys::BOOLOID => Target::Boolean,
            pg_sys::JSONBOID | pg_sys::JSONOID => Target::Json,
            _ => Target::Other,
        }
    }

    /// A value, converted to this type.
    pub fn convert(self, value: Value) -> Values {
        match (value, self) {
            (Null, _) => Null.into(),
            (True | False, Target::Boolean) | (JsonNull, Target::Json) => value.into(),
            (Other | JsonNull, Target::Boolean) => Values::of(&[True, False]),
            _ => Other.into(),
        }
    }
}

/// Whether a node is an expression of type boolean.
pub fn is_condition(node: NodeRef<'_>) -> bool {
    let is_expression = matches!(
        node.kind(),
        Kind::FuncExpr(_) | Kind::OpExpr(_) | Kind::DistinctExpr(_) | Kind::ScalarArrayOpExpr(_)
    );
    is_expression && is_boolean(node)
}

pub fn is_boolean(node: NodeRef<'_>) -> bool {
    Target::of(node) == Target::Boolean
}

/// Everything except NULL that an expression can be.
pub fn filled(node: NodeRef<'_>) -> Values {
    match Target::of(node) {
        Target::Boolean => Values::of(&[True, False]),
        _ => Other.into(),
    }
}
