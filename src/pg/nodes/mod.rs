//! PostgreSQL's query and expression trees (`src/include/nodes`) behind types that safe code can read.
//!
//! | module | what it owns |
//! |---|---|
//! | [`reference`] | a node, a list of nodes, and a slot that points to a node |
//! | [`kinds`] | the type of a node, and its members |
//! | [`constants`] | the values of constants |
//! | [`names`] | names that a tree contains |
//! | [`children`] | the children of an expression, as the planner hook needs them |
//! | [`walker`] | the children of any node, by PostgreSQL's own walker |
//! | [`expressions`] | what PostgreSQL's functions say about an expression |
//!
//! The lifetime `'t` is that of the tree. Members are read one by one, and no reference into a tree ever exists.

mod children;
mod constants;
mod expressions;
mod kinds;
mod names;
mod reference;
mod walker;

pub use pgrx::pg_sys::Query;

pub use children::each_child;
pub use constants::MICROSECONDS_OF_DAY;
pub use expressions::one_level_up;
pub use kinds::{Kind, View};
pub use reference::{List, NodeRef, Slot};
pub use walker::walk_children;

// Not through pgrx, whose guard against errors costs more than the call: it compares an address with a limit.
unsafe extern "C" {
    safe fn stack_is_too_deep() -> bool;
}

/// Whether the stack is too full to descend further into a tree.
pub fn is_too_deep() -> bool {
    stack_is_too_deep()
}
