//! Operators of arrays.

use pgrx::pg_sys::{self, Oid, SubLinkType};

use crate::check::eval::domain::Value::{False, Null, True};
use crate::check::eval::domain::Values;
use crate::check::eval::known::Known;
use crate::check::eval::pairs::Pairs;
use crate::check::eval::sub_select::NULL;
use crate::check::eval::tautology::with_itself;
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

/// The result of `scalar = ANY (ARRAY[…, scalar])` for a scalar that is not NULL, and of `<> ALL`; None for other arrays.
fn decided_by_itself<'a>(
    operator: View<'_, pg_sys::ScalarArrayOpExpr>,
    scalar: NodeRef<'a>,
    array: NodeRef<'a>,
) -> Option<bool> {
    let Kind::ArrayExpr(array) = array.kind() else {
        return None;
    };
    let is_any = operator.useOr();
    let mut each = array.elements().iter();
    each.any(|element| with_itself(operator.opno(), &[scalar, element]) == Some(is_any))
        .then_some(is_any)
}

/// The array of `COALESCE(array, '{}')`.
fn or_empty<'t>(coalesce: View<'t, pg_sys::CoalesceExpr>) -> Option<NodeRef<'t>> {
    let [array, last] = coalesce.args().to_vec()[..] else {
        return None;
    };
    match last.kind() {
        Kind::Const(constant) => constant.texts()?.is_empty().then_some(array),
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
            _ if self.is_stranger() && self.is_personal(element) => Pairs::same(False.into()),
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

    /// `1 IN (1, 2)`: the same, if all values are known.
    fn known_element(
        &self,
        operator: View<'t, pg_sys::ScalarArrayOpExpr>,
        scalar: NodeRef<'t>,
        array: NodeRef<'t>,
    ) -> Option<Pairs> {
        let name = catalog::builtin_operator(operator.opno())?;
        let scalar = self.known(scalar)?;
        let mut array = array;
        // An array of varchar is one of text.
        while let Kind::RelabelType(it) = array.kind() {
            array = it.arg();
        }
        let elements: Vec<Known> = match array.kind() {
            Kind::ArrayExpr(array) => array
                .elements()
                .iter()
                .map(|it| self.known(it))
                .collect::<Option<_>>()?,
            Kind::Const(array) => {
                let text = |element: Option<Vec<u8>>| element.map_or(Known::Null, Known::Text);
                array.texts()?.into_iter().map(text).collect()
            }
            _ => return None,
        };
        let each = elements
            .iter()
            .map(|element| match self.compared(&name, &scalar, element)? {
                Known::Boolean(is_true) => Some(Pairs::same(Values::boolean(is_true))),
                Known::Null => Some(NULL),
                _ => self
                    .ordinary
                    .map(|it| Pairs::same(Values::boolean(it.choice(operator.node())))),
            });
        let each: Vec<Pairs> = each.collect::<Option<_>>()?;
        if operator.useOr() {
            Pairs::or_of(each)
        } else {
            Pairs::and_of(each)
        }
    }

    /// `scalar = ANY (array)` and its siblings.
    pub(super) fn scalar_array(&mut self, operator: View<'t, pg_sys::ScalarArrayOpExpr>) -> Pairs {
        let is_strict = catalog::operator_function(operator.opno()).is_some_and(catalog::is_strict);
        let [scalar, array] = operator.args().to_vec()[..] else {
            return self.unknown(operator.node());
        };
        if let Some(pairs) = self.known_element(operator, scalar, array) {
            return pairs;
        }
        if !is_strict {
            return self.unknown(operator.node());
        }
        if let Some(is_true) = decided_by_itself(operator, scalar, array) {
            return self.value(scalar).map(|value| match value {
                Null => Null.into(),
                _ => Values::boolean(is_true),
            });
        }
        if self.is_elsewhere() && self.is_personal(scalar) && self.facts.writes_in(operator.node()) == 0 {
            let absent = if operator.useOr() { False } else { True };
            let is_filled = !self.is_stranger() && self.column_of_another(&[scalar, array]).is_some();
            let name = catalog::builtin_operator(operator.opno());
            let differs_from_one = operator.useOr() && name.as_deref() == Some(b"<>");
            return Pairs::same(if is_filled {
                if differs_from_one { True.into() } else { absent.into() }
            } else {
                Values::of(&[absent, Null])
            });
        }
        let is_any = operator.useOr();
        let absent = if is_any { False } else { True };
        if let Kind::SubLink(link) = array.kind()
            && link.subLinkType() == SubLinkType::ARRAY_SUBLINK
            && let Some(is_found) = self.membership_of_array(operator.node(), scalar, link)
        {
            return Pairs::same(Values::boolean(if is_any { is_found } else { !is_found }));
        }
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
                let Some(rows) = self.rows(link.subselect()) else {
                    return self.unknown(operator.node());
                };
                let element = rows.columns.first().copied().unwrap_or(NULL);
                over_rows(rows.counted(scalar.zip(element, call::compared), absent))
            }
            Kind::CoalesceExpr(it) if let Some(filled) = or_empty(it) => {
                let array = self.value(filled);
                let elements = over_rows(scalar.zip(Pairs::same(Values::ANY), call::compared));
                let is_filled = array.map(|array| Values::boolean(array != Null));
                is_filled.choose(elements, Pairs::one(absent, absent))
            }
            _ => {
                let array = self.value(array);
                let elements = over_rows(scalar.zip(Pairs::same(Values::ANY), call::compared));
                array.map(|array| Values::boolean(array != Null)).choose(elements, NULL)
            }
        }
    }
}
