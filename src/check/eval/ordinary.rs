//! Whether an ordinary user satisfies an expression, whatever the row.
//!
//! There is an ordinary user who satisfies a condition that some do and others do not, such as `email LIKE '%@example.com'`.

use std::cell::RefCell;

use crate::pg::nodes::NodeRef;

/// The conditions whose two results are both tried.
const MAX_CHOICES: usize = 4;

/// An ordinary user, in one run.
pub struct Ordinary<'t> {
    /// Whether the user has rows in the tables that sub-selects read, although in none that belongs to the current row.
    pub is_member: bool,
    /// Whether the row is one of another user, whose columns are not NULL.
    pub is_elsewhere: bool,
    /// Whether the user is one of whom no row is, and who writes the own claims.
    pub is_stranger: bool,
    /// For each choice, whether it is false.
    mask: usize,
    choices: RefCell<Vec<Choice<'t>>>,
}

/// What is true of some users and not of others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice<'t> {
    Condition(NodeRef<'t>),
    SortsFirst,
}

impl<'t> Ordinary<'t> {
    pub fn new(is_member: bool, is_elsewhere: bool, mask: usize) -> Self {
        Ordinary {
            is_member,
            is_elsewhere,
            is_stranger: false,
            mask,
            choices: RefCell::default(),
        }
    }

    pub fn stranger() -> Self {
        Ordinary {
            is_stranger: true,
            ..Ordinary::new(false, false, 0)
        }
    }

    /// The result of a condition that some users satisfy.
    pub fn choice(&self, condition: NodeRef<'t>) -> bool {
        self.chooses(Choice::Condition(condition))
    }

    /// Whether the user id sorts before those of all other users, and not behind them.
    pub fn sorts_first(&self) -> bool {
        self.chooses(Choice::SortsFirst)
    }

    fn chooses(&self, choice: Choice<'t>) -> bool {
        let mut choices = self.choices.borrow_mut();
        let index = choices
            .iter()
            .position(|other| *other == choice)
            .unwrap_or(choices.len());
        if index == choices.len() && index < MAX_CHOICES {
            choices.push(choice);
        }
        self.mask >> index & 1 == 0
    }

    /// The number of runs in which all ways to choose are tried.
    pub fn runs(&self) -> usize {
        1 << self.choices.borrow().len()
    }
}
