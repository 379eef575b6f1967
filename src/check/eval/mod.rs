//! An abstract interpreter for the expressions of policies, over a logic of several values.
//!
//! | module | what it owns |
//! |---|---|
//! | [`expression`] | an expression, and what it was found to be |
//! | [`domain`] | the values |
//! | [`pairs`] | sets of what an expression can be in an anonymous and in an authenticated session |
//! | [`boolean`] | AND, OR, NOT, tests, COALESCE, CASE |
//! | [`call`], [`array`] | functions and operators, and operators of arrays |
//! | [`sub_select`] | sub-selects |
//! | [`types`] | the types of expressions |
//! | [`facts`] | what an expression reads, found before it is evaluated |
//! | [`repeated`] | conditions that an expression contains more than once |
//!
//! Nothing of the expression is run: it may call functions of the policy's author, and an administrator runs the checker.
//! A part that does not read the identity is the same in both sessions; a part that is not evaluated can be anything.

mod array;
mod boolean;
mod call;
mod domain;
pub mod expression;
pub mod facts;
pub mod pairs;
mod repeated;
mod sub_select;
mod types;

use std::collections::HashMap;

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::check::eval::domain::Value::{False, JsonNull, Null, Other, True};
use crate::check::eval::domain::{Value, Values};
use crate::check::eval::facts::{Facts, Reader};
use crate::check::eval::pairs::Pairs;
use crate::check::eval::repeated::{Assignment, Repeated};
use crate::pg::nodes::{self, Kind, NodeRef, View};

/// The evaluation of one expression, in one run or in several.
struct Evaluator<'e, 't> {
    readers: &'t [Reader],
    facts: &'e Facts<'t>,
    is_optimistic: bool,
    /// Conditions that have an assigned value in this run, and their values.
    repeated: Option<&'e Repeated<'t>>,
    assignment: Assignment,
    /// How often such a condition was evaluated, in all runs.
    assigned: usize,
    /// Results that do not depend on the assigned values, for the next runs.
    known: HashMap<NodeRef<'t>, Pairs>,
    /// The conditions on the row that were evaluated.
    conditions: Vec<NodeRef<'t>>,
    /// For each comparison with a sub-select that is being evaluated: what the columns of the sub-select can be, and whether
    /// that depends on the identity.
    columns: Vec<(Vec<Pairs>, bool)>,
    /// The number of sub-selects around the current node.
    depth: usize,
}

impl<'e, 't> Evaluator<'e, 't> {
    fn new(readers: &'t [Reader], facts: &'e Facts<'t>, is_optimistic: bool) -> Self {
        Evaluator {
            readers,
            facts,
            is_optimistic,
            repeated: None,
            assignment: Assignment::default(),
            assigned: 0,
            known: HashMap::new(),
            conditions: Vec::new(),
            columns: Vec::new(),
            depth: 0,
        }
    }

    /// How often a part of the expression reads the identity.
    fn mentions(&self, node: NodeRef<'t>) -> usize {
        let with_columns = self.columns.last().is_some_and(|(_, of_identity)| *of_identity);
        self.facts.mentions_in(node, with_columns)
    }

    fn value(&mut self, node: NodeRef<'t>) -> Pairs {
        check_for_interrupts!();
        if nodes::is_too_deep() {
            return Pairs::free(Values::BOOLEAN, Values::BOOLEAN);
        }
        if self.mentions(node) == 0 {
            return self.independent(node);
        }
        if let Some(pairs) = self.known.get(&node) {
            return *pairs;
        }
        let assigned = self.assigned;
        let pairs = self.dependent(node);
        if self.repeated.is_some() && assigned == self.assigned {
            self.known.insert(node, pairs);
        }
        pairs
    }

