//! An expression of a policy, and what it can be.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

use pgrx::pg_sys::Oid;

use crate::check::eval::Evaluator;
use crate::check::eval::by_row::Permitted;
use crate::check::eval::facts::Facts;
use crate::check::eval::null_columns::NullColumns;
use crate::check::eval::ordinary::Ordinary;
use crate::check::eval::pairs::Pairs;
use crate::check::eval::reads::Reader;
use crate::check::eval::repeated::Repeated;
use crate::check::eval::table::Table;
use crate::check::eval::walk;
use crate::check::eval::writable::UserClaims;
use crate::check::who::Who;
use crate::pg::nodes::NodeRef;

/// An expression of a policy. It is evaluated once, however many commands and other policies need the result, and for each
/// role only if it reads the role.
pub struct Expression<'t> {
    readers: &'t [Reader],
    table: Table<'t>,
    pub tree: NodeRef<'t>,
    pub facts: Facts<'t>,
    known: RefCell<HashMap<(Option<Oid>, bool), Pairs>>,
    permits: RefCell<HashMap<(Oid, bool), bool>>,
    repeated: OnceCell<Repeated<'t>>,
}

impl<'t> Expression<'t> {
    pub fn new(readers: &'t [Reader], user_claims: &UserClaims, table: Table<'t>, tree: NodeRef<'t>) -> Self {
        Expression {
            readers,
            table,
            tree,
            facts: walk::facts_of(readers, user_claims, tree),
            known: RefCell::default(),
            permits: RefCell::default(),
            repeated: OnceCell::new(),
        }
    }

    /// What the expression can be in a session of this role.
    pub fn pairs(&self, who: &Who) -> Pairs {
        self.evaluated_once(who, false)
    }

    /// What the expression can be if each part that is not evaluated is NULL in the anonymous session.
    pub fn optimistic_pairs(&self, who: &Who) -> Pairs {
        self.evaluated_once(who, true)
    }

    fn evaluated_once(&self, who: &Who, is_optimistic: bool) -> Pairs {
        let key = (self.facts.reads_role.then_some(who.role), is_optimistic);
        let known = self.known.borrow().get(&key).copied();
        known.unwrap_or_else(|| {
            let pairs = self.evaluated(who, is_optimistic);
            self.known.borrow_mut().insert(key, pairs);
            pairs
        })
    }

    /// Whether an ordinary user satisfies the expression for every row, or for every row of other users. `is_member` is whether the user has rows in the tables
    /// that sub-selects read.
    pub fn permits_ordinary(&self, who: &Who, is_member: bool) -> bool {
        let known = self.permits.borrow().get(&(who.role, is_member)).copied();
        known.unwrap_or_else(|| {
            let permits = self.permits_anywhere(who, is_member, false) || self.permits_anywhere(who, is_member, true);
            self.permits.borrow_mut().insert((who.role, is_member), permits);
            permits
        })
    }

    fn permits_anywhere(&self, who: &Who, is_member: bool, is_elsewhere: bool) -> bool {
        let columns = NullColumns::of(self.tree, self.table.not_null);
        let columns = if is_elsewhere { columns.filled() } else { columns };
        let (mut runs, mut mask, mut permits) = (1, 0, false);
        while mask < runs && !permits {
            let ordinary = Ordinary::new(is_member, is_elsewhere, mask);
            permits = columns.assignments().all(|columns| {
                let mut evaluator = Evaluator::new(self.readers, &self.facts, who, self.table, columns, false);
                evaluator.ordinary = Some(&ordinary);
                evaluator.value(self.tree).is_always_true()
            });
            runs = ordinary.runs();
            mask += 1;
        }
        permits
    }

    /// Which rows of other users an ordinary user satisfies the expression for.
    pub fn permitted_by_row(&self, who: &Who) -> Permitted {
        let columns = NullColumns::of(self.tree, self.table.not_null).filled();
        let (mut runs, mut mask, mut all) = (1, 0, Permitted::Unknown);
        while mask < runs {
            let ordinary = Ordinary::new(false, true, mask);
            let each = columns.assignments().map(|columns| {
                let mut evaluator = Evaluator::new(self.readers, &self.facts, who, self.table, columns, false);
                evaluator.ordinary = Some(&ordinary);
                evaluator.permitted(self.tree)
            });
            all = all.max(Permitted::of_states(each));
            runs = ordinary.runs();
            mask += 1;
        }
        all
    }

    /// What the expression is for a stranger to the row who writes the own claims twice.
    pub fn pairs_of_stranger(&self, who: &Who) -> Pairs {
        let columns = NullColumns::of(self.tree, self.table.not_null);
        let ordinary = Ordinary::stranger();
        let mut all = Pairs::NONE;
        for columns in columns.assignments() {
            let mut evaluator = Evaluator::new(self.readers, &self.facts, who, self.table, columns, false);
            evaluator.ordinary = Some(&ordinary);
            all = all.or_else(evaluator.value(self.tree));
        }
        all
    }

    fn evaluated(&self, who: &Who, is_optimistic: bool) -> Pairs {
        let columns = NullColumns::of(self.tree, self.table.not_null);
        let mut all = Pairs::NONE;
        for columns in columns.assignments() {
            let mut evaluator = Evaluator::new(self.readers, &self.facts, who, self.table, columns, is_optimistic);
            let first = evaluator.value(self.tree);
            let repeated = self.repeated.get_or_init(|| Repeated::among(&evaluator.conditions));
            if repeated.is_none() {
                all = all.or_else(first);
                continue;
            }
            evaluator.repeated = Some(repeated);
            for assignment in repeated.assignments() {
                evaluator.assignment = assignment;
                all = all.or_else(evaluator.value(self.tree));
            }
        }
        all
    }
}
