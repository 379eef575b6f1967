//! The children of any node, by PostgreSQL's own walker (nodeFuncs.c), which knows every type.

use std::ffi::c_void;

use pgrx::pg_sys::{self, Node, NodeTag};
use pgrx::prelude::*;

use crate::pg::nodes::reference::NodeRef;

struct Visitor<'v, 't>(&'v mut dyn FnMut(NodeRef<'t>) -> bool);

/// Passes the children of a node to `visit` until it returns true; returns whether it did. A sub-select is a child, and
/// so are the parts of a query, without the columns of joins, which repeat those of the joined tables.
pub fn walk_children<'t>(node: NodeRef<'t>, visit: &mut dyn FnMut(NodeRef<'t>) -> bool) -> bool {
    let mut visitor = Visitor(visit);
    let context = (&raw mut visitor).cast::<c_void>();
    if node.tag() == Some(NodeTag::T_Query) {
        let flags = pg_sys::QTW_IGNORE_JOINALIASES as i32;
        // SAFETY: a query, a function, and the context that the function expects, which outlives the call.
        unsafe { pg_sys::query_or_expression_tree_walker(node.pointer(), Some(pass_on), context, flags) }
    } else {
        // SAFETY: a node or null, a function, and the context that the function expects, which outlives the call.
        unsafe { pg_sys::expression_tree_walker(node.pointer(), Some(pass_on), context) }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn pass_on(node: *mut Node, context: *mut c_void) -> bool {
    // SAFETY: `walk_children` passes its visitor, which nothing else uses until the walker returns.
    let visitor = unsafe { &mut *context.cast::<Visitor<'_, '_>>() };
    // SAFETY: the walker passes null or a node of the tree that it was given.
    (visitor.0)(unsafe { NodeRef::new(node) })
}
