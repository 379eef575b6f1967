//! Sub-selects in a policy: what they give to nobody and to somebody.
//!
//! A sub-select is looked into where the identity is read only in its conditions and its columns. Then a row of its tables
//! counts for nobody, for somebody, for both or for neither, and any number of rows may be there.

use pgrx::pg_sys::{self, JoinType, Node, NodeTag, Query, SubLinkType};

use crate::check::call;
use crate::check::expression::Judge;
use crate::check::truth::Value::{False, Null, True};
use crate::check::truth::{Pairs, Value, Values};
use crate::pg::nodes::{elements, is, typed};

const TRUE: Pairs = Pairs::one(True, True);
const FALSE: Pairs = Pairs::one(False, False);
const NULL: Pairs = Pairs::one(Null, Null);

/// What counts of a sub-select.
struct Rows {
    /// Whether a row is there.
    condition: Pairs,
    columns: Vec<Pairs>,
    /// It has no FROM: there is one row at most.
    is_single: bool,
    /// A column is a set, which is empty where its argument is NULL.
    has_sets: bool,
}

impl Rows {
    /// A comparison with each row, `absent` where there is none.
    fn counted(&self, comparison: Pairs, absent: Value) -> Pairs {
        let row = self.condition.choose(comparison, Pairs::one(absent, absent));
        if !self.has_sets {
            return row;
        }
        row.or_else(row.map(|value| if value == Null { absent.into() } else { value.into() }))
    }
}

