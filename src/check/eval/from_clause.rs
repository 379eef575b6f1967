//! What is known of FROM, and of the expressions that columns of queries in FROM and WITH stand for.
//!
//! Many columns can stand for one expression, and many entries for one query. Each is therefore evaluated once.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::check::eval::domain::Value::{False, True};
use crate::check::eval::known::Known;
use crate::check::eval::pairs::Pairs;
use crate::pg::nodes::NodeRef;

pub const TRUE: Pairs = Pairs::one(True, True);
pub const FALSE: Pairs = Pairs::one(False, False);

/// What was found of expressions that columns stand for, and of queries in FROM and WITH.
#[derive(Default)]
pub struct Aliased<'t> {
    pub(super) values: HashMap<NodeRef<'t>, Pairs>,
    /// The same, of values that depend on no row; for anonymous sessions apart.
    pub(super) known: RefCell<HashMap<(NodeRef<'t>, bool), Option<Known>>>,
    pub(super) queries: HashMap<NodeRef<'t>, From>,
}

/// What matters of a FROM.
#[derive(Clone, Copy)]
pub struct From {
    /// Whether a row counts.
    pub condition: Pairs,
    /// How often the evaluated parts read the identity.
    pub evaluated: usize,
    /// Whether there is one row, if it counts.
    pub is_single: bool,
}

impl From {
    /// A table of which nothing is known.
    pub const TABLE: From = From {
        condition: TRUE,
        evaluated: 0,
        is_single: false,
    };

    /// No table, and so one row.
    pub const NOTHING: From = From {
        is_single: true,
        ..From::TABLE
    };

    pub fn and(self, other: From) -> From {
        From {
            condition: self.condition.and(other.condition),
            evaluated: self.evaluated + other.evaluated,
            is_single: self.is_single && other.is_single,
        }
    }
}
