//! AND and OR, tests for NULL, COALESCE and CASE in a policy: what they give to nobody and to somebody.

use pgrx::pg_sys::{self, BoolExprType, BoolTestType, Node, NodeTag, NullTestType};

use crate::check::call;
use crate::check::expression::Judge;
use crate::check::truth::Value::{False, JsonNull, Null, True};
use crate::check::truth::{Pairs, Values};
use crate::pg::nodes::{elements, is, typed};

impl Judge<'_> {
    /// IS DISTINCT FROM, NULLIF.
    pub(super) fn of_two(&mut self, node: *mut Node) -> Pairs {
        // SAFETY: its tag says so; both are this type.
        let arguments = elements(unsafe { typed::<pg_sys::OpExpr>(node) }.args);
        let [a, b] = arguments[..] else {
            return self.unknown(node);
        };
        let (a, b) = (self.value(a), self.value(b));
        if is(node, NodeTag::T_NullIfExpr) {
            return a.zip(b, |a, b| {
                if b == Null {
                    a.into()
                } else {
                    Values::from(a).with(Null)
                }
            });
        }
        a.zip(b, |a, b| match (a, b) {
            (Null, Null) => False.into(),
            (Null, _) | (_, Null) => True.into(),
            _ => Values::of(&[True, False]),
        })
    }

    pub(super) fn boolean(&mut self, node: *mut Node) -> Pairs {
        // SAFETY: its tag says so.
        let it = unsafe { typed::<pg_sys::BoolExpr>(node) };
        let parts: Vec<Pairs> = elements(it.args).into_iter().map(|part| self.value(part)).collect();
        match it.boolop {
            BoolExprType::AND_EXPR => Pairs::and_of(parts),
            BoolExprType::OR_EXPR => Pairs::or_of(parts),
            _ => parts.first().copied().map(Pairs::not),
        }
        .unwrap_or_else(|| self.unknown(node))
    }

    /// IS NULL, IS TRUE and the like.
    pub(super) fn test(&mut self, node: *mut Node) -> Pairs {
        if is(node, NodeTag::T_BooleanTest) {
            // SAFETY: its tag says so.
            let it = unsafe { typed::<pg_sys::BooleanTest>(node) };
            let (wanted, is_wanted) = match it.booltesttype {
                BoolTestType::IS_TRUE => (True, true),
                BoolTestType::IS_NOT_TRUE => (True, false),
                BoolTestType::IS_FALSE => (False, true),
                BoolTestType::IS_NOT_FALSE => (False, false),
                BoolTestType::IS_UNKNOWN => (Null, true),
                _ => (Null, false),
            };
            return self
                .value(it.arg.cast())
                .map(|value| call::truth((value == wanted) == is_wanted));
        }
        // SAFETY: its tag says so.
        let it = unsafe { typed::<pg_sys::NullTest>(node) };
        if it.argisrow {
            return self.unknown(node);
        }
        let value = self.value(it.arg.cast());
        if it.nulltesttype == NullTestType::IS_NULL {
            return value.map(|value| call::truth(value == Null));
        }
        // The JSON null is not NULL: who asks whether auth.session() IS NOT NULL lets everybody in and means otherwise.
        let meant = value.each().map(|(nobody, somebody)| match nobody {
            JsonNull => Pairs::one(True, False),
            _ => Pairs::one(nobody, somebody).map(|value| call::truth(value != Null)),
        });
        meant.fold(Pairs::NONE, Pairs::or_else)
    }

    /// COALESCE, GREATEST, LEAST.
    pub(super) fn first_of(&mut self, node: *mut Node) -> Pairs {
        let is_coalesce = is(node, NodeTag::T_CoalesceExpr);
        let arguments = if is_coalesce {
            // SAFETY: its tag says so.
            unsafe { typed::<pg_sys::CoalesceExpr>(node) }.args
        } else {
            // SAFETY: its tag says so.
            unsafe { typed::<pg_sys::MinMaxExpr>(node) }.args
        };
        let mut all = Pairs::one(Null, Null);
        for argument in elements(arguments) {
            all = all.zip(self.value(argument), |before, this| match before {
                Null => this.into(),
                _ => before.into(),
            });
        }
        all
    }

    pub(super) fn case(&mut self, node: *mut Node) -> Pairs {
        // SAFETY: its tag says so.
        let it = unsafe { typed::<pg_sys::CaseExpr>(node) };
        let compared = (!it.arg.is_null()).then(|| self.value(it.arg.cast()));
        let mut all = match it.defresult.is_null() {
            true => Pairs::one(Null, Null),
            false => self.value(it.defresult.cast()),
        };
        for when in elements(it.args).into_iter().rev() {
            // SAFETY: the arguments of a CASE are nothing but these.
            let when = unsafe { typed::<pg_sys::CaseWhen>(when) };
            let condition = match compared {
                None => self.value(when.expr.cast()),
                // `argument = value`, with a place-holder for the argument.
                Some(argument) if is(when.expr.cast(), NodeTag::T_OpExpr) => {
                    // SAFETY: its tag says so.
                    let call = unsafe { typed::<pg_sys::OpExpr>(when.expr.cast()) };
                    match elements(call.args)[..] {
                        [_, value] => argument.zip(self.value(value), call::compared),
                        _ => return self.unknown(node),
                    }
                }
                Some(_) => return self.unknown(node),
            };
            all = condition.choose(self.value(when.result.cast()), all);
        }
        all
    }
}
