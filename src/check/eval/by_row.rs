//! Whether the row alone can decide that an ordinary user may write it, although it is one of another user:
//! `is_public OR owner = auth.user_id()`.

use pgrx::pg_sys::BoolExprType;
use pgrx::prelude::*;

use crate::check::eval::Evaluator;
use crate::check::eval::reads::is_setting;
use crate::pg::catalog::is_builtin;
use crate::pg::nodes::{self, Kind, NodeRef};

/// Which rows of other users an expression permits to an ordinary user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permitted {
    /// None of which is known that the row alone decides.
    Unknown,
    /// Those that satisfy a condition on the row.
    Some,
    All,
}

impl Permitted {
    /// The rows of several states of the columns together.
    pub fn of_states(states: impl Iterator<Item = Permitted>) -> Permitted {
        let combined = states.reduce(|one, other| match one == other {
            true => one,
            false => Permitted::Some,
        });
        combined.unwrap_or(Permitted::Unknown)
    }
}

impl<'t> Evaluator<'_, 't> {
    pub(super) fn permitted(&mut self, node: NodeRef<'t>) -> Permitted {
        check_for_interrupts!();
        if nodes::is_too_deep() {
            return Permitted::Unknown;
        }
        if let Kind::BoolExpr(boolean) = node.kind()
            && boolean.boolop() != BoolExprType::NOT_EXPR
            && self.mentions(node) > 0
        {
            let parts = boolean.args().iter().map(|part| self.permitted(part));
            let of_all = match boolean.boolop() {
                BoolExprType::AND_EXPR => parts.min(),
                _ => parts.max(),
            };
            return of_all.unwrap_or(Permitted::Unknown);
        }
        let value = self.value(node);
        match () {
            () if value.is_always_true() => Permitted::All,
            () if self.mentions(node) == 0 && value.can_be_true() && is_of_row_only(node) => Permitted::Some,
            () => Permitted::Unknown,
        }
    }
}

/// Whether an expression has nothing but columns, constants, and functions and operators of PostgreSQL.
fn is_of_row_only(node: NodeRef<'_>) -> bool {
    if nodes::is_too_deep() {
        return false;
    }
    let is_known = match node.kind() {
        Kind::SubLink(_) | Kind::Query(_) | Kind::Param(_) => false,
        Kind::FuncExpr(call) => is_builtin(call.funcid()) && !is_setting(call),
        Kind::OpExpr(operator) | Kind::DistinctExpr(operator) | Kind::NullIfExpr(operator) => {
            is_builtin(operator.opno())
        }
        Kind::ScalarArrayOpExpr(operator) => is_builtin(operator.opno()),
        _ => true,
    };
    is_known && !nodes::walk_children(node, &mut |child| !is_of_row_only(child))
}
