//! AND, OR and NOT, tests for NULL and for booleans, COALESCE and CASE.

use pgrx::pg_sys::{self, BoolExprType, BoolTestType, NullTestType};

use crate::check::eval::domain::Value::{False, JsonNull, Null, True};
use crate::check::eval::domain::Values;
use crate::check::eval::known::Known;
use crate::check::eval::pairs::Pairs;
use crate::check::eval::{Evaluator, call};
use crate::pg::catalog;
use crate::pg::nodes::{Kind, List, NodeRef, View};

impl<'t> Evaluator<'_, 't> {
    /// IS DISTINCT FROM.
    pub(super) fn distinct(&mut self, operator: View<'t, pg_sys::OpExpr>) -> Pairs {
        let [a, b] = operator.args().to_vec()[..] else {
            return self.unknown(operator.node());
        };
        if self.column_of_another(&[a, b]).is_some() {
            return Pairs::same(True.into());
        }
        let (a, b) = (self.value(a), self.value(b));
        a.zip(b, |a, b| match (a, b) {
            (Null, Null) => False.into(),
            (Null, _) | (_, Null) => True.into(),
            _ => Values::of(&[True, False]),
        })
    }

    pub(super) fn null_if(&mut self, operator: View<'t, pg_sys::OpExpr>) -> Pairs {
        let [a, b] = operator.args().to_vec()[..] else {
            return self.unknown(operator.node());
        };
        if self.column_of_another(&[a, b]).is_some() {
            return self.value(a);
        }
        let (a, b) = (self.value(a), self.value(b));
        a.zip(b, |a, b| match b {
            Null => a.into(),
            _ => Values::from(a).with(Null),
        })
    }

    pub(super) fn boolean(&mut self, boolean: View<'t, pg_sys::BoolExpr>) -> Pairs {
        let parts: Vec<Pairs> = boolean.args().iter().map(|part| self.value(part)).collect();
        match boolean.boolop() {
            BoolExprType::AND_EXPR => Pairs::and_of(parts),
            BoolExprType::OR_EXPR => Pairs::or_of(parts),
            _ => parts.first().copied().map(Pairs::not),
        }
        .unwrap_or_else(|| self.unknown(boolean.node()))
    }

    /// IS TRUE and its siblings.
    pub(super) fn boolean_test(&mut self, test: View<'t, pg_sys::BooleanTest>) -> Pairs {
        let (wanted, is_wanted) = match test.booltesttype() {
            BoolTestType::IS_TRUE => (True, true),
            BoolTestType::IS_NOT_TRUE => (True, false),
            BoolTestType::IS_FALSE => (False, true),
            BoolTestType::IS_NOT_FALSE => (False, false),
            BoolTestType::IS_UNKNOWN => (Null, true),
            _ => (Null, false),
        };
        self.value(test.arg())
            .map(|value| Values::boolean((value == wanted) == is_wanted))
    }

    /// IS NULL and IS NOT NULL.
    pub(super) fn null_test(&mut self, test: View<'t, pg_sys::NullTest>) -> Pairs {
        if test.argisrow() {
            return self.unknown(test.node());
        }
        let value = self.value(test.arg());
        if test.nulltesttype() == NullTestType::IS_NULL {
            return value.map(|value| Values::boolean(value == Null));
        }
        // The JSON null is not NULL. A policy `auth.session() IS NOT NULL` is true in every session, against its intent.
        let intended = value.each().map(|(anonymous, authenticated)| match anonymous {
            JsonNull => Pairs::one(True, False),
            _ => Pairs::one(anonymous, authenticated).map(|value| Values::boolean(value != Null)),
        });
        intended.fold(Pairs::NONE, Pairs::or_else)
    }

    /// COALESCE, GREATEST, LEAST.
    pub(super) fn first_of(&mut self, arguments: List<'t>) -> Pairs {
        let mut all = Pairs::one(Null, Null);
        for argument in arguments.iter() {
            all = all.zip(self.value(argument), |before, this| match before {
                Null => this.into(),
                _ => before.into(),
            });
        }
        all
    }

    /// Whether `CASE argument WHEN value` is taken, if that is known.
    fn known_case(
        &self,
        argument: NodeRef<'t>,
        equality: View<'t, pg_sys::OpExpr>,
        value: NodeRef<'t>,
    ) -> Option<bool> {
        let name = catalog::builtin_operator(equality.opno())?;
        match self.compared(&name, &self.known(argument)?, &self.known(value)?)? {
            Known::Boolean(is_true) => Some(is_true),
            Known::Null => Some(false),
            _ => None,
        }
    }

    pub(super) fn case(&mut self, case: View<'t, pg_sys::CaseExpr>) -> Pairs {
        let compared = (!case.arg().is_null()).then(|| self.value(case.arg()));
        let mut all = match case.defresult().is_null() {
            true => Pairs::one(Null, Null),
            false => self.value(case.defresult()),
        };
        for when in case.args().to_vec().into_iter().rev() {
            let Kind::CaseWhen(when) = when.kind() else {
                return self.unknown(case.node());
            };
            let condition = match (compared, when.expr().kind()) {
                (None, _) => self.value(when.expr()),
                // `argument = value`, with a placeholder for the argument.
                (Some(argument), Kind::OpExpr(equality)) => match equality.args().to_vec()[..] {
                    [_, value] => match self.known_case(case.arg(), equality, value) {
                        Some(is_true) => Pairs::same(Values::boolean(is_true)),
                        None => argument.zip(self.value(value), call::compared),
                    },
                    _ => return self.unknown(case.node()),
                },
                _ => return self.unknown(case.node()),
            };
            all = condition.choose(self.value(when.result()), all);
        }
        all
    }
}
