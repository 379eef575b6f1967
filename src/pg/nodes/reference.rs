//! A node, a list of nodes, and a slot that points to a node.

use std::marker::PhantomData;

use pgrx::pg_sys::{self, ListCell, Node, NodeTag};

/// A node of a tree, or null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeRef<'t> {
    pointer: *mut Node,
    tree: Tree<'t>,
}

/// The lifetime of a tree. It is invariant: a node that lives shorter than a tree cannot be put into it.
pub(super) type Tree<'t> = PhantomData<fn(&'t Node) -> &'t Node>;

impl<'t> NodeRef<'t> {
    /// # Safety
    /// The pointer is null, or a node of a tree that lives for `'t` and that only slots change meanwhile.
    pub unsafe fn new(pointer: *mut Node) -> Self {
        NodeRef {
            pointer,
            tree: PhantomData,
        }
    }

    pub(crate) fn pointer(self) -> *mut Node {
        self.pointer
    }

    pub fn is_null(self) -> bool {
        self.pointer.is_null()
    }

    /// The tag of the node; None for null.
    pub fn tag(self) -> Option<NodeTag> {
        if self.is_null() {
            return None;
        }
        // SAFETY: `new` was promised a node, which begins with its tag.
        Some(unsafe { (*self.pointer).type_ })
    }
}

/// A list of nodes; an empty list is null.
#[derive(Clone, Copy)]
pub struct List<'t>(NodeRef<'t>);

impl<'t> List<'t> {
    /// The list in a member that points to one.
    pub(super) fn new(node: NodeRef<'t>) -> Self {
        List(node)
    }

    pub fn node(self) -> NodeRef<'t> {
        self.0
    }

    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// The slots of the list; none for a list of anything but nodes.
    pub fn slots(self) -> impl Iterator<Item = Slot<'t>> {
        let (mut cells, mut count) = (std::ptr::null_mut::<ListCell>(), 0);
        if self.0.tag() == Some(NodeTag::T_List) {
            let list = self.0.pointer.cast::<pg_sys::List>();
            // SAFETY: the tag tells that it is a List.
            cells = unsafe { (*list).elements };
            // SAFETY: the tag tells that it is a List.
            count = usize::try_from(unsafe { (*list).length }).unwrap_or(0);
        }
        (0..count).map(move |index| {
            // SAFETY: a list has `length` cells from `elements` on (pg_list.h).
            let cell = unsafe { cells.add(index) };
            // SAFETY: the cells of a T_List are pointers to nodes.
            unsafe { Slot::new(cell.cast()) }
        })
    }

    /// The nodes of the list.
    pub fn iter(self) -> impl Iterator<Item = NodeRef<'t>> {
        self.slots().map(Slot::node)
    }

    /// The nodes of the list.
    pub fn to_vec(self) -> Vec<NodeRef<'t>> {
        self.iter().collect()
    }
}

/// A pointer of a tree that points to a node or is null.
#[derive(Clone, Copy)]
pub struct Slot<'t> {
    pointer: *mut *mut Node,
    tree: Tree<'t>,
}

impl<'t> Slot<'t> {
    /// # Safety
    /// The pointer is a member, or a cell of a list, in a tree that lives for `'t`; it points to a node or null.
    pub(super) unsafe fn new(pointer: *mut *mut Node) -> Self {
        Slot {
            pointer,
            tree: PhantomData,
        }
    }

    pub fn node(self) -> NodeRef<'t> {
        // SAFETY: `new` was promised a member of a living tree.
        let node = unsafe { *self.pointer };
        // SAFETY: the node belongs to the tree of the slot.
        unsafe { NodeRef::new(node) }
    }

    /// Replaces a sub-select by another expression. A slot with any other node stays as it is: its member may have another
    /// type than an expression's.
    pub fn replace_sub_select(self, expression: NodeRef<'t>) {
        if self.node().tag() == Some(NodeTag::T_SubLink) {
            // SAFETY: `new` was promised a member of a living tree; the expression lives as long, and no reference into the
            // tree exists.
            unsafe { *self.pointer = expression.pointer };
        }
    }
}
