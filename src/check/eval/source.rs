//! The FROM of a sub-select, and the queries in its FROM and WITH. Their columns stand for expressions.

use pgrx::pg_sys::{self, JoinType, RTEKind};

use crate::check::eval::Evaluator;
use crate::check::eval::aliases::has_rows_of_from;
use crate::check::eval::bare_select::{has_every_row, only_expression};
use crate::check::eval::domain::Value::Null;
use crate::check::eval::domain::Values;
use crate::check::eval::from_clause::{FALSE, From};
use crate::check::eval::known::Known;
use crate::check::eval::pairs::Pairs;
use crate::pg::nodes::{Kind, NodeRef, View};

impl<'t> Evaluator<'_, 't> {
    /// The value of an expression that a column stands for.
    pub(super) fn aliased(&mut self, target: NodeRef<'t>) -> Pairs {
        if let Some(pairs) = self.aliased.values.get(&target) {
            return *pairs;
        }
        let pairs = self.inside(|evaluator| evaluator.value(target));
        self.aliased.values.insert(target, pairs);
        pairs
    }

    /// The same, if it depends on no row.
    pub(super) fn known_alias(&self, target: NodeRef<'t>) -> Option<Known> {
        self.known_once(target, || self.known(target))
    }

    /// Evaluates a node once, however often its value is asked for.
    pub(super) fn known_once(&self, node: NodeRef<'t>, evaluate: impl FnOnce() -> Option<Known>) -> Option<Known> {
        let key = (node, self.is_anonymous);
        let found = self.aliased.known.borrow().get(&key).cloned();
        found.unwrap_or_else(|| {
            let known = evaluate();
            self.aliased.known.borrow_mut().insert(key, known.clone());
            known
        })
    }

    /// The expression of a sub-select whose FROM only wraps an expression: `(SELECT id FROM (SELECT auth.user_id() AS id) me)`.
    pub(super) fn bare_source(&self, link: View<'t, pg_sys::SubLink>) -> Option<NodeRef<'t>> {
        let Kind::Query(mut query) = link.subselect().kind() else {
            return None;
        };
        let expression = only_expression(link)?;
        loop {
            if !has_rows_of_from(query) || query.hasTargetSRFs() || !has_every_row(query) {
                return None;
            }
            query = match query.rtable().to_vec()[..] {
                [] => return Some(expression),
                [entry] => match self.facts.source(entry)?.kind() {
                    Kind::Query(inner) => inner,
                    _ => return None,
                },
                _ => return None,
            }
        }
    }

    /// The FROM of a query, with the queries in its WITH.
    pub(super) fn from(&mut self, query: View<'t, pg_sys::Query>) -> From {
        let mut from = self.part(&query.rtable().to_vec(), query.jointree().node());
        for named in query.cteList().iter() {
            if let Kind::CommonTableExpr(named) = named.kind()
                && let Kind::Query(inner) = named.ctequery().kind()
            {
                from.evaluated += self.query_in_from(inner).evaluated;
            }
        }
        from
    }

    fn part(&mut self, tables: &[NodeRef<'t>], node: NodeRef<'t>) -> From {
        let (quals, parts) = match node.kind() {
            Kind::FromExpr(from) => (from.quals(), from.fromlist().to_vec()),
            Kind::JoinExpr(join) if join.jointype() != JoinType::JOIN_INNER => return From::TABLE,
            Kind::JoinExpr(join) => (join.quals(), vec![join.larg(), join.rarg()]),
            Kind::RangeTblRef(reference) => {
                let index = usize::try_from(reference.rtindex())
                    .ok()
                    .and_then(|it| it.checked_sub(1));
                let table = index.and_then(|index| tables.get(index));
                return table.map_or(From::TABLE, |table| self.entry(*table));
            }
            _ => return From::TABLE,
        };
        let mut all = From::NOTHING;
        if !quals.is_null() {
            (all.condition, all.evaluated) = (self.value(quals), self.mentions(quals));
        }
        for part in parts {
            all = all.and(self.part(tables, part));
        }
        all
    }

    fn entry(&mut self, node: NodeRef<'t>) -> From {
        let Kind::RangeTblEntry(entry) = node.kind() else {
            return From::TABLE;
        };
        match (entry.rtekind(), self.facts.source(node).map(NodeRef::kind)) {
            (RTEKind::RTE_FUNCTION, _) => self.function_in_from(entry),
            (RTEKind::RTE_SUBQUERY, Some(Kind::Query(query))) => self.query_in_from(query),
            // Its parts are counted where it is defined.
            (_, Some(Kind::Query(query))) => From {
                evaluated: 0,
                ..self.query_in_from(query)
            },
            _ => From::TABLE,
        }
    }

    /// A query in FROM or WITH whose columns stand for expressions.
    fn query_in_from(&mut self, query: View<'t, pg_sys::Query>) -> From {
        if let Some(found) = self.aliased.queries.get(&query.node()) {
            return *found;
        }
        let mut from = self.from(query);
        if self.known(query.limitCount()) == Some(Known::Integer(0)) {
            from.condition = FALSE;
        }
        from.evaluated += self.mentions(query.targetList().node());
        from.is_single = from.is_single && query.limitCount().is_null() && query.limitOffset().is_null();
        self.aliased.queries.insert(query.node(), from);
        from
    }

    /// The condition of a function in FROM: a strict function returns no rows where its argument is NULL.
    fn function_in_from(&mut self, entry: View<'t, pg_sys::RangeTblEntry>) -> From {
        let mut all = From::TABLE;
        for function in entry.functions().iter() {
            if let Kind::RangeTblFunction(function) = function.kind() {
                let call = function.funcexpr();
                let condition = self.value(call).map(|value| Values::boolean(value != Null));
                all.condition = all.condition.and(condition);
                all.evaluated += self.mentions(call);
            }
        }
        all
    }
}
