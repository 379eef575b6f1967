//! Sub-selects.
//!
//! A sub-select is evaluated where only its conditions and its columns read the identity. Each row of its tables then
//! counts in one of the two sessions, in both or in neither. There can be any number of rows.

use pgrx::pg_sys::{self, JoinType, RTEKind, SubLinkType};

use crate::check::eval::Evaluator;
use crate::check::eval::domain::Value::{False, Null, True};
use crate::check::eval::domain::{Value, Values};
use crate::check::eval::pairs::Pairs;
use crate::pg::nodes::{Kind, NodeRef, View};

const TRUE: Pairs = Pairs::one(True, True);
const FALSE: Pairs = Pairs::one(False, False);
pub(super) const NULL: Pairs = Pairs::one(Null, Null);

/// What matters of a sub-select.
pub(super) struct Rows {
    /// Whether a row counts.
    condition: Pairs,
    pub(super) columns: Vec<Pairs>,
    /// The sub-select has no FROM, and so at most one row.
    is_single: bool,
    /// A column returns a set, which is empty where its argument is NULL.
    has_sets: bool,
}

impl Rows {
    /// A comparison with each row; `absent` where the row does not count.
    pub(super) fn counted(&self, comparison: Pairs, absent: Value) -> Pairs {
        let row = self.condition.choose(comparison, Pairs::one(absent, absent));
        if !self.has_sets {
            return row;
        }
        row.or_else(row.map(|value| if value == Null { absent.into() } else { value.into() }))
    }
}

impl<'t> Evaluator<'_, 't> {
    pub(super) fn sub_select(&mut self, link: View<'t, pg_sys::SubLink>) -> Pairs {
        let Some(rows) = self.inside(|evaluator| evaluator.rows(link.subselect())) else {
            return self.unknown(link.node());
        };
        match link.subLinkType() {
            SubLinkType::EXISTS_SUBLINK => rows.condition.choose(TRUE, FALSE).or_of_rows(),
            SubLinkType::ANY_SUBLINK => self.each_row(link.testexpr(), &rows, False).or_of_rows(),
            SubLinkType::ALL_SUBLINK => self.each_row(link.testexpr(), &rows, True).and_of_rows(),
            SubLinkType::EXPR_SUBLINK if rows.columns.len() == 1 && !rows.has_sets => {
                let value = rows.condition.choose(rows.columns[0], NULL);
                // With FROM there may be no row, and the two sessions need not have the same one.
                match (rows.is_single, rows.condition.depends_on_identity()) {
                    (true, _) => value,
                    (false, false) => value.or_else(NULL),
                    (false, true) => value.or_else(NULL).apart(),
                }
            }
            _ => self.unknown(link.node()),
        }
    }

    /// The comparison of each row; `absent` where the row does not count.
    fn each_row(&mut self, test: NodeRef<'t>, rows: &Rows, absent: Value) -> Pairs {
        let columns = rows.columns.clone();
        let test = self.inside(|evaluator| evaluator.with_columns(columns, |evaluator| evaluator.value(test)));
        rows.counted(test, absent)
    }

    /// The rows of a sub-select; None where anything but a condition or a column reads the identity.
    pub(super) fn rows(&mut self, node: NodeRef<'t>) -> Option<Rows> {
        let Kind::Query(query) = node.kind() else {
            return None;
        };
        let all = self.mentions(node);
        if query.hasAggs()
            || !query.groupingSets().is_null()
            || !query.setOperations().is_null()
            || query.hasWindowFuncs()
        {
            return None;
        }
        let (condition, mut evaluated) = self.condition(&query.rtable().to_vec(), query.jointree().node());
        let mut columns = Vec::new();
        for entry in query.targetList().iter() {
            let Kind::TargetEntry(entry) = entry.kind() else {
                return None;
            };
            evaluated += self.mentions(entry.expr());
            if !entry.resjunk() {
                columns.push(self.value(entry.expr()));
            }
        }
        (evaluated == all).then_some(Rows {
            condition,
            columns,
            is_single: query.rtable().is_null(),
            has_sets: query.hasTargetSRFs(),
        })
    }

    /// The condition of a FROM clause, and how often the evaluated parts of the clause read the identity.
    fn condition(&mut self, tables: &[NodeRef<'t>], node: NodeRef<'t>) -> (Pairs, usize) {
        let (quals, parts) = match node.kind() {
            Kind::FromExpr(from) => (from.quals(), from.fromlist().to_vec()),
            Kind::JoinExpr(join) if join.jointype() != JoinType::JOIN_INNER => return (TRUE, 0),
            Kind::JoinExpr(join) => (join.quals(), vec![join.larg(), join.rarg()]),
            Kind::RangeTblRef(reference) => {
                let index = usize::try_from(reference.rtindex())
                    .ok()
                    .and_then(|it| it.checked_sub(1));
                let table = index.and_then(|index| tables.get(index));
                return table.map_or((TRUE, 0), |table| self.function_in_from(*table));
            }
            _ => return (TRUE, 0),
        };
        let (mut all, mut evaluated) = (TRUE, 0);
        if !quals.is_null() {
            (all, evaluated) = (self.value(quals), self.mentions(quals));
        }
        for part in parts {
            let (condition, more) = self.condition(tables, part);
            all = all.and(condition);
            evaluated += more;
        }
        (all, evaluated)
    }

    /// The condition of a function in FROM: a strict function returns no rows where its argument is NULL.
    fn function_in_from(&mut self, table: NodeRef<'t>) -> (Pairs, usize) {
        let (mut all, mut evaluated) = (TRUE, 0);
        let Kind::RangeTblEntry(table) = table.kind() else {
            return (all, evaluated);
        };
        if table.rtekind() != RTEKind::RTE_FUNCTION {
            return (all, evaluated);
        }
        for function in table.functions().iter() {
            if let Kind::RangeTblFunction(function) = function.kind() {
                let call = function.funcexpr();
                all = all.and(self.value(call).map(|value| Values::boolean(value != Null)));
                evaluated += self.mentions(call);
            }
        }
        (all, evaluated)
    }
}
