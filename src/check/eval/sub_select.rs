//! Sub-selects.
//!
//! A sub-select is evaluated where only its conditions and its columns read the identity. Each row of its tables then
//! counts in one of the two sessions, in both or in neither. There can be any number of rows.

use pgrx::pg_sys::{self, SubLinkType};

use crate::check::eval::Evaluator;
use crate::check::eval::aliases::{has_rows_of_from, is_of_all_rows};
use crate::check::eval::domain::Value;
use crate::check::eval::domain::Value::{False, Null, True};
use crate::check::eval::from_clause::{FALSE, From, TRUE};
use crate::check::eval::known::Known;
use crate::check::eval::pairs::Pairs;
use crate::pg::nodes::{Kind, NodeRef, View};

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
        if link.subLinkType() == SubLinkType::EXISTS_SUBLINK && always_has_a_row(link.subselect()) {
            return TRUE;
        }
        if let Some(pairs) = self.unconnected(link).or_else(|| self.membership(link)) {
            return pairs;
        }
        let Some(rows) = self.rows(link.subselect()) else {
            return self.unknown(link.node());
        };
        match link.subLinkType() {
            SubLinkType::EXISTS_SUBLINK if rows.is_single && !rows.has_sets => rows.condition.choose(TRUE, FALSE),
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
        self.inside(|evaluator| evaluator.rows_inside(node))
    }

    fn rows_inside(&mut self, node: NodeRef<'t>) -> Option<Rows> {
        let Kind::Query(query) = node.kind() else {
            return None;
        };
        let all = self.mentions(node);
        if !has_rows_of_from(query) {
            return None;
        }
        let From {
            mut condition,
            mut evaluated,
            is_single,
        } = self.from(query);
        if self.known(query.limitCount()) == Some(Known::Integer(0)) {
            condition = FALSE;
        }
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
            is_single: is_single && query.limitCount().is_null() && query.limitOffset().is_null(),
            has_sets: query.hasTargetSRFs(),
        })
    }
}

/// Whether a query has exactly one row: that of an aggregate over all rows, however many those are.
fn always_has_a_row(query: NodeRef<'_>) -> bool {
    matches!(query.kind(), Kind::Query(query) if is_of_all_rows(query)
        && query.havingQual().is_null()
        && query.limitCount().is_null()
        && query.limitOffset().is_null()
        && query.setOperations().is_null()
        && !query.hasTargetSRFs())
}
