//! What a policy's expression can be for nobody and for somebody: PostgreSQL's expression tree over [`Pairs`].
//!
//! Nothing of the expression is run: it may call functions of whoever wrote the policy, and the check-up runs as an
//! administrator. What does not read the identity is the same for both; what is not looked into can be anything.

use std::cell::OnceCell;
use std::collections::HashMap;

use pgrx::pg_sys::{self, List, Node, NodeTag, Oid};
use pgrx::prelude::*;

use crate::check::facts::{Facts, Reader};
use crate::check::repeated::{Assignment, Repeated};
use crate::check::truth::Value::{False, JsonNull, Null, Other, True};
use crate::check::truth::{Pairs, Value, Values};
use crate::check::{call, facts};
use crate::pg::nodes;
use crate::pg::nodes::{elements, is, typed};

/// An expression of a policy, and what was found out about it: each thing once, however many commands and other policies
/// ask.
pub struct Expression<'a> {
    readers: &'a [Reader],
    pub tree: *mut Node,
    pub facts: Facts,
    pairs: OnceCell<Pairs>,
    trusting: OnceCell<Pairs>,
    repeated: OnceCell<Repeated>,
}

impl<'a> Expression<'a> {
    pub fn new(readers: &'a [Reader], tree: *mut Node) -> Self {
        Expression {
            readers,
            tree,
            facts: facts::of(readers, tree),
            pairs: OnceCell::new(),
            trusting: OnceCell::new(),
            repeated: OnceCell::new(),
        }
    }

    /// What it can be.
    pub fn pairs(&self) -> Pairs {
        *self.pairs.get_or_init(|| self.evaluated(false))
    }

    /// What it can be if each function or sub-select that is not looked into gives NULL for nobody.
    pub fn trusting_pairs(&self) -> Pairs {
        *self.trusting.get_or_init(|| self.evaluated(true))
    }

    fn evaluated(&self, trusting: bool) -> Pairs {
        let mut judge = Judge::new(self, trusting);
        let first = judge.value(self.tree);
        let repeated = self.repeated.get_or_init(|| Repeated::among(&judge.atoms));
        if repeated.is_none() {
            return first;
        }
        judge.repeated = Some(repeated);
        let mut all = Pairs::NONE;
        for assignment in repeated.assignments() {
            judge.assignment = assignment;
            all = all.or_else(judge.value(self.tree));
        }
        all
    }
}

pub(super) struct Judge<'a> {
    readers: &'a [Reader],
    facts: &'a Facts,
    trusting: bool,
    /// Conditions that have a given value in this run, and the values.
    repeated: Option<&'a Repeated>,
    assignment: Assignment,
    /// How often such a condition was met, in all runs.
    given: usize,
    /// What the runs found that does not rest on those values.
    kept: HashMap<*mut Node, Pairs>,
    /// Conditions on the row that were met.
    atoms: Vec<*mut Node>,
    /// What the columns of the sub-selects can be whose comparison is being looked at; whether that is of the identity.
    columns: Vec<(Vec<Pairs>, bool)>,
    /// How many sub-selects this is in.
    depth: usize,
}

impl<'a> Judge<'a> {
    fn new(expression: &'a Expression<'a>, trusting: bool) -> Self {
        Judge {
            readers: expression.readers,
            facts: &expression.facts,
            trusting,
            repeated: None,
            assignment: Assignment::default(),
            given: 0,
            kept: HashMap::new(),
            atoms: Vec::new(),
            columns: Vec::new(),
            depth: 0,
        }
    }

    pub(super) fn mentions(&self, node: *mut Node) -> usize {
        let with_columns = self.columns.last().is_some_and(|(_, of_identity)| *of_identity);
        self.facts.mentions_in(node, with_columns)
    }

    pub(super) fn value(&mut self, node: *mut Node) -> Pairs {
        check_for_interrupts!();
        if nodes::is_too_deep() {
            return Pairs::free(Values::BOOLEAN, Values::BOOLEAN);
        }
        if self.mentions(node) == 0 {
            return self.atom(node);
        }
        if let Some(pairs) = self.kept.get(&node) {
            return *pairs;
        }
        let given = self.given;
        let pairs = self.looked_into(node);
        if self.repeated.is_some() && given == self.given {
            self.kept.insert(node, pairs);
        }
        pairs
    }

