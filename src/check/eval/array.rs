//! Operators of arrays.

use pgrx::pg_sys::{self, Oid, SubLinkType};

use crate::check::eval::domain::Value::{False, Null, True};
use crate::check::eval::domain::Values;
use crate::check::eval::pairs::Pairs;
use crate::check::eval::sub_select::NULL;
use crate::check::eval::{Evaluator, call};
use crate::pg::catalog;
use crate::pg::nodes::{Kind, NodeRef, View};

/// How the elements of an `ARRAY[…]` determine the result of an operator.
#[derive(Clone, Copy)]
enum Elements {
    Any,
    All,
}

/// For `&&`, `@>` and `<@`: how the elements determine the result, and which arguments can be the array.
fn of_elements(function: Oid) -> Option<(Elements, &'static [usize])> {
    match function.to_u32() {
        pg_sys::F_ARRAYOVERLAP => Some((Elements::Any, &[0, 1])),
        pg_sys::F_ARRAYCONTAINS => Some((Elements::All, &[1])),
        pg_sys::F_ARRAYCONTAINED => Some((Elements::All, &[0])),
        _ => None,
    }
}

impl<'t> Evaluator<'_, 't> {
    /// `column @> ARRAY[…]` and its siblings: a NULL in the array is equal to nothing.
    pub(super) fn array_operator(&mut self, function: Oid, arguments: &[NodeRef<'t>]) -> Option<Pairs> {
        let (how, candidates) = of_elements(function)?;
        let (index, array) = candidates
            .iter()
            .find_map(|index| match arguments.get(*index)?.kind() {
                Kind::ArrayExpr(array) => Some((*index, array)),
                _ => None,
            })?;
        let mut others = arguments.iter().enumerate().filter(|(other, _)| *other != index);
        if others.any(|(_, other)| self.mentions(*other) > 0) {
            return None;
        }
        let either = Values::of(&[True, False]);
        let parts = array.elements().iter().map(|element| match self.mentions(element) {
            0 => Pairs::same(either),
            _ => self
                .value(element)
                .map(|value| if value == Null { False.into() } else { either }),
        });
        let parts = match how {
            Elements::Any => Pairs::or_of(parts),
            Elements::All => Pairs::and_of(parts),
        };
        Some(parts?.or_else(NULL)) // The column may be NULL.
    }

    /// `scalar = ANY (array)` and its siblings.
    pub(super) fn scalar_array(&mut self, operator: View<'t, pg_sys::ScalarArrayOpExpr>) -> Pairs {
        let is_strict = catalog::operator_function(operator.opno()).is_some_and(catalog::is_strict);
        let [scalar, array] = operator.args().to_vec()[..] else {
            return self.unknown(operator.node());
        };
        if !is_strict {
            return self.unknown(operator.node());
        }
        let is_any = operator.useOr();
        let absent = if is_any { False } else { True };
        let scalar = self.value(scalar);
        let over_rows = |row: Pairs| if is_any { row.or_of_rows() } else { row.and_of_rows() };
        match array.kind() {
            Kind::ArrayExpr(array) => {
                let elements = array.elements().iter();
                let each = elements.map(|element| scalar.zip(self.value(element), call::compared));
                let all = std::iter::once(Pairs::one(absent, absent)).chain(each);
                let all = if is_any { Pairs::or_of(all) } else { Pairs::and_of(all) };
                all.unwrap_or(NULL)
            }
            Kind::SubLink(link) if self.mentions(array) > 0 => {
                if link.subLinkType() != SubLinkType::ARRAY_SUBLINK {
                    return scalar.zip(self.value(array), call::compared);
                }
                let Some(rows) = self.inside(|evaluator| evaluator.rows(link.subselect())) else {
                    return self.unknown(operator.node());
                };
                let element = rows.columns.first().copied().unwrap_or(NULL);
                over_rows(rows.counted(scalar.zip(element, call::compared), absent))
            }
            _ => {
                let array = self.value(array);
                let elements = over_rows(scalar.zip(Pairs::same(Values::ANY), call::compared));
                array.map(|array| Values::boolean(array != Null)).choose(elements, NULL)
            }
        }
    }
}
