//! An expression of a policy, and what it can be.

use std::cell::OnceCell;

use crate::check::eval::Evaluator;
use crate::check::eval::facts::{self, Facts, Reader};
use crate::check::eval::pairs::Pairs;
use crate::check::eval::repeated::Repeated;
use crate::pg::nodes::NodeRef;

/// An expression of a policy. It is evaluated once, however many commands and other policies need the result.
pub struct Expression<'t> {
    readers: &'t [Reader],
    pub tree: NodeRef<'t>,
    pub facts: Facts<'t>,
    pairs: OnceCell<Pairs>,
    optimistic: OnceCell<Pairs>,
    repeated: OnceCell<Repeated<'t>>,
}

impl<'t> Expression<'t> {
    pub fn new(readers: &'t [Reader], tree: NodeRef<'t>) -> Self {
        Expression {
            readers,
            tree,
            facts: facts::of(readers, tree),
            pairs: OnceCell::new(),
            optimistic: OnceCell::new(),
            repeated: OnceCell::new(),
        }
    }

    /// What the expression can be.
    pub fn pairs(&self) -> Pairs {
        *self.pairs.get_or_init(|| self.evaluated(false))
    }

    /// What the expression can be if each part that is not evaluated is NULL in the anonymous session.
    pub fn optimistic_pairs(&self) -> Pairs {
        *self.optimistic.get_or_init(|| self.evaluated(true))
    }

    fn evaluated(&self, is_optimistic: bool) -> Pairs {
        let mut evaluator = Evaluator::new(self.readers, &self.facts, is_optimistic);
        let first = evaluator.value(self.tree);
        let repeated = self.repeated.get_or_init(|| Repeated::among(&evaluator.conditions));
        if repeated.is_none() {
            return first;
        }
        evaluator.repeated = Some(repeated);
        let mut all = Pairs::NONE;
        for assignment in repeated.assignments() {
            evaluator.assignment = assignment;
            all = all.or_else(evaluator.value(self.tree));
        }
        all
    }
}