impl Judge<'_> {
    pub(super) fn sub_select(&mut self, node: *mut Node) -> Pairs {
        // SAFETY: its tag says so.
        let link = unsafe { typed::<pg_sys::SubLink>(node) };
        let Some(rows) = self.inside(|judge| judge.rows(link.subselect)) else {
            return self.unknown(node);
        };
        match link.subLinkType {
            SubLinkType::EXISTS_SUBLINK => rows.condition.choose(TRUE, FALSE).or_of_rows(),
            SubLinkType::ANY_SUBLINK => self.compared(link.testexpr, &rows, False).or_of_rows(),
            SubLinkType::ALL_SUBLINK => self.compared(link.testexpr, &rows, True).and_of_rows(),
            SubLinkType::EXPR_SUBLINK if rows.columns.len() == 1 && !rows.has_sets => {
                let value = rows.condition.choose(rows.columns[0], NULL);
                // With FROM there may be no row; and nobody's need not be somebody's.
                match (rows.is_single, rows.condition.depends_on_identity()) {
                    (true, _) => value,
                    (false, false) => value.or_else(NULL),
                    (false, true) => value.or_else(NULL).apart(),
                }
            }
            _ => self.unknown(node),
        }
    }

    /// Each row, compared: `absent` where it does not count.
    fn compared(&mut self, test: *mut Node, rows: &Rows, absent: Value) -> Pairs {
        let test = self.inside(|judge| judge.with_columns(rows.columns.clone(), |judge| judge.value(test)));
        rows.counted(test, absent)
    }

    /// `scalar = ANY (array)` and the like.
    pub(super) fn of_array(&mut self, node: *mut Node) -> Pairs {
        // SAFETY: its tag says so.
        let it = unsafe { typed::<pg_sys::ScalarArrayOpExpr>(node) };
        // SAFETY: a catalog look-up, which gives 0 for an operator that is gone.
        let function = unsafe { pg_sys::get_opcode(it.opno) };
        // SAFETY: as above.
        let is_strict = function != pg_sys::InvalidOid && unsafe { pg_sys::func_strict(function) };
        let [scalar, array] = elements(it.args)[..] else {
            return self.unknown(node);
        };
        if !is_strict {
            return self.unknown(node);
        }
        let absent = if it.useOr { False } else { True };
        let scalar = self.value(scalar);
        let over_rows = |row: Pairs| if it.useOr { row.or_of_rows() } else { row.and_of_rows() };
        if is(array, NodeTag::T_ArrayExpr) {
            // SAFETY: its tag says so.
            let elements = elements(unsafe { typed::<pg_sys::ArrayExpr>(array) }.elements);
            let each = elements
                .into_iter()
                .map(|element| scalar.zip(self.value(element), call::compared));
            let all = std::iter::once(Pairs::one(absent, absent)).chain(each);
            return if it.useOr {
                Pairs::or_of(all)
            } else {
                Pairs::and_of(all)
            }
            .unwrap_or(NULL);
        }
        if is(array, NodeTag::T_SubLink) && self.mentions(array) > 0 {
            // SAFETY: its tag says so.
            let link = unsafe { typed::<pg_sys::SubLink>(array) };
            if link.subLinkType != SubLinkType::ARRAY_SUBLINK {
                let array = self.value(array);
                return scalar.zip(array, call::compared);
            }
            let Some(rows) = self.inside(|judge| judge.rows(link.subselect)) else {
                return self.unknown(node);
            };
            let element = rows.columns.first().copied().unwrap_or(NULL);
            return over_rows(rows.counted(scalar.zip(element, call::compared), absent));
        }
        let array = self.value(array);
        let elements = over_rows(scalar.zip(Pairs::same(Values::ANY), call::compared));
        let is_there = array.map(|array| if array == Null { False.into() } else { True.into() });
        is_there.choose(elements, NULL)
    }

    /// None where the identity is read in another place than a condition or a column.
    fn rows(&mut self, node: *mut Node) -> Option<Rows> {
        if !is(node, NodeTag::T_Query) {
            return None;
        }
        let all = self.mentions(node);
        // SAFETY: its tag says so.
        let query = unsafe { typed::<Query>(node) };
        if query.hasAggs || !query.groupingSets.is_null() || !query.setOperations.is_null() || query.hasWindowFuncs {
            return None;
        }
        let (condition, mut seen) = self.condition(&elements(query.rtable), query.jointree.cast());
        let mut columns = Vec::new();
        for entry in elements(query.targetList) {
            // SAFETY: a target list has nothing but these.
            let entry = unsafe { typed::<pg_sys::TargetEntry>(entry) };
            seen += self.mentions(entry.expr.cast());
            if !entry.resjunk {
                columns.push(self.value(entry.expr.cast()));
            }
        }
        (seen == all).then_some(Rows {
            condition,
            columns,
            is_single: query.rtable.is_null(),
            has_sets: query.hasTargetSRFs,
        })
    }

    /// The condition of a FROM clause, and how often it reads the identity as far as it was looked into.
    fn condition(&mut self, tables: &[*mut Node], node: *mut Node) -> (Pairs, usize) {
        let (quals, parts) = if is(node, NodeTag::T_FromExpr) {
            // SAFETY: its tag says so.
            let from = unsafe { typed::<pg_sys::FromExpr>(node) };
            (from.quals, elements(from.fromlist))
        } else if is(node, NodeTag::T_JoinExpr) {
            // SAFETY: its tag says so.
            let join = unsafe { typed::<pg_sys::JoinExpr>(node) };
            if join.jointype != JoinType::JOIN_INNER {
                return (TRUE, 0);
            }
            (join.quals, vec![join.larg, join.rarg])
        } else {
            return self.function_in_from(tables, node);
        };
        let (mut all, mut seen) = (TRUE, 0);
        if !quals.is_null() {
            (all, seen) = (self.value(quals), self.mentions(quals));
        }
        for part in parts {
            let (condition, more) = self.condition(tables, part);
            all = all.and(condition);
            seen += more;
        }
        (all, seen)
    }

    /// A function in FROM has no rows where its argument is NULL, if it is strict.
    fn function_in_from(&mut self, tables: &[*mut Node], node: *mut Node) -> (Pairs, usize) {
        let entry = is(node, NodeTag::T_RangeTblRef).then(|| {
            // SAFETY: its tag says so.
            unsafe { typed::<pg_sys::RangeTblRef>(node) }.rtindex
        });
        let place = entry.and_then(|number| usize::try_from(number).ok()?.checked_sub(1));
        let Some(entry) = place.and_then(|place| tables.get(place)) else {
            return (TRUE, 0);
        };
        // SAFETY: a range table has nothing but these.
        let entry = unsafe { typed::<pg_sys::RangeTblEntry>(*entry) };
        let (mut all, mut seen) = (TRUE, 0);
        if entry.rtekind == pg_sys::RTEKind::RTE_FUNCTION {
            for function in elements(entry.functions) {
                // SAFETY: the functions of an entry are nothing but these.
                let call = unsafe { typed::<pg_sys::RangeTblFunction>(function) }.funcexpr;
                let there = |value| if value == Null { False.into() } else { True.into() };
                all = all.and(self.value(call).map(there));
                seen += self.mentions(call);
            }
        }
        (all, seen)
    }
}
