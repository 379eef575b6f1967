//! A stranger to the row: an ordinary user who is neither its owner nor connected with it by other tables, and who writes the
//! own claims.
//!
//! The two sessions of a pair are then those of one such user with two values of these claims.

use pgrx::pg_sys::{self, SubLinkType};

use crate::check::eval::Evaluator;
use crate::check::eval::domain::Value::{False, Null};
use crate::check::eval::domain::Values;
use crate::check::eval::known::{Known, turned};
use crate::check::eval::pairs::Pairs;
use crate::check::eval::types::filled;
use crate::pg::nodes::{Kind, NodeRef, View};

impl<'t> Evaluator<'_, 't> {
    pub(super) fn is_stranger(&self) -> bool {
        self.ordinary.is_some_and(|ordinary| ordinary.is_stranger)
    }

    /// The value of a part that a stranger's own claims determine, or that they do not affect; None for the others.
    pub(super) fn value_of_stranger(&mut self, node: NodeRef<'t>) -> Option<Pairs> {
        if self.facts.is_writable(node) {
            let anything = filled(node).with(Null);
            return Some(Pairs::free(anything, anything));
        }
        let is_column_affected = self.columns.last().is_some_and(|(_, is_affected)| *is_affected);
        if self.facts.writes_in(node) > 0 || is_column_affected && self.facts.reads_columns(node) {
            return Some(self.dependent(node));
        }
        None
    }

    /// Whether the row is one of another user.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.ordinary.is_some_and(|it| it.is_stranger || it.is_elsewhere)
    }

    /// `auth.user_id() = owner` is not true of the row of another user. `auth.user_id() < owner` is, for one user or another.
    pub(super) fn compared_with_row(&mut self, operator: &[u8], arguments: &[NodeRef<'t>]) -> Option<Pairs> {
        let column = self.column_of_another(arguments)?;
        let operator = if arguments.first() == Some(&column) {
            turned(operator)
        } else {
            operator
        };
        let is_true = match (operator, self.ordinary) {
            (b"=" | b"~~" | b"~~*", _) => false,
            (b"<>" | b"!~~" | b"!~~*", _) => true,
            (b"<" | b"<=", Some(user)) if !user.is_stranger => user.sorts_first(),
            (b">" | b">=", Some(user)) if !user.is_stranger => !user.sorts_first(),
            _ => return None,
        };
        Some(self.value(column).map(|value| match value {
            Null => Null.into(),
            _ => Values::boolean(is_true),
        }))
    }

    /// The column that a comparison of the identity with a row of another user reads.
    pub(super) fn column_of_another(&self, arguments: &[NodeRef<'t>]) -> Option<NodeRef<'t>> {
        let [a, b] = *arguments else {
            return None;
        };
        let is_own = |identity, column| self.is_personal(identity) && self.is_column_of_row(column);
        match () {
            () if !self.is_elsewhere() => None,
            () if is_own(a, b) => Some(b),
            () if is_own(b, a) => Some(a),
            () => None,
        }
    }

    pub(super) fn is_personal(&self, node: NodeRef<'t>) -> bool {
        self.known(node) == Some(Known::Personal)
    }

    fn is_column_of_row(&self, node: NodeRef<'t>) -> bool {
        match node.kind() {
            Kind::Var(_) => match self.facts.alias(node) {
                Some(target) => self.is_column_of_row(target),
                None => self.facts.is_of_row(node),
            },
            Kind::RelabelType(it) => self.is_column_of_row(it.arg()),
            Kind::CoerceViaIO(it) => self.is_column_of_row(it.arg()),
            _ => false,
        }
    }

    /// A sub-select that connects users with rows finds nothing for a stranger.
    pub(super) fn unconnected(&self, link: View<'t, pg_sys::SubLink>) -> Option<Pairs> {
        let node = link.node();
        if !self.is_stranger() || self.facts.writes_in(node) > 0 || !self.facts.reads_table(node) {
            return None;
        }
        match link.subLinkType() {
            SubLinkType::EXISTS_SUBLINK | SubLinkType::ANY_SUBLINK => Some(Pairs::one(False, False)),
            SubLinkType::EXPR_SUBLINK => Some(Pairs::one(Null, Null)),
            _ => None,
        }
    }
}
