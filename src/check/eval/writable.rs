//! Claims that their user can write: each provider has a profile that an application of the user can change, and puts it into
//! the token.

use std::collections::HashSet;

use pgrx::pg_sys::{self, Oid};

use crate::check::claim_names::{is_name, words};
use crate::pg::catalog;
use crate::pg::nodes::{self, Kind, NodeRef, View};

/// Functions of the application that read such a claim, and those that call them.
#[derive(Default)]
pub struct UserClaims {
    /// Those that name such a claim.
    pub functions: HashSet<Oid>,
    /// Functions of the application that read the identity, and may return the claims.
    pub own_readers: HashSet<Oid>,
}

impl UserClaims {
    /// Whether a node is a call of such a function that reads the identity, or may be given the claims. So is a call of any
    /// function that reads the identity and is given the name of such a claim.
    pub fn are_read_by(&self, node: NodeRef<'_>, with_claims: bool) -> bool {
        let Kind::FuncExpr(call) = node.kind() else {
            return false;
        };
        let names_claim = self.functions.contains(&call.funcid());
        if self.own_readers.contains(&call.funcid()) {
            return names_claim || call.args().iter().any(|argument| has_constant(argument, &has_name));
        }
        names_claim && with_claims
    }
}

/// Whether a node reads such a claim by its own operator, function or path: `auth.jwt() -> 'user_metadata'`. The node may
/// have the claims.
pub fn is_read(node: NodeRef<'_>) -> bool {
    let deletes = match node.kind() {
        Kind::FuncExpr(_) | Kind::SubscriptingRef(_) | Kind::Other => false,
        Kind::OpExpr(operator) => matches!(
            catalog::builtin_operator(operator.opno()).as_deref(),
            Some(b"-" | b"#-") | None
        ),
        _ => return false,
    };
    let (mut is_of_json, mut is_named) = (false, false);
    nodes::walk_children(node, &mut |child| {
        is_of_json |= is_json(child);
        is_named |= has_constant(child, &|constant| is_named_constant(node, constant));
        false
    });
    is_of_json && is_named && !deletes
}

/// Whether a part is an expression of type json or jsonb. The parts of an aggregate are no expressions.
fn is_json(node: NodeRef<'_>) -> bool {
    let is_expression = !matches!(
        node.kind(),
        Kind::Null | Kind::List(_) | Kind::Other | Kind::Query(_) | Kind::TargetEntry(_)
    );
    is_expression
        && matches!(node.value_type(), pg_sys::JSONBOID | pg_sys::JSONOID)
        && !matches!(node.kind(), Kind::Const(_))
}

/// Whether an operand is such a constant, or an array with one.
fn has_constant(operand: NodeRef<'_>, is_such: &dyn Fn(View<'_, pg_sys::Const>) -> bool) -> bool {
    match operand.kind() {
        Kind::Const(constant) => is_such(constant),
        Kind::ArrayExpr(array) => array.elements().iter().any(|element| has_constant(element, is_such)),
        Kind::RelabelType(it) => has_constant(it.arg(), is_such),
        _ => false,
    }
}

/// Whether a constant has such a name as a word of a path.
fn has_name(constant: View<'_, pg_sys::Const>) -> bool {
    let texts = constant.texts().unwrap_or_default().into_iter().flatten();
    let mut texts = texts.chain(constant.characters());
    texts.any(|text| words(&text).any(is_name))
}

/// Whether a constant is such a name, or a path or an object with one.
fn is_named_constant(parent: NodeRef<'_>, constant: View<'_, pg_sys::Const>) -> bool {
    if let Some(name) = constant.characters() {
        return is_name(&name);
    }
    if let Some(names) = constant.texts() {
        return names.into_iter().flatten().any(|name| is_name(&name));
    }
    let contains = matches!(parent.kind(), Kind::OpExpr(operator)
        if matches!(catalog::builtin_operator(operator.opno()).as_deref(), Some(b"@>" | b"<@")));
    let text = constant.jsonpath().or_else(|| constant.jsonb().filter(|_| contains));
    text.is_some_and(|text| words(&text).any(is_name))
}
