//! What an expression reads. PostgreSQL's own walker finds it, which knows every type of node.

use std::collections::HashMap;

use pgrx::pg_sys::{self, Oid};
use pgrx::prelude::*;

use crate::pg::nodes::{self, Kind, NodeRef, View};

/// The levels that an expression may have; a policy with more is reported as not checked. Otherwise the walker would end
/// the whole check with an error where the stack is full.
const MAX_LEVELS: usize = 200;

/// The same limit for an expression that is still a text. A node and a list are a level each, and the walker passes over
/// at most three.
const MAX_BRACKETS: usize = 4 * MAX_LEVELS;

/// Whether an expression, as PostgreSQL stores it, is nested too deeply to be parsed: parsing needs stack, too.
pub fn is_too_deep(text: &[u8]) -> bool {
    let (mut depth, mut is_escaped) = (0_usize, false);
    text.iter().any(|byte| {
        match byte {
            _ if is_escaped => {}
            b'{' | b'(' => depth += 1,
            b'}' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_escaped = *byte == b'\\' && !is_escaped;
        depth > MAX_BRACKETS
    })
}

/// A function of the extension that returns a part of the identity.
#[derive(Clone, Copy)]
pub struct Reader {
    pub oid: Oid,
    /// Whether it returns the JSON null, and not NULL, without an identity.
    pub gives_json_null: bool,
}

/// How often a part of an expression reads something.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Mentions {
    identity: usize,
    /// Parameters that represent columns of a sub-select.
    columns: usize,
}

/// What an expression reads.
#[derive(Default)]
pub struct Facts<'t> {
    all: Mentions,
    /// The mentions below each node that has any, so that no part of the expression is walked again.
    parts: HashMap<NodeRef<'t>, Mentions>,
    /// Whether it reads anything that may depend on the session: a function of the application, a table, the role.
    pub is_opaque: bool,
    /// Whether it reads a setting with a dot in its name, which any SQL can set.
    pub reads_setting: bool,
    pub is_too_deep: bool,
}

impl<'t> Facts<'t> {
    /// How often the expression reads the identity.
    pub fn mentions(&self) -> usize {
        self.all.identity
    }

    /// How often a part of the expression reads the identity. With `with_columns`, so do the columns of the sub-select that
    /// the part is compared with.
    pub fn mentions_in(&self, part: NodeRef<'t>, with_columns: bool) -> usize {
        let here = self.parts.get(&part).copied().unwrap_or_default();
        here.identity + if with_columns { here.columns } else { 0 }
    }
}

struct Walk<'r, 't> {
    readers: &'r [Reader],
    level: usize,
    facts: Facts<'t>,
}

/// The facts about an expression, its sub-selects included.
pub fn of<'t>(readers: &[Reader], expression: NodeRef<'t>) -> Facts<'t> {
    let mut walk = Walk {
        readers,
        level: 0,
        facts: Facts::default(),
    };
    walk.descend(expression);
    walk.facts
}

impl<'t> Walk<'_, 't> {
    /// Inspects a node and everything below it; true ends the walk.
    fn descend(&mut self, node: NodeRef<'t>) -> bool {
        check_for_interrupts!();
        if node.is_null() {
            return false;
        }
        if self.level >= MAX_LEVELS || nodes::is_too_deep() {
            self.facts.is_too_deep = true;
            return true;
        }
        let before = self.facts.all;
        self.inspect(node);
        self.level += 1;
        let ends = nodes::walk_children(node, &mut |child| self.descend(child));
        self.level -= 1;
        let here = Mentions {
            identity: self.facts.all.identity - before.identity,
            columns: self.facts.all.columns - before.columns,
        };
        if here != Mentions::default() {
            self.facts.parts.insert(node, here);
        }
        ends
    }

    fn inspect(&mut self, node: NodeRef<'t>) {
        match node.kind() {
            Kind::FuncExpr(call) => {
                if self.readers.iter().any(|reader| reader.oid == call.funcid()) {
                    self.facts.all.identity += 1;
                } else if !is_builtin(call.funcid()) {
                    self.facts.is_opaque = true;
                } else if is_setting(call) {
                    self.facts.reads_setting = true;
                    self.facts.is_opaque = true;
                }
            }
            Kind::OpExpr(operator) | Kind::DistinctExpr(operator) | Kind::NullIfExpr(operator) => {
                self.facts.is_opaque |= !is_builtin(operator.opno());
            }
            Kind::ScalarArrayOpExpr(operator) => self.facts.is_opaque |= !is_builtin(operator.opno()),
            Kind::SqlValueFunction => self.facts.is_opaque = true,
            Kind::Query(query) => self.facts.is_opaque |= !query.rtable().is_null(),
            Kind::Param(parameter) => {
                let of_sub_select = parameter.paramkind() == pg_sys::ParamKind::PARAM_SUBLINK;
                self.facts.all.columns += usize::from(of_sub_select);
            }
            _ => {}
        }
    }
}

/// Whether an object came with PostgreSQL.
fn is_builtin(object: Oid) -> bool {
    object.to_u32() < pg_sys::FirstNormalObjectId
}

/// Whether a call is `current_setting` of a name with a dot, or of a name that is not a constant.
fn is_setting(call: View<'_, pg_sys::FuncExpr>) -> bool {
    let function = call.funcid().to_u32();
    if function != pg_sys::F_CURRENT_SETTING_TEXT && function != pg_sys::F_CURRENT_SETTING_TEXT_BOOL {
        return false;
    }
    match call.args().iter().next().map(NodeRef::kind) {
        None => false,
        Some(Kind::Const(name)) if name.constisnull() => false,
        Some(Kind::Const(name)) => name.text().is_none_or(|name| name.contains(&b'.')),
        Some(_) => true,
    }
}
