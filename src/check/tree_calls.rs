//! What a stored tree calls and reads: an expression, the query of a view, or the body of an SQL function.

use pgrx::pg_sys::{self, Oid, RTEKind, SQLValueFunctionOp};
use pgrx::prelude::*;

use crate::check::eval::{facts, reads, writable};
use crate::check::source_text::{self, SETTING};
use crate::pg::catalog;
use crate::pg::memory::Arena;
use crate::pg::nodes::{self, Kind, List, NodeRef, View};
use crate::pg::sql_types::StoredTree;

/// A call of a function or operator that did not come with PostgreSQL.
pub struct TreeCall {
    pub function: Oid,
    /// Whether the planner knows all arguments, so that it replaces a call of an IMMUTABLE function by its result.
    pub is_constant: bool,
}

/// What a tree calls and reads, its sub-selects included.
#[derive(Default)]
pub struct TreeCalls {
    pub calls: Vec<TreeCall>,
    pub relations: Vec<Oid>,
    /// A value of the session that it reads without a function of the application.
    pub reads: Option<&'static str>,
    pub has_sub_selects: bool,
    /// Whether it reads a claim that its user can write, if it reads the claims of a token.
    pub names_user_claim: bool,
    level: usize,
}

/// Reads a stored tree. One that is nested too deeply is read as far as possible.
pub fn of_stored(arena: Arena<'_>, stored: &StoredTree) -> TreeCalls {
    if facts::is_too_deep(stored.as_c_str().to_bytes()) {
        return TreeCalls::default();
    }
    of(arena.parse(stored))
}

/// Reads a tree.
pub fn of(tree: NodeRef<'_>) -> TreeCalls {
    let mut found = TreeCalls::default();
    found.descend(tree);
    found
}

impl TreeCalls {
    fn descend(&mut self, node: NodeRef<'_>) -> bool {
        check_for_interrupts!();
        if node.is_null() {
            return false;
        }
        if self.level >= facts::MAX_LEVELS || nodes::is_too_deep() {
            return true;
        }
        self.inspect(node);
        self.level += 1;
        let ends = nodes::walk_children(node, &mut |child| self.descend(child));
        self.level -= 1;
        ends
    }

    fn inspect(&mut self, node: NodeRef<'_>) {
        self.names_user_claim |= writable::is_read(node);
        match node.kind() {
            Kind::FuncExpr(call) if reads::is_setting(call) => self.reads = Some(SETTING),
            Kind::FuncExpr(call) if returns_role(call.funcid()) => self.reads = Some("the role"),
            Kind::FuncExpr(call) if depends_on_role(call) => self.reads = Some("the role"),
            Kind::FuncExpr(call) => self.call(Some(call.funcid()), call.args()),
            Kind::OpExpr(operator) | Kind::DistinctExpr(operator) | Kind::NullIfExpr(operator) => {
                self.call(catalog::operator_function(operator.opno()), operator.args());
            }
            Kind::ScalarArrayOpExpr(operator) => {
                self.call(catalog::operator_function(operator.opno()), operator.args());
            }
            Kind::SqlValueFunction(value) => {
                self.reads = match value.op() {
                    SQLValueFunctionOp::SVFOP_SESSION_USER => Some("session_user"),
                    SQLValueFunctionOp::SVFOP_CURRENT_ROLE
                    | SQLValueFunctionOp::SVFOP_CURRENT_USER
                    | SQLValueFunctionOp::SVFOP_USER => Some("current_user"),
                    _ => self.reads,
                };
            }
            Kind::SubLink(_) => self.has_sub_selects = true,
            Kind::Query(query) => {
                for entry in query.rtable().iter() {
                    if let Kind::RangeTblEntry(entry) = entry.kind()
                        && entry.rtekind() == RTEKind::RTE_RELATION
                    {
                        self.relations.push(entry.relid());
                    }
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, function: Option<Oid>, arguments: List<'_>) {
        if let Some(function) = function.filter(|function| !catalog::is_builtin(*function)) {
            self.calls.push(TreeCall {
                function,
                is_constant: arguments.iter().all(is_constant),
            });
        }
    }
}

/// Whether the planner knows the value of an expression.
fn is_constant(expression: NodeRef<'_>) -> bool {
    !has_variables(expression) && !expression.is_mutable()
}

/// Whether an expression has a part whose value the planner does not know, such as a column or a sub-select.
fn has_variables(node: NodeRef<'_>) -> bool {
    check_for_interrupts!();
    if nodes::is_too_deep() {
        return true;
    }
    match node.kind() {
        Kind::Null | Kind::Const(_) => false,
        Kind::List(_)
        | Kind::ArrayCoerceExpr(_)
        | Kind::ArrayExpr(_)
        | Kind::BoolExpr(_)
        | Kind::BooleanTest(_)
        | Kind::CaseExpr(_)
        | Kind::CaseWhen(_)
        | Kind::CoalesceExpr(_)
        | Kind::CoerceViaIO(_)
        | Kind::CollateExpr(_)
        | Kind::DistinctExpr(_)
        | Kind::FuncExpr(_)
        | Kind::MinMaxExpr(_)
        | Kind::NullIfExpr(_)
        | Kind::NullTest(_)
        | Kind::OpExpr(_)
        | Kind::RelabelType(_)
        | Kind::RowExpr
        | Kind::ScalarArrayOpExpr(_) => nodes::walk_children(node, &mut has_variables),
        _ => true,
    }
}

/// Whether a function of PostgreSQL depends on the role.
fn depends_on_role(call: View<'_, pg_sys::FuncExpr>) -> bool {
    let name = catalog::builtin_function(call.funcid());
    name.is_some_and(|name| source_text::depends_on_role(&name, call.args().iter().count()))
}

/// Whether a function of PostgreSQL returns a role. system_user() exists from PostgreSQL 16 on.
fn returns_role(function: Oid) -> bool {
    const SYSTEM_USER: u32 = 6311;
    let function = function.to_u32();
    [pg_sys::F_CURRENT_USER, pg_sys::F_SESSION_USER, SYSTEM_USER].contains(&function)
}