    fn looked_into(&mut self, node: *mut Node) -> Pairs {
        // SAFETY: a node that reads the identity is not null.
        match unsafe { (*node).type_ } {
            NodeTag::T_FuncExpr => self.function(node),
            NodeTag::T_OpExpr => {
                // SAFETY: its tag says so.
                let it = unsafe { typed::<pg_sys::OpExpr>(node) };
                // SAFETY: a catalog look-up, which gives 0 for an operator that is gone.
                self.call(node, unsafe { pg_sys::get_opcode(it.opno) }, it.args)
            }
            NodeTag::T_DistinctExpr | NodeTag::T_NullIfExpr => self.of_two(node),
            NodeTag::T_ScalarArrayOpExpr => self.of_array(node),
            NodeTag::T_BoolExpr => self.boolean(node),
            NodeTag::T_NullTest | NodeTag::T_BooleanTest => self.test(node),
            NodeTag::T_CoalesceExpr | NodeTag::T_MinMaxExpr => self.first_of(node),
            NodeTag::T_CaseExpr => self.case(node),
            NodeTag::T_Param => self.column(node),
            NodeTag::T_SubLink => self.sub_select(node),
            NodeTag::T_ArrayExpr | NodeTag::T_RowExpr => Pairs::one(Other, Other),
            NodeTag::T_RelabelType => {
                // SAFETY: its tag says so.
                let it = unsafe { typed::<pg_sys::RelabelType>(node) };
                self.converted(node, it.arg.cast())
            }
            NodeTag::T_CoerceViaIO => {
                // SAFETY: its tag says so.
                let it = unsafe { typed::<pg_sys::CoerceViaIO>(node) };
                self.converted(node, it.arg.cast())
            }
            NodeTag::T_ArrayCoerceExpr => {
                // SAFETY: its tag says so.
                let it = unsafe { typed::<pg_sys::ArrayCoerceExpr>(node) };
                self.converted(node, it.arg.cast())
            }
            NodeTag::T_CollateExpr => {
                // SAFETY: its tag says so.
                let it = unsafe { typed::<pg_sys::CollateExpr>(node) };
                self.converted(node, it.arg.cast())
            }
            NodeTag::T_CoerceToDomain => {
                // SAFETY: its tag says so.
                let it = unsafe { typed::<pg_sys::CoerceToDomain>(node) };
                self.converted(node, it.arg.cast())
            }
            NodeTag::T_SubscriptingRef => {
                // SAFETY: its tag says so.
                let it = unsafe { typed::<pg_sys::SubscriptingRef>(node) };
                let filled = call::filled(node);
                self.value(it.refexpr.cast()).map(|container| match container {
                    Null | JsonNull => Null.into(),
                    _ => filled.with(Null),
                })
            }
            _ => self.unknown(node),
        }
    }

    /// What does not read the identity: the same for nobody and somebody.
    fn atom(&mut self, node: *mut Node) -> Pairs {
        if node.is_null() {
            return Pairs::same(Values::BOOLEAN);
        }
        if is(node, NodeTag::T_Const) {
            return Pairs::same(constant(node).into());
        }
        if !call::is_boolean(node) {
            return Pairs::same(Values::ANY);
        }
        if self.depth > 0 {
            return Pairs::same(Values::BOOLEAN); // Its columns may be of another row.
        }
        let Some(repeated) = self.repeated else {
            self.atoms.push(node);
            return Pairs::same(Values::BOOLEAN);
        };
        match repeated.value(node, self.assignment) {
            Some(value) => {
                self.given += 1;
                Pairs::same(value.into())
            }
            None => Pairs::same(Values::BOOLEAN),
        }
    }

    /// What is not looked into.
    pub(super) fn unknown(&self, node: *mut Node) -> Pairs {
        let anything = call::filled(node).with(Null);
        Pairs::free(if self.trusting { Null.into() } else { anything }, anything)
    }

