//! An abstract interpreter for the expressions of policies, over a logic of several values.
//!
//! | module | what it owns |
//! |---|---|
//! | [`expression`] | an expression, and what it was found to be |
//! | [`domain`] | the values |
//! | [`pairs`] | sets of what an expression can be in an anonymous and in an authenticated session |
//! | [`boolean`] | AND, OR, NOT, tests, COALESCE, CASE |
//! | [`call`], [`array`] | functions and operators, and operators of arrays |
//! | [`sub_select`], [`source`], [`from_clause`] | sub-selects, and the queries in their FROM and WITH |
//! | [`aliases`] | columns that stand for expressions |
//! | [`types`] | the types of expressions |
//! | [`facts`], [`walk`], [`reads`] | what an expression reads, and how it is found before it is evaluated |
//! | [`known`], [`closed`], [`compared`] | values that depend on no row, and expressions that have such values |
//! | [`numbers`], [`texts`], [`patterns`] | numbers, functions of texts, and the patterns of LIKE and regular expressions |
//! | [`tautology`], [`bare_select`] | comparisons with one result, and sub-selects that only wrap an expression |
//! | [`null_columns`] | columns of the row that an expression tests for NULL |
//! | [`ordinary`], [`claims`], [`token`] | ordinary users, and what their tokens contain |
//! | [`stranger`], [`writable`] | strangers to a row, and the claims that they can write |
//! | [`by_row`] | what the row alone permits |
//! | [`membership`], [`apart`], [`branches`], [`table`] | sub-selects that do not depend on the row, and the table of the policy |
//! | [`row`] | parts that do not read the identity |
//! | [`repeated`] | conditions that an expression contains more than once |
//!
//! Nothing of the expression is run: it may call functions of the policy's author, and an administrator runs the checker.
//! A part that does not read the identity is the same in both sessions; a part that is not evaluated can be anything.

pub mod aliases;
mod apart;
mod array;
pub mod bare_select;
mod boolean;
mod branches;
pub mod by_row;
mod call;
mod claims;
mod closed;
mod compared;
mod domain;
pub mod expression;
pub mod facts;
mod from_clause;
mod known;
mod membership;
mod null_columns;
mod numbers;
pub mod ordinary;
pub mod pairs;
mod patterns;
pub mod reads;
mod repeated;
mod row;
mod source;
mod stranger;
mod sub_select;
pub mod table;
mod tautology;
mod texts;
mod token;
mod types;
mod walk;
pub mod writable;

use std::collections::HashMap;

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::check::eval::domain::Value::{JsonNull, Null, Other};
use crate::check::eval::domain::Values;
use crate::check::eval::facts::Facts;
use crate::check::eval::from_clause::Aliased;
use crate::check::eval::known::Known;
use crate::check::eval::null_columns::NullColumns;
use crate::check::eval::ordinary::Ordinary;
use crate::check::eval::pairs::Pairs;
use crate::check::eval::reads::Reader;
use crate::check::eval::repeated::{Assignment, Repeated};
use crate::check::eval::table::Table;
use crate::check::who::Who;
use crate::pg::nodes::{self, Kind, NodeRef, View};

/// The evaluation of one expression, in one run or in several.
struct Evaluator<'e, 't> {
    readers: &'t [Reader],
    facts: &'e Facts<'t>,
    who: &'e Who,
    table: Table<'t>,
    /// The ordinary user whose session is evaluated, and not an anonymous and an authenticated one.
    ordinary: Option<&'e Ordinary<'t>>,
    /// Whether known values are those of an anonymous session.
    is_anonymous: bool,
    null_columns: NullColumns<'e>,
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
    /// Whether a part of a condition on the row is being evaluated.
    is_inside_condition: bool,
    /// What conditions on the row can be.
    folded: HashMap<NodeRef<'t>, Values>,
    /// What was found of expressions that columns stand for, and of queries in FROM and WITH.
    aliased: Aliased<'t>,
}

impl<'e, 't> Evaluator<'e, 't> {
    fn new(
        readers: &'t [Reader],
        facts: &'e Facts<'t>,
        who: &'e Who,
        table: Table<'t>,
        null_columns: NullColumns<'e>,
        is_optimistic: bool,
    ) -> Self {
        Evaluator {
            readers,
            facts,
            who,
            table,
            ordinary: None,
            is_anonymous: false,
            null_columns,
            is_optimistic,
            repeated: None,
            assignment: Assignment::default(),
            assigned: 0,
            known: HashMap::new(),
            conditions: Vec::new(),
            columns: Vec::new(),
            depth: 0,
            is_inside_condition: false,
            folded: HashMap::new(),
            aliased: Aliased::default(),
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
        if self.is_stranger() {
            if let Some(pairs) = self.value_of_stranger(node) {
                return pairs;
            }
            if self.mentions(node) > 0 {
                return Pairs::same(self.value_of_part(node).authenticated());
            }
        }
        self.value_of_part(node)
    }

    fn value_of_part(&mut self, node: NodeRef<'t>) -> Pairs {
        if self.mentions(node) == 0 {
            return self.independent(node);
        }
        if let Some(pairs) = self.known.get(&node) {
            return *pairs;
        }
        if let Some(ordinary) = self.ordinary
            && let Some(known) = self.known(node)
        {
            return Pairs::same(match known {
                Known::Null => Null.into(),
                Known::Boolean(is_true) if types::is_boolean(node) => Values::boolean(is_true),
                _ if types::is_boolean(node) => Values::boolean(ordinary.choice(node)),
                _ => Other.into(),
            });
        }
        if let Some(pairs) = self.membership_of_condition(node) {
            return pairs;
        }
        let assigned = self.assigned;
        let pairs = self.dependent(node);
        let pairs = self
            .without_identity(node)
            .map_or(pairs, |value| pairs.with_anonymous(value));
        if self.repeated.is_some() && assigned == self.assigned {
            self.known.insert(node, pairs);
        }
        pairs
    }

    /// The value of a part, from those of the parts below it.
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
            Kind::Var(column) => {
                if let Some(target) = self.facts.alias(node) {
                    return self.aliased(target);
                }
                let filled = types::filled(node);
                let is_of_row = self.facts.is_of_row(node);
                Pairs::same(self.null_columns.value(column, is_of_row)).map(|value| match value {
                    Other => filled,
                    value => value.into(),
                })
            }
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
