//! What an expression of a policy has in it, found by PostgreSQL's own walker, which knows every kind of node.

use std::collections::HashMap;
use std::ffi::c_void;

use pgrx::pg_sys::{self, Node, NodeTag, Oid};
use pgrx::prelude::*;

use crate::pg::nodes;
use crate::pg::nodes::{elements, is, typed};

/// How many levels are looked into; a policy with more is reported as not checked. The walker would otherwise end the
/// whole check-up with an error where the stack is full.
const MAX_LEVELS: usize = 200;

/// The same for what is not read yet: a node and a list are a level each, and what the walker passes over is at most three.
const MAX_BRACKETS: usize = 4 * MAX_LEVELS;

/// Whether an expression, as PostgreSQL writes it, is nested so deeply that it is better not read: there is an end to the
/// stack there, too.
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

/// A function of the extension that gives a part of the identity.
#[derive(Clone, Copy)]
pub struct Reader {
    pub oid: Oid,
    /// It gives the JSON null, and not NULL, where nobody is known.
    pub gives_json_null: bool,
}

/// How often something is read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Mentions {
    identity: usize,
    /// What stands for the columns of a sub-select.
    columns: usize,
}

/// What is in an expression.
#[derive(Default)]
pub struct Facts {
    all: Mentions,
    /// The same for each node that has any below it, so that nobody walks a part of the expression again.
    parts: HashMap<*mut Node, Mentions>,
    /// It asks something whose answer may depend on the session: a function of the application, a table, the role.
    pub is_opaque: bool,
    /// It reads a setting that has a dot in its name: anybody can set it.
    pub reads_setting: bool,
    pub is_too_deep: bool,
}

impl Facts {
    /// How often it reads the identity.
    pub fn mentions(&self) -> usize {
        self.all.identity
    }

    /// How often a part of it does; `with_columns`, the columns of a sub-select that it is compared with do, too.
    pub fn mentions_in(&self, part: *mut Node, with_columns: bool) -> usize {
        let here = self.parts.get(&part).copied().unwrap_or_default();
        here.identity + if with_columns { here.columns } else { 0 }
    }
}

struct Walk<'a> {
    readers: &'a [Reader],
    level: usize,
    facts: Facts,
}

/// Looks into an expression, its sub-selects included.
pub fn of(readers: &[Reader], expression: *mut Node) -> Facts {
    let mut walk = Walk {
        readers,
        level: 0,
        facts: Facts::default(),
    };
    walk.descend(expression);
    walk.facts
}

/// # Safety
/// A node or null, and a pointer to a [`Walk`].
#[pg_guard]
unsafe extern "C-unwind" fn visit(node: *mut Node, context: *mut c_void) -> bool {
    // SAFETY: the caller's promise; whoever else has such a reference is waiting for this to return.
    unsafe { &mut *context.cast::<Walk<'_>>() }.descend(node)
}

impl Walk<'_> {
    /// Sees a node and all below it; true ends the walk.
    fn descend(&mut self, node: *mut Node) -> bool {
        check_for_interrupts!();
        if node.is_null() {
            return false;
        }
        if self.level >= MAX_LEVELS || nodes::is_too_deep() {
            self.facts.is_too_deep = true;
            return true;
        }
        let before = self.facts.all;
        self.see(node);
        self.level += 1;
        let walk = (&raw mut *self).cast();
        let ends = if is(node, NodeTag::T_Query) {
            // SAFETY: a query, and a function with what it expects.
            unsafe { pg_sys::query_or_expression_tree_walker(node, Some(visit), walk, 0) }
        } else {
            // SAFETY: an expression, and a function with what it expects.
            unsafe { pg_sys::expression_tree_walker(node, Some(visit), walk) }
        };
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

    fn see(&mut self, node: *mut Node) {
        // SAFETY: not null, by the check before.
        match unsafe { (*node).type_ } {
            NodeTag::T_FuncExpr => {
                // SAFETY: its tag says so.
                let call = unsafe { typed::<pg_sys::FuncExpr>(node) };
                if self.readers.iter().any(|reader| reader.oid == call.funcid) {
                    self.facts.all.identity += 1;
                } else if !is_builtin(call.funcid) {
                    self.facts.is_opaque = true;
                } else if is_setting(call) {
                    self.facts.reads_setting = true;
                    self.facts.is_opaque = true;
                }
            }
            NodeTag::T_OpExpr | NodeTag::T_DistinctExpr | NodeTag::T_NullIfExpr => {
                // SAFETY: its tag says so; the three are one type.
                let call = unsafe { typed::<pg_sys::OpExpr>(node) };
                self.facts.is_opaque |= !is_builtin(call.opno);
            }
            NodeTag::T_ScalarArrayOpExpr => {
                // SAFETY: its tag says so.
                let call = unsafe { typed::<pg_sys::ScalarArrayOpExpr>(node) };
                self.facts.is_opaque |= !is_builtin(call.opno);
            }
            NodeTag::T_SQLValueFunction => self.facts.is_opaque = true,
            NodeTag::T_Query => {
                // SAFETY: its tag says so.
                let query = unsafe { typed::<pg_sys::Query>(node) };
                self.facts.is_opaque |= !query.rtable.is_null();
            }
            NodeTag::T_Param => {
                // SAFETY: its tag says so.
                let parameter = unsafe { typed::<pg_sys::Param>(node) };
                let of_sub_select = parameter.paramkind == pg_sys::ParamKind::PARAM_SUBLINK;
                self.facts.all.columns += usize::from(of_sub_select);
            }
            _ => {}
        }
    }
}

/// Whether an object came with PostgreSQL.
pub fn is_builtin(object: Oid) -> bool {
    object.to_u32() < pg_sys::FirstNormalObjectId
}

/// `current_setting` of a name with a dot.
fn is_setting(call: &pg_sys::FuncExpr) -> bool {
    let function = call.funcid.to_u32();
    if function != pg_sys::F_CURRENT_SETTING_TEXT && function != pg_sys::F_CURRENT_SETTING_TEXT_BOOL {
        return false;
    }
    let Some(name) = elements(call.args).first().copied() else {
        return false;
    };
    if !is(name, NodeTag::T_Const) {
        return true; // Which one is not known here: perhaps one of these.
    }
    // SAFETY: its tag says so.
    let name = unsafe { typed::<pg_sys::Const>(name) };
    // SAFETY: the argument is a text, and constisnull says whether it is there.
    let name = unsafe { <&[u8]>::from_datum(name.constvalue, name.constisnull) };
    name.is_some_and(|name| name.contains(&b'.'))
}