    fn function(&mut self, node: *mut Node) -> Pairs {
        // SAFETY: its tag says so.
        let it = unsafe { typed::<pg_sys::FuncExpr>(node) };
        match self.readers.iter().find(|reader| reader.oid == it.funcid) {
            Some(reader) if reader.gives_json_null => Pairs::one(JsonNull, Other),
            Some(_) => Pairs::one(Null, Other),
            None => self.call(node, it.funcid, it.args),
        }
    }

    fn call(&mut self, node: *mut Node, function: Oid, arguments: *mut List) -> Pairs {
        // SAFETY: a catalog look-up; it fails for a function that is gone, on which the policy would depend.
        let is_strict = function != pg_sys::InvalidOid && unsafe { pg_sys::func_strict(function) };
        let filled = call::filled(node);
        if call::is_never_null(function) {
            return Pairs::free(filled, filled);
        }
        if !is_strict {
            return self.unknown(node);
        }
        let arguments = elements(arguments);
        if let Some(pairs) = self.of_elements(function, &arguments) {
            return pairs;
        }
        let mut all = Pairs::one(Other, Other);
        for argument in &arguments {
            all = all.zip(self.value(*argument), |before, this| {
                call::argument(before, this).into()
            });
        }
        let unknown = if self.trusting { Null.into() } else { filled.with(Null) };
        all.map(|argument| match argument {
            Null => Null.into(),
            JsonNull => call::of_json_null(function, &arguments, unknown),
            _ => filled.with(Null),
        })
    }

    /// `column @> ARRAY[…]` and the like: a NULL in the array is equal to nothing.
    fn of_elements(&mut self, function: Oid, arguments: &[*mut Node]) -> Option<Pairs> {
        let (how, places) = call::of_elements(function)?;
        let place = places
            .iter()
            .find(|place| arguments.get(**place).is_some_and(|it| is(*it, NodeTag::T_ArrayExpr)))?;
        let others = arguments.iter().enumerate().filter(|(other, _)| other != place);
        if others.into_iter().any(|(_, other)| self.mentions(*other) > 0) {
            return None;
        }
        let either = Values::of(&[True, False]);
        // SAFETY: its tag says so.
        let elements = elements(unsafe { typed::<pg_sys::ArrayExpr>(*arguments.get(*place)?) }.elements);
        let parts = elements.into_iter().map(|element| match self.mentions(element) {
            0 => Pairs::same(either),
            _ => self
                .value(element)
                .map(|value| if value == Null { False.into() } else { either }),
        });
        let parts = match how {
            call::OfElements::Any => Pairs::or_of(parts),
            call::OfElements::All => Pairs::and_of(parts),
        };
        Some(parts?.or_else(Pairs::one(Null, Null))) // The column may be NULL.
    }

    fn converted(&mut self, node: *mut Node, argument: *mut Node) -> Pairs {
        let to = call::Target::of(node);
        self.value(argument).map(|value| to.convert(value))
    }

    fn column(&mut self, node: *mut Node) -> Pairs {
        // SAFETY: its tag says so.
        let number = unsafe { typed::<pg_sys::Param>(node) }.paramid;
        let column = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let columns = self.columns.last();
        column
            .and_then(|place| columns?.0.get(place))
            .copied()
            .unwrap_or_else(|| self.unknown(node))
    }

    /// Looks at something inside of a sub-select.
    pub(super) fn inside<R>(&mut self, look: impl FnOnce(&mut Self) -> R) -> R {
        self.depth += 1;
        let seen = look(self);
        self.depth -= 1;
        seen
    }

    /// Looks at a comparison with the columns of a sub-select.
    pub(super) fn with_columns<R>(&mut self, columns: Vec<Pairs>, look: impl FnOnce(&mut Self) -> R) -> R {
        let of_identity = columns.iter().any(|column| column.depends_on_identity());
        self.columns.push((columns, of_identity));
        let seen = look(self);
        self.columns.pop();
        seen
    }
}

fn constant(node: *mut Node) -> Value {
    // SAFETY: its tag says so.
    let it = unsafe { typed::<pg_sys::Const>(node) };
    match it.constisnull {
        true => Null,
        false if it.consttype != pg_sys::BOOLOID => Other,
        false if it.constvalue.value() != 0 => True,
        false => False,
    }
}
