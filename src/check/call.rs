//! What a call gives for arguments of which little is known.

use pgrx::pg_sys::{self, Node, NodeTag, Oid};

use crate::check::truth::Value::{False, JsonNull, Null, Other, True};
use crate::check::truth::{Value, Values};
use crate::pg::nodes::{is, typed};
use crate::pg::sql_types::jsonb;

/// The type that an expression gives, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Boolean,
    Json,
    Other,
}

impl Target {
    pub fn of(node: *mut Node) -> Target {
        // SAFETY: an expression.
        match unsafe { pg_sys::exprType(node) } {
            pg_sys::BOOLOID => Target::Boolean,
            pg_sys::JSONBOID | pg_sys::JSONOID => Target::Json,
            _ => Target::Other,
        }
    }

    /// A value, converted to this type.
    pub fn convert(self, value: Value) -> Values {
        match (value, self) {
            (Null, _) => Null.into(),
            (True | False, Target::Boolean) | (JsonNull, Target::Json) => value.into(),
            (Other | JsonNull, Target::Boolean) => Values::of(&[True, False]),
            _ => Other.into(),
        }
    }
}

pub fn is_boolean(node: *mut Node) -> bool {
    Target::of(node) == Target::Boolean
}

/// Everything but NULL that an expression can be.
pub fn filled(node: *mut Node) -> Values {
    match Target::of(node) {
        Target::Boolean => Values::of(&[True, False]),
        _ => Other.into(),
    }
}

/// Of the arguments of a strict function, the one that counts.
pub fn argument(before: Value, this: Value) -> Value {
    match (before, this) {
        (Null, _) | (_, Null) => Null,
        (JsonNull, _) | (_, JsonNull) => JsonNull,
        _ => Other,
    }
}

/// `=` and other strict operators that give a boolean.
pub fn compared(a: Value, b: Value) -> Values {
    match argument(a, b) {
        Null => Null.into(),
        _ => Values::BOOLEAN,
    }
}

/// What a strict function gives where one argument is the JSON null: there is nothing in it. `otherwise` for functions that
/// are not known here.
pub fn of_json_null(function: Oid, arguments: &[*mut Node], otherwise: Values) -> Values {
    match function.to_u32() {
        pg_sys::F_JSONB_OBJECT_FIELD
        | pg_sys::F_JSONB_OBJECT_FIELD_TEXT
        | pg_sys::F_JSONB_ARRAY_ELEMENT
        | pg_sys::F_JSONB_ARRAY_ELEMENT_TEXT
        | pg_sys::F_JSONB_PATH_QUERY_FIRST
        | pg_sys::F_JSONB_EXTRACT_PATH
        | pg_sys::F_JSONB_EXTRACT_PATH_TEXT
        | pg_sys::F_JSON_OBJECT_FIELD
        | pg_sys::F_JSON_OBJECT_FIELD_TEXT
        | pg_sys::F_JSON_ARRAY_ELEMENT
        | pg_sys::F_JSON_ARRAY_ELEMENT_TEXT
        | pg_sys::F_JSON_EXTRACT_PATH
        | pg_sys::F_JSON_EXTRACT_PATH_TEXT => Null.into(),
        pg_sys::F_JSONB_PATH_EXISTS
        | pg_sys::F_JSONB_PATH_EXISTS_OPR
        | pg_sys::F_JSONB_PATH_MATCH
        | pg_sys::F_JSONB_PATH_MATCH_OPR => Values::of(&[Null, False]),
        pg_sys::F_JSONB_EXISTS | pg_sys::F_JSONB_EXISTS_ANY | pg_sys::F_JSONB_EXISTS_ALL => False.into(),
        pg_sys::F_JSONB_EQ | pg_sys::F_JSONB_CONTAINS => other_is_json_null(arguments).map_or(otherwise, truth),
        pg_sys::F_JSONB_NE => other_is_json_null(arguments).map_or(otherwise, |is_null| truth(!is_null)),
        _ => otherwise,
    }
}

/// How an operator of arrays takes an `ARRAY[…]` apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OfElements {
    Any,
    All,
}

/// For `&&`, `@>` and `<@`: how the elements count, and which argument has them.
pub fn of_elements(function: Oid) -> Option<(OfElements, &'static [usize])> {
    match function.to_u32() {
        pg_sys::F_ARRAYOVERLAP => Some((OfElements::Any, &[0, 1])),
        pg_sys::F_ARRAYCONTAINS => Some((OfElements::All, &[1])),
        pg_sys::F_ARRAYCONTAINED => Some((OfElements::All, &[0])),
        _ => None,
    }
}

/// Functions that make something of NULL, too.
pub fn is_never_null(function: Oid) -> bool {
    matches!(
        function.to_u32(),
        pg_sys::F_CONCAT | pg_sys::F_CONCAT_WS | pg_sys::F_FORMAT_TEXT | pg_sys::F_FORMAT_TEXT_ANY
    )
}

pub fn truth(is_true: bool) -> Values {
    if is_true { True.into() } else { False.into() }
}

/// Whether the one constant among the arguments is the JSON null; None where there is no constant.
fn other_is_json_null(arguments: &[*mut Node]) -> Option<bool> {
    let constant = arguments.iter().find(|argument| is(**argument, NodeTag::T_Const))?;
    // SAFETY: its tag says so.
    let constant = unsafe { typed::<pg_sys::Const>(*constant) };
    if constant.constisnull || constant.consttype != pg_sys::JSONBOID {
        return None;
    }
    let null = jsonb(b"null")?;
    let both = [Some(constant.constvalue), Some(null)];
    // SAFETY: jsonb_eq takes two jsonb, which these are.
    unsafe { pgrx::direct_function_call::<bool>(pg_sys::jsonb_eq, &both) }
}