    /// The value of a part that reads the identity.
    fn dependent(&mut self, node: NodeRef<'t>) -> Pairs {
        match node.kind() {
            Kind::FuncExpr(call) => self.function(call),
            Kind::OpExpr(operator) => self.operator(operator),
            Kind::DistinctExpr(operator) => self.distinct(operator),
            Kind::NullIfExpr(operator) => self.null_if(operator),
            Kind::ScalarArrayOpExpr(operator) => self.scalar_array(operator),
            Kind::BoolExpr(boolean) => self.boolean(boolean),
            Kind::NullTest(test) => self.null_test(test),
            Kind::BooleanTest(test) => self.boolean_test(test),
            Kind::CoalesceExpr(coalesce) => self.first_of(coalesce.args()),
            Kind::MinMaxExpr(min_max) => self.first_of(min_max.args()),
            Kind::CaseExpr(case) => self.case(case),
            Kind::Param(parameter) => self.column(parameter),
            Kind::SubLink(link) => self.sub_select(link),
            Kind::ArrayExpr(_) | Kind::RowExpr => Pairs::one(Other, Other),
            Kind::RelabelType(it) => self.converted(node, it.arg()),
            Kind::CoerceViaIO(it) => self.converted(node, it.arg()),
            Kind::ArrayCoerceExpr(it) => self.converted(node, it.arg()),
            Kind::CollateExpr(it) => self.converted(node, it.arg()),
            Kind::CoerceToDomain(it) => self.converted(node, it.arg()),
            Kind::SubscriptingRef(it) => {
                let filled = types::filled(node);
                self.value(it.refexpr()).map(|container| match container {
                    Null | JsonNull => Null.into(),
                    _ => filled.with(Null),
                })
            }
            _ => self.unknown(node),
        }
    }

    /// The value of a part that does not read the identity, which is the same in both sessions.
    fn independent(&mut self, node: NodeRef<'t>) -> Pairs {
        match node.kind() {
            Kind::Null => return Pairs::same(Values::BOOLEAN),
            Kind::Const(constant) => return Pairs::same(value_of(constant).into()),
            _ if !types::is_boolean(node) => return Pairs::same(Values::ANY),
            // The columns of a sub-select may be of another row each time.
            _ if self.depth > 0 => return Pairs::same(Values::BOOLEAN),
            _ => {}
        }
        let Some(repeated) = self.repeated else {
            self.conditions.push(node);
            return Pairs::same(Values::BOOLEAN);
        };
        match repeated.value(node, self.assignment) {
            Some(value) => {
                self.assigned += 1;
                Pairs::same(value.into())
            }
            None => Pairs::same(Values::BOOLEAN),
        }
    }

    /// The value of a part that is not evaluated.
    fn unknown(&self, node: NodeRef<'t>) -> Pairs {
        let anything = types::filled(node).with(Null);
        Pairs::free(if self.is_optimistic { Null.into() } else { anything }, anything)
    }

    fn converted(&mut self, node: NodeRef<'t>, argument: NodeRef<'t>) -> Pairs {
        let to = types::Target::of(node);
        self.value(argument).map(|value| to.convert(value))
    }

    /// The value of a parameter that represents a column of a sub-select.
    fn column(&mut self, parameter: View<'t, pg_sys::Param>) -> Pairs {
        let column = usize::try_from(parameter.paramid())
            .ok()
            .and_then(|it| it.checked_sub(1));
        let columns = self.columns.last();
        column
            .and_then(|index| columns?.0.get(index))
            .copied()
            .unwrap_or_else(|| self.unknown(parameter.node()))
    }

    /// Evaluates a part of a sub-select.
    fn inside<R>(&mut self, evaluate: impl FnOnce(&mut Self) -> R) -> R {
        self.depth += 1;
        let result = evaluate(self);
        self.depth -= 1;
        result
    }

    /// Evaluates a comparison with the columns of a sub-select.
    fn with_columns<R>(&mut self, columns: Vec<Pairs>, evaluate: impl FnOnce(&mut Self) -> R) -> R {
        let of_identity = columns.iter().any(|column| column.depends_on_identity());
        self.columns.push((columns, of_identity));
        let result = evaluate(self);
        self.columns.pop();
        result
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
