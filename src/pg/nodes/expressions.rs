//! What PostgreSQL's functions say about an expression.

use std::ffi::CStr;

use pgrx::pg_sys::{self, Node, Oid};

use crate::pg::memory::Arena;
use crate::pg::nodes::reference::NodeRef;
use crate::pg::sql_types::StoredTree;

impl NodeRef<'_> {
    /// The type of an expression's value; 0 for null.
    pub fn value_type(self) -> Oid {
        // SAFETY: null or a node; PostgreSQL raises an error for a node that is not an expression.
        unsafe { pg_sys::exprType(self.pointer()) }
    }

    /// Whether an expression calls a volatile function.
    pub fn is_volatile(self) -> bool {
        // SAFETY: null or a node.
        unsafe { pg_sys::contain_volatile_functions(self.pointer()) }
    }

    /// Whether an expression calls a function that is not IMMUTABLE.
    pub fn is_mutable(self) -> bool {
        // SAFETY: null or a node.
        unsafe { pg_sys::contain_mutable_functions(self.pointer()) }
    }

    /// Whether PostgreSQL takes two trees as equal (equalfuncs.c).
    pub fn equals(self, other: NodeRef<'_>) -> bool {
        // SAFETY: both are null or nodes, which are only read.
        unsafe { pg_sys::equal(self.pointer().cast(), other.pointer().cast()) }
    }
}

impl<'m> Arena<'m> {
    /// The tree that PostgreSQL has stored.
    pub fn parse(self, stored: &StoredTree) -> NodeRef<'m> {
        let text = stored.as_c_str().as_ptr();
        // SAFETY: PostgreSQL wrote the text, which outlives the call; the tree is made in the memory of the arena.
        let tree = self.allocate(|| unsafe { pg_sys::stringToNode(text) });
        // SAFETY: the tree is in memory that lives for `'m`.
        unsafe { NodeRef::new(tree.cast()) }
    }

    /// A node as PostgreSQL would store it.
    pub fn text_of(self, node: NodeRef<'_>) -> &'m [u8] {
        // SAFETY: null or a node, which is only read; the text is made in the memory of the arena.
        let text = self.allocate(|| unsafe { pg_sys::nodeToString(node.pointer().cast()) });
        // SAFETY: nodeToString returns a C string, in memory that lives for `'m`.
        unsafe { CStr::from_ptr(text) }.to_bytes()
    }
}

/// A copy of an expression as it is written one query further out. It is a copy because the tree may contain the expression
/// twice. It is made in the current memory, which in the planner hook is that of the query.
pub fn one_level_up<'t>(expression: NodeRef<'t>) -> NodeRef<'t> {
    // SAFETY: copies a whole tree, which is only read.
    let copy = unsafe { pg_sys::copyObjectImpl(expression.pointer().cast()) }.cast::<Node>();
    // SAFETY: nothing else has the copy; a movable expression has no columns of level 0, which would become -1.
    unsafe { pg_sys::IncrementVarSublevelsUp(copy, -1, 1) };
    // SAFETY: the copy is a tree in the memory of the query, as the expression is.
    unsafe { NodeRef::new(copy) }
}
