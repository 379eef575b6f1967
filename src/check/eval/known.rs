//! Values that depend on no row. Plain data, and what comparisons of it are.

use pgrx::pg_sys::{self, Oid};

use crate::check::eval::numbers::{Decimal, Float};
use crate::check::who::Who;
use crate::pg::catalog;
use crate::pg::nodes::{MICROSECONDS_OF_DAY, View};
use crate::pg::statement;

/// A value that depends on no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    Null,
    Boolean(bool),
    Integer(i64),
    /// A value of type numeric, and one of type float4 or float8.
    Decimal(Decimal),
    Float(Float),
    Text(Vec<u8>),
    /// Microseconds since PostgreSQL's epoch.
    Moment(i64),
    Present,
    /// The role that the session has logged in as.
    Login,
    /// A constant of type jsonb, other than a string.
    Json(serde_json::Value),
    /// A constant of another type.
    Constant,
    /// The object at a path in the claims of an ordinary user, and its claim `role`.
    Claims(Vec<Vec<u8>>),
    Role,
    /// A claim that no constant equals.
    Personal,
    /// A claim that equals each constant that it is compared with.
    Common,
    /// A value that has any relation to a constant for one user or another.
    Vague,
}

impl Known {
    /// Whether it is a part of an ordinary user's token.
    pub fn is_of_token(&self) -> bool {
        use Known::{Claims, Common, Personal, Role, Vague};
        matches!(self, Claims(_) | Role | Personal | Common | Vague)
    }
}

/// Whether the present is compared with a moment so that the result stays for ever; a day is left for time zones.
pub(super) fn since(operator: &[u8], moment: i64) -> Option<bool> {
    let is_past = moment.saturating_add(MICROSECONDS_OF_DAY) < statement::transaction_start();
    match operator {
        b">" | b">=" | b"<>" if is_past => Some(true),
        b"<" | b"<=" | b"=" if is_past => Some(false),
        _ => None,
    }
}

/// The operator for the same operands in the opposite order.
pub(super) fn turned(operator: &[u8]) -> &[u8] {
    match operator {
        b"<" => b">",
        b"<=" => b">=",
        b">" => b"<",
        b">=" => b"<=",
        b"<@" => b"@>",
        other => other,
    }
}

pub(super) fn of_constant(constant: View<'_, pg_sys::Const>) -> Known {
    if constant.constisnull() {
        return Known::Null;
    }
    let boolean = constant.boolean().map(Known::Boolean);
    boolean
        .or_else(|| constant.integer().map(Known::Integer))
        .or_else(|| {
            constant
                .numeric()
                .and_then(|text| Decimal::parse(&text))
                .map(Known::Decimal)
        })
        .or_else(|| constant.float().map(|value| Known::Float(Float::new(value))))
        .or_else(|| constant.characters().map(Known::Text))
        .or_else(|| constant.moment().map(Known::Moment))
        .or_else(|| {
            constant
                .jsonb()
                .and_then(|text| serde_json::from_slice(&text).ok())
                .map(of_json)
        })
        .unwrap_or(Known::Constant)
}

fn of_json(value: serde_json::Value) -> Known {
    match value {
        serde_json::Value::String(text) => Known::Text(text.into()),
        other => Known::Json(other),
    }
}

/// A value that is converted to another type.
pub(super) fn converted(value: Known, to: Oid) -> Option<Known> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    match (value, to) {
        (Known::Null, _) => Some(Known::Null),
        (Known::Personal | Known::Common | Known::Role | Known::Vague, pg_sys::BOOLOID) => Some(Known::Vague),
        (value @ (Known::Personal | Known::Common | Known::Role | Known::Vague), _) => Some(value),
        (value @ Known::Claims(_), pg_sys::JSONOID | pg_sys::JSONBOID) => Some(value),
        (Known::Claims(_), _) => Some(Known::Vague),
        (Known::Text(value), pg_sys::BOOLOID) => match text(&value)?.trim().to_ascii_lowercase().as_str() {
            "t" | "true" | "on" | "yes" | "y" | "1" => Some(Known::Boolean(true)),
            "f" | "false" | "off" | "no" | "n" | "0" => Some(Known::Boolean(false)),
            _ => None,
        },
        (Known::Text(value), pg_sys::INT2OID | pg_sys::INT4OID | pg_sys::INT8OID) => {
            text(&value)?.trim().parse().ok().map(Known::Integer)
        }
        (Known::Integer(value), pg_sys::NUMERICOID) => Some(Known::Decimal(value.into())),
        (value @ Known::Decimal(_), pg_sys::NUMERICOID) => Some(value),
        (Known::Integer(value), pg_sys::FLOAT4OID | pg_sys::FLOAT8OID) => converted(Known::Decimal(value.into()), to),
        (Known::Decimal(value), pg_sys::FLOAT4OID | pg_sys::FLOAT8OID) => {
            converted(Known::Float(value.to_float()?), to)
        }
        (value @ Known::Float(_), pg_sys::FLOAT8OID) => Some(value),
        (Known::Float(value), pg_sys::FLOAT4OID) => Some(Known::Float(value.to_single())),
        (Known::Integer(value), pg_sys::BOOLOID) => Some(Known::Boolean(value != 0)),
        (Known::Integer(value), pg_sys::TEXTOID | pg_sys::VARCHAROID) => Some(Known::Text(value.to_string().into())),
        (value @ Known::Integer(_), pg_sys::INT2OID | pg_sys::INT4OID | pg_sys::INT8OID) => Some(value),
        (value @ (Known::Text(_) | Known::Login), pg_sys::TEXTOID | pg_sys::VARCHAROID | pg_sys::NAMEOID) => {
            Some(value)
        }
        (Known::Boolean(value), pg_sys::TEXTOID | pg_sys::VARCHAROID) => {
            Some(Known::Text(if value { "true" } else { "false" }.into()))
        }
        (
            value @ (Known::Present | Known::Moment(_)),
            pg_sys::DATEOID | pg_sys::TIMESTAMPOID | pg_sys::TIMESTAMPTZOID,
        ) => Some(value),
        _ => None,
    }
}

/// A role by its name or its number.
pub(super) fn role_of(value: &Known) -> Option<Oid> {
    match value {
        Known::Text(name) => Who::role_named(name),
        _ => None,
    }
}

/// The result of pg_has_role; None for other privileges, and where the role does not exist, which is an error.
pub(super) fn has_role(member: Oid, role: &Known, privilege: &[u8]) -> Option<Known> {
    let role = role_of(role)?;
    match privilege.to_ascii_uppercase().as_slice() {
        b"MEMBER" => Some(Known::Boolean(catalog::is_member(member, role))),
        b"USAGE" => Some(Known::Boolean(catalog::has_privileges_of(member, role))),
        _ => None,
    }
}
