//! Comparisons and calculations of values that depend on no row.

use pgrx::pg_sys::Oid;
use serde_json::Value;

use crate::check::eval::Evaluator;
use crate::check::eval::known::{Known, since, turned};
use crate::check::eval::patterns;
use crate::check::eval::tautology::with_itself;
use crate::pg::nodes::{MICROSECONDS_OF_DAY, NodeRef};

impl<'t> Evaluator<'_, 't> {
    pub(super) fn known_operator(&self, operator: Oid, name: &[u8], arguments: &[NodeRef<'t>]) -> Option<Known> {
        let [a, b] = *arguments else {
            return None;
        };
        if let Some(is_true) = with_itself(operator, arguments) {
            return match self.known(a)? {
                Known::Null => Some(Known::Null),
                _ => Some(Known::Boolean(is_true)),
            };
        }
        self.compared(name, &self.known(a)?, &self.known(b)?)
    }

    /// The result of a comparison or a calculation; None where it is not known.
    pub(super) fn compared(&self, operator: &[u8], a: &Known, b: &Known) -> Option<Known> {
        use Known::{Boolean, Constant, Decimal, Float, Integer, Json, Login, Moment, Null, Present, Text};
        let is_equality = matches!(operator, b"=" | b"<>");
        let order = match (a, b) {
            (Null, _) | (_, Null) => return Some(Null),
            _ if a.is_of_token() => return self.compared_claim(operator, a, b),
            _ if b.is_of_token() => return self.compared_claim(turned(operator), b, a),
            (Json(value), Text(name)) if operator == b"?" => return has_name(value, name).map(Boolean),
            (Json(value), Json(part)) if operator == b"@>" => return contains(value, part).map(Boolean),
            (Json(part), Json(value)) if operator == b"<@" => return contains(value, part).map(Boolean),
            (Integer(a), Integer(b)) => a.cmp(b),
            (Decimal(a), Decimal(b)) => a.order(*b)?,
            (Float(a), Float(b)) => a.order(*b),
            (Boolean(a), Boolean(b)) => a.cmp(b),
            // They may be of types that differ by a time zone.
            (Moment(a), Moment(b)) if a.abs_diff(*b) > MICROSECONDS_OF_DAY.unsigned_abs() => a.cmp(b),
            (Text(text), Text(pattern)) if let Some(like) = patterns::Operator::named(operator) => {
                return like.compares(text, pattern).map(Boolean);
            }
            // Texts are sorted by a collation.
            (Text(a), Text(b)) if a == b || is_equality => a.cmp(b),
            (Login, Text(name)) | (Text(name), Login) if is_equality => {
                return Some(Boolean(self.who.may_log_in_as(name) == (operator == b"=")));
            }
            (Present, Moment(moment)) => return since(operator, *moment).map(Boolean),
            (Moment(moment), Present) => return since(turned(operator), *moment).map(Boolean),
            (Constant, _) | (_, Constant) => return None,
            _ => return None,
        };
        match operator {
            b"=" => Some(Boolean(order.is_eq())),
            b"<>" => Some(Boolean(order.is_ne())),
            b"<" => Some(Boolean(order.is_lt())),
            b"<=" => Some(Boolean(order.is_le())),
            b">" => Some(Boolean(order.is_gt())),
            b">=" => Some(Boolean(order.is_ge())),
            _ => calculated(operator, a, b),
        }
    }
}

/// The result of a calculation. Integers that are too large for their type are an error, which shows no row.
fn calculated(operator: &[u8], a: &Known, b: &Known) -> Option<Known> {
    match (a, b) {
        (Known::Integer(a), Known::Integer(b)) => match operator {
            b"+" => a.checked_add(*b),
            b"-" => a.checked_sub(*b),
            b"*" => a.checked_mul(*b),
            b"/" => a.checked_div(*b),
            b"%" => a.checked_rem(*b),
            _ => None,
        }
        .map(Known::Integer),
        (Known::Decimal(a), Known::Decimal(b)) => a.calculated(operator, *b).map(Known::Decimal),
        (Known::Float(a), Known::Float(b)) => a.calculated(operator, *b).map(Known::Float),
        _ => None,
    }
}

/// Whether a JSON value has a name among its members or its elements.
fn has_name(value: &Value, name: &[u8]) -> Option<bool> {
    let name = std::str::from_utf8(name).ok()?;
    match value {
        Value::Object(members) => Some(members.contains_key(name)),
        Value::Array(elements) => Some(elements.iter().any(|element| element == name)),
        _ => None,
    }
}

/// Whether a JSON value contains another one; None for arrays with elements, and for numbers, which have several forms.
fn contains(value: &Value, part: &Value) -> Option<bool> {
    match (value, part) {
        (Value::Object(members), Value::Object(parts)) => {
            for (name, part) in parts {
                let Some(member) = members.get(name) else {
                    return Some(false);
                };
                if !contains(member, part)? {
                    return Some(false);
                }
            }
            Some(true)
        }
        (Value::Array(elements), Value::Array(parts)) if elements.is_empty() => Some(parts.is_empty()),
        (Value::Array(_), _) | (Value::Number(_), Value::Number(_)) => None,
        _ => Some(value == part),
    }
}
