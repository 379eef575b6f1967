//! Columns of the row that an expression tests for NULL: `id = id OR id IS NULL` is true whether id is NULL or not.

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::check::eval::domain::Value::{False, Null, Other, True};
use crate::check::eval::domain::{Value, Values};
use crate::check::eval::types;
use crate::pg::nodes::{self, Kind, NodeRef, View};

/// The number of columns that are distinguished from the others.
const MAX_COLUMNS: usize = 2;

/// The values of a column, of a boolean and of another type.
const BOOLEAN: &[Value] = &[True, False, Null];
const ANY: &[Value] = &[Other, Null];

/// What is known of the columns of the row in one run.
#[derive(Debug, Default, Clone)]
pub struct NullColumns<'n> {
    not_null: &'n [i16],
    /// Whether no column is NULL, except for those that tell a state of the row.
    is_filled: bool,
    tested: Vec<Tested>,
}

/// A column that is distinguished from the others.
#[derive(Debug, Clone, Copy)]
struct Tested {
    number: i16,
    values: &'static [Value],
    /// The index of the current value.
    current: usize,
    is_state: bool,
}

/// Whether a column tells a state of the row, such as `is_public` and `deleted_at`.
fn is_state(column: NodeRef<'_>) -> bool {
    matches!(
        column.value_type(),
        pg_sys::BOOLOID | pg_sys::DATEOID | pg_sys::TIMESTAMPOID | pg_sys::TIMESTAMPTZOID
    )
}

impl<'n> NullColumns<'n> {
    /// The columns that an expression tests for NULL.
    pub fn of(expression: NodeRef<'_>, not_null: &'n [i16]) -> NullColumns<'n> {
        let mut columns = NullColumns {
            not_null,
            is_filled: false,
            tested: Vec::new(),
        };
        columns.find(expression, false);
        columns
    }

    /// Searches the expression, but no sub-select.
    fn find(&mut self, node: NodeRef<'_>, is_tested: bool) -> bool {
        check_for_interrupts!();
        if nodes::is_too_deep() || self.tested.len() == MAX_COLUMNS {
            return true;
        }
        let is_tested = match node.kind() {
            Kind::NullTest(_) | Kind::BooleanTest(_) | Kind::DistinctExpr(_) | Kind::CoalesceExpr(_) => true,
            Kind::Var(column) if is_tested && column.varlevelsup() == 0 => {
                let number = column.varattno();
                if !self.not_null.contains(&number) && self.tested.iter().all(|other| other.number != number) {
                    self.tested.push(Tested {
                        number,
                        values: if types::is_boolean(node) { BOOLEAN } else { ANY },
                        current: 0,
                        is_state: is_state(node),
                    });
                }
                return false;
            }
            Kind::Query(_) => return false,
            Kind::Null => return false,
            _ => is_tested,
        };
        nodes::walk_children(node, &mut |child| self.find(child, is_tested))
    }

    /// The same, if no column is NULL, except for those that tell a state of the row.
    pub fn filled(mut self) -> NullColumns<'n> {
        self.is_filled = true;
        for column in self.tested.iter_mut().filter(|column| !column.is_state) {
            column.values = &[Other];
        }
        self
    }

    /// Each way in which the columns are NULL or not.
    pub fn assignments(&self) -> impl Iterator<Item = NullColumns<'n>> {
        let count = self.tested.iter().map(|column| column.values.len()).product();
        (0..count).map(|mut rest: usize| {
            let mut columns = self.clone();
            for column in &mut columns.tested {
                column.current = rest % column.values.len();
                rest /= column.values.len();
            }
            columns
        })
    }

    /// What a column can be.
    pub fn value(&self, column: View<'_, pg_sys::Var>, is_of_row: bool) -> Values {
        let number = column.varattno();
        if !is_of_row {
            return Values::ANY;
        }
        if self.not_null.contains(&number) {
            return Other.into();
        }
        match self.tested.iter().find(|column| column.number == number) {
            Some(column) => column.values[column.current].into(),
            None if self.is_filled && !is_state(column.node()) => Other.into(),
            None => Values::ANY,
        }
    }
}
