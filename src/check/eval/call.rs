//! Functions and operators: the result for arguments of which little is known.

use pgrx::pg_sys::{self, Oid};

use crate::check::eval::Evaluator;
use crate::check::eval::domain::Value::{False, JsonNull, Null, Other, True};
use crate::check::eval::domain::{Value, Values};
use crate::check::eval::known::Known;
use crate::check::eval::pairs::Pairs;
use crate::check::eval::patterns;
use crate::check::eval::tautology::with_itself;
use crate::check::eval::types::{filled, is_boolean};
use crate::pg::catalog;
use crate::pg::nodes::{Kind, List, NodeRef, View};

impl<'t> Evaluator<'_, 't> {
    pub(super) fn function(&mut self, call: View<'t, pg_sys::FuncExpr>) -> Pairs {
        match self.readers.iter().find(|reader| reader.oid == call.funcid()) {
            Some(_) if self.ordinary.is_some() => Pairs::one(Other, Other),
            Some(reader) if reader.gives_json_null => Pairs::one(JsonNull, Other),
            Some(_) => Pairs::one(Null, Other),
            None => self.call(call.node(), Some(call.funcid()), call.args()),
        }
    }

    pub(super) fn operator(&mut self, operator: View<'t, pg_sys::OpExpr>) -> Pairs {
        let function = catalog::operator_function(operator.opno());
        let arguments = operator.args();
        let is_like_anything = || self.is_like_anything(operator.opno(), &arguments.to_vec());
        if let Some(is_true) = with_itself(operator.opno(), &arguments.to_vec()).or_else(is_like_anything)
            && let Some(argument) = arguments.iter().next()
        {
            return self.value(argument).map(|value| match value {
                Null => Null.into(),
                _ => Values::boolean(is_true),
            });
        }
        let name = catalog::builtin_operator(operator.opno());
        if let Some(pairs) = name
            .as_ref()
            .and_then(|name| self.compared_with_row(name, &arguments.to_vec()))
        {
            return pairs;
        }
        if let (Some(b"=" | b"<>"), [a, b]) = (name.as_deref(), &arguments.to_vec()[..])
            && is_boolean(*a)
            && is_boolean(*b)
        {
            let is_equality = name.as_deref() == Some(b"=");
            return self.value(*a).zip(self.value(*b), |a, b| match (a, b) {
                (Null, _) | (_, Null) => Null.into(),
                (a, b) if [True, False].contains(&a) && [True, False].contains(&b) => {
                    Values::boolean((a == b) == is_equality)
                }
                _ => Values::BOOLEAN,
            });
        }
        self.call(operator.node(), function, arguments)
    }

    /// Whether every text, or none, satisfies a comparison with a pattern: `owner LIKE '%'`; None for other comparisons.
    fn is_like_anything(&self, operator: Oid, arguments: &[NodeRef<'t>]) -> Option<bool> {
        let [_, pattern] = *arguments else {
            return None;
        };
        let operator = patterns::Operator::named(&catalog::builtin_operator(operator)?)?;
        match self.known(pattern)? {
            Known::Text(text) if operator.pattern(&text)?.is_anything() => Some(!operator.is_negated),
            _ => None,
        }
    }

    fn call(&mut self, node: NodeRef<'t>, function: Option<Oid>, arguments: List<'t>) -> Pairs {
        let Some(function) = function else {
            return self.unknown(node);
        };
        let filled = filled(node);
        if is_never_null(function) {
            return Pairs::free(filled, filled);
        }
        let arguments = arguments.to_vec();
        // An error shows no row, as NULL does.
        if raises_error_for_null(function)
            && let Some(argument) = arguments.first()
        {
            return self.value(*argument);
        }
        if is_null_for_null_text(function)
            && let Some(argument) = arguments.first()
        {
            return self.value(*argument).map(|value| match value {
                Null => Null.into(),
                _ => filled,
            });
        }
        if !catalog::is_strict(function) {
            return self.unknown(node);
        }
        if let Some(pairs) = self.array_operator(function, &arguments) {
            return pairs;
        }
        let mut all = Pairs::one(Other, Other);
        for argument in &arguments {
            all = all.zip(self.value(*argument), |before, this| decisive(before, this).into());
        }
        let unknown = if self.is_optimistic {
            Null.into()
        } else {
            filled.with(Null)
        };
        all.map(|argument| match argument {
            Null => Null.into(),
            JsonNull => of_json_null(function, &arguments, unknown),
            _ => filled.with(Null),
        })
    }
}

/// The argument of a strict function that determines its result.
fn decisive(before: Value, this: Value) -> Value {
    match (before, this) {
        (Null, _) | (_, Null) => Null,
        (JsonNull, _) | (_, JsonNull) => JsonNull,
        _ => Other,
    }
}

/// The result of `=` and other strict operators that return a boolean.
pub fn compared(a: Value, b: Value) -> Values {
    match decisive(a, b) {
        Null => Null.into(),
        _ => Values::BOOLEAN,
    }
}

/// The result of a strict function one of whose arguments is the JSON null, which contains nothing. `otherwise` for
/// functions that are not in the table.
fn of_json_null(function: Oid, arguments: &[NodeRef<'_>], otherwise: Values) -> Values {
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
        pg_sys::F_JSONB_EQ => constant_is_json_null(arguments).map_or(otherwise, Values::boolean),
        // An array contains the JSON null that is its element; the JSON null contains only itself.
        pg_sys::F_JSONB_CONTAINS => {
            constant_is_json_null(arguments.get(1..).unwrap_or_default()).map_or(otherwise, Values::boolean)
        }
        pg_sys::F_JSONB_CONTAINED => {
            constant_is_json_null(arguments.get(..1).unwrap_or_default()).map_or(otherwise, Values::boolean)
        }
        pg_sys::F_JSONB_NE => constant_is_json_null(arguments).map_or(otherwise, |is_null| Values::boolean(!is_null)),
        _ => otherwise,
    }
}

/// Whether a function returns a value for NULL, too.
fn is_never_null(function: Oid) -> bool {
    matches!(
        function.to_u32(),
        pg_sys::F_CONCAT | pg_sys::F_CONCAT_WS | pg_sys::F_FORMAT_TEXT | pg_sys::F_FORMAT_TEXT_ANY
    )
}

/// Whether a function that is not STRICT returns NULL for a NULL as its first argument, and only then.
fn is_null_for_null_text(function: Oid) -> bool {
    matches!(
        function.to_u32(),
        pg_sys::F_STRING_TO_ARRAY_TEXT_TEXT | pg_sys::F_STRING_TO_ARRAY_TEXT_TEXT_TEXT
    )
}

/// Whether a function returns its argument, or raises an error where that is NULL.
#[cfg(feature = "pg19")]
fn raises_error_for_null(function: Oid) -> bool {
    function.to_u32() == pg_sys::F_ERROR_ON_NULL
}

/// No function does, before PostgreSQL 19.
#[cfg(not(feature = "pg19"))]
fn raises_error_for_null(_function: Oid) -> bool {
    false
}

/// Whether the first constant among the arguments is the JSON null; None where there is no constant.
fn constant_is_json_null(arguments: &[NodeRef<'_>]) -> Option<bool> {
    let constant = arguments.iter().find_map(|argument| match argument.kind() {
        Kind::Const(constant) => Some(constant),
        _ => None,
    });
    constant?.is_json_null()
}
