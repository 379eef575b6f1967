//! Parts that do not read the identity, such as conditions on the row; and conditions in a session without an identity.

use pgrx::pg_sys;

use crate::check::eval::domain::Value::{False, Null, Other, True};
use crate::check::eval::domain::{Value, Values};
use crate::check::eval::known::Known;
use crate::check::eval::pairs::Pairs;
use crate::check::eval::{Evaluator, types};
use crate::pg::nodes::{Kind, NodeRef, View};

impl<'t> Evaluator<'_, 't> {
    /// What a condition is without an identity, if that is known: `coalesce(auth.role(), '') = 'admin'` is false.
    pub(super) fn without_identity(&mut self, node: NodeRef<'t>) -> Option<Value> {
        if self.ordinary.is_some() || !types::is_condition(node) {
            return None;
        }
        self.is_anonymous = true;
        let known = self.known(node);
        self.is_anonymous = false;
        match known? {
            Known::Null => Some(Null),
            Known::Boolean(true) => Some(True),
            Known::Boolean(false) => Some(False),
            _ => None,
        }
    }

    /// The value of a part that does not read the identity, which is the same in both sessions.
    pub(super) fn independent(&mut self, node: NodeRef<'t>) -> Pairs {
        match node.kind() {
            Kind::Null => return Pairs::same(Values::BOOLEAN),
            Kind::Const(constant) => return Pairs::same(value_of(constant).into()),
            Kind::Param(_) => return Pairs::same(types::filled(node).with(Null)),
            _ => {}
        }
        let values = self.folded(node);
        // A part of a condition is not counted; the columns of a sub-select may be of another row each time.
        let is_part = self.is_inside_condition || self.depth > 0 || !types::is_boolean(node);
        if is_part || values.each().count() == 1 {
            return Pairs::same(values);
        }
        let Some(repeated) = self.repeated else {
            self.conditions.push(node);
            return Pairs::same(values);
        };
        match repeated.value(node, self.assignment) {
            Some(value) if values.each().any(|possible| possible == value) => {
                self.assigned += 1;
                Pairs::same(value.into())
            }
            Some(_) => {
                self.assigned += 1;
                Pairs::NONE
            }
            None => Pairs::same(values),
        }
    }

    /// What a condition on the row, or a part of it, can be.
    fn folded(&mut self, node: NodeRef<'t>) -> Values {
        if let Some(values) = self.folded.get(&node) {
            return *values;
        }
        let values = match self.known(node) {
            Some(Known::Null) => Null.into(),
            Some(Known::Boolean(is_true)) if types::is_boolean(node) => Values::boolean(is_true),
            Some(_) => types::filled(node),
            None => {
                let before = std::mem::replace(&mut self.is_inside_condition, true);
                let pairs = self.dependent(node);
                self.is_inside_condition = before;
                pairs.authenticated()
            }
        };
        self.folded.insert(node, values);
        values
    }
}

fn value_of(constant: View<'_, pg_sys::Const>) -> Value {
    match constant.boolean() {
        _ if constant.constisnull() => Null,
        None => Other,
        Some(true) => True,
        Some(false) => False,
    }
}
