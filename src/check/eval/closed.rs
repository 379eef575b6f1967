//! Expressions that depend on no row: constants, the role, the present, and what PostgreSQL's own functions make of them.
//!
//! They are evaluated here, and not by PostgreSQL: its planner would run the functions of the policy's author.

use pgrx::pg_sys::{self, Oid, SQLValueFunctionOp as Op};
use serde_json::Value;

use crate::check::eval::Evaluator;
use crate::check::eval::bare_select::bare_select;
use crate::check::eval::claims;
use crate::check::eval::known::{Known, converted, has_role, of_constant, role_of};
use crate::check::eval::texts;
use crate::pg::catalog;
use crate::pg::nodes::{Kind, NodeRef};

impl<'t> Evaluator<'_, 't> {
    /// The value of an expression that depends on no row; None where it is not known.
    pub(super) fn known(&self, node: NodeRef<'t>) -> Option<Known> {
        if self.facts.writes_in(node) > 0 && self.is_stranger() {
            return None;
        }
        match node.kind() {
            Kind::Const(constant) => Some(of_constant(constant)),
            Kind::Var(_) => self.known_alias(self.facts.alias(node)?),
            Kind::RelabelType(it) => self.known(it.arg()),
            Kind::CollateExpr(it) => self.known(it.arg()),
            Kind::CoerceToDomain(it) => self.known(it.arg()),
            Kind::CoerceViaIO(it) => converted(self.known(it.arg())?, node.value_type()),
            Kind::SqlValueFunction(it) => self.of_session(it.op()),
            // Each of them evaluates its arguments in several ways.
            Kind::FuncExpr(call) => self.known_once(node, || {
                let arguments = call.args().to_vec();
                self.known_claim(call.funcid(), &arguments)
                    .or_else(|| self.known_call(node, call.funcid(), &arguments))
            }),
            Kind::OpExpr(operator) => self.known_once(node, || {
                let arguments = operator.args().to_vec();
                let name = catalog::builtin_operator(operator.opno())?;
                // Texts that differ can be equal by a collation of the application.
                if !catalog::is_builtin(operator.inputcollid()) {
                    return None;
                }
                let function = catalog::operator_function(operator.opno())?;
                self.known_claim(function, &arguments)
                    .or_else(|| self.known_operator(operator.opno(), &name, &arguments))
                    .or_else(|| self.known_call(node, function, &arguments))
            }),
            Kind::CoalesceExpr(coalesce) => {
                let mut arguments = coalesce.args().iter().map(|argument| self.known(argument));
                arguments
                    .find(|value| *value != Some(Known::Null))
                    .unwrap_or(Some(Known::Null))
            }
            Kind::DistinctExpr(operator) => {
                let [a, b] = operator.args().to_vec()[..] else {
                    return None;
                };
                let name = catalog::builtin_operator(operator.opno())?;
                match (self.known(a)?, self.known(b)?) {
                    (Known::Null, Known::Null) => Some(Known::Boolean(false)),
                    (Known::Null, _) | (_, Known::Null) => Some(Known::Boolean(true)),
                    (a, b) => match self.compared(&name, &a, &b)? {
                        Known::Boolean(is_equal) => Some(Known::Boolean(!is_equal)),
                        other => Some(other),
                    },
                }
            }
            Kind::NullIfExpr(operator) => {
                let [a, b] = operator.args().to_vec()[..] else {
                    return None;
                };
                let (a, b) = (self.known(a)?, self.known(b)?);
                match self.compared(&catalog::builtin_operator(operator.opno())?, &a, &b)? {
                    Known::Boolean(true) => Some(Known::Null),
                    Known::Boolean(false) | Known::Null => Some(a),
                    _ => None,
                }
            }
            Kind::SubscriptingRef(it) => {
                let keys: Option<Vec<Known>> = it.refupperindexpr().iter().map(|key| self.known(key)).collect();
                below(self.known(it.refexpr())?, &keys?)
            }
            Kind::SubLink(link) => match bare_select(link).or_else(|| self.bare_source(link)) {
                Some(expression) => self.known(expression),
                None => self.known_of_rows(link),
            },
            _ => None,
        }
    }

    fn of_session(&self, function: Op::Type) -> Option<Known> {
        match function {
            Op::SVFOP_CURRENT_ROLE | Op::SVFOP_CURRENT_USER | Op::SVFOP_USER => Some(self.role()),
            Op::SVFOP_SESSION_USER => Some(Known::Login),
            Op::SVFOP_CURRENT_DATE
            | Op::SVFOP_CURRENT_TIMESTAMP
            | Op::SVFOP_CURRENT_TIMESTAMP_N
            | Op::SVFOP_LOCALTIMESTAMP
            | Op::SVFOP_LOCALTIMESTAMP_N => Some(Known::Present),
            _ => None,
        }
    }

    /// The name of the end user's role.
    fn role(&self) -> Known {
        Known::Text(self.who.name.clone())
    }

    /// The values, with the claim `role` as the one text that it then is.
    fn with_role(&self, values: &[Known]) -> Vec<Known> {
        let is_one = self.who.name == b"authenticated";
        let each = values.iter().map(|value| match value {
            Known::Role if is_one => self.role(),
            value => value.clone(),
        });
        each.collect()
    }

    fn known_call(&self, node: NodeRef<'t>, function: Oid, arguments: &[NodeRef<'t>]) -> Option<Known> {
        if !catalog::is_builtin(function) {
            return None;
        }
        match function.to_u32() {
            pg_sys::F_CURRENT_USER => return Some(self.role()),
            pg_sys::F_SESSION_USER => return Some(Known::Login),
            pg_sys::F_NOW
            | pg_sys::F_TRANSACTION_TIMESTAMP
            | pg_sys::F_STATEMENT_TIMESTAMP
            | pg_sys::F_CLOCK_TIMESTAMP => return Some(Known::Present),
            _ => {}
        }
        let values: Option<Vec<Known>> = arguments.iter().map(|argument| self.known(*argument)).collect();
        let values = values?;
        if values.contains(&Known::Null) && catalog::is_strict(function) {
            return Some(Known::Null);
        }
        if let Some(result) = texts::result(function, &self.with_role(&values)) {
            return Some(result);
        }
        match (function.to_u32(), &values[..]) {
            // The setting that SET ROLE writes.
            (pg_sys::F_CURRENT_SETTING_TEXT | pg_sys::F_CURRENT_SETTING_TEXT_BOOL, [Known::Text(name), ..])
                if name.eq_ignore_ascii_case(b"role") =>
            {
                Some(self.role())
            }
            (pg_sys::F_PG_HAS_ROLE_NAME_TEXT | pg_sys::F_PG_HAS_ROLE_OID_TEXT, [role, Known::Text(privilege)]) => {
                has_role(self.who.role, role, privilege)
            }
            (
                pg_sys::F_PG_HAS_ROLE_NAME_NAME_TEXT
                | pg_sys::F_PG_HAS_ROLE_NAME_OID_TEXT
                | pg_sys::F_PG_HAS_ROLE_OID_NAME_TEXT
                | pg_sys::F_PG_HAS_ROLE_OID_OID_TEXT,
                [member, role, Known::Text(privilege)],
            ) => has_role(role_of(member)?, role, privilege),
            (pg_sys::F_JSONB_TYPEOF, [Known::Claims(_)]) => Some(Known::Text("object".into())),
            (pg_sys::F_LOWER_TEXT | pg_sys::F_UPPER_TEXT | pg_sys::F_BTRIM_TEXT, [value]) if value.is_of_token() => {
                Some(value.clone())
            }
            (_, [value, ..]) if is_cast(node) => converted(value.clone(), node.value_type()),
            // What a path finds in all claims may be a grant, and so may a part of the role's name.
            _ if values
                .iter()
                .any(|value| matches!(value, Known::Claims(_) | Known::Role)) =>
            {
                None
            }
            _ if values.iter().any(Known::is_of_token) => Some(Known::Vague),
            _ => None,
        }
    }
}

/// The claim that keys lead to from a value.
pub(super) fn below(value: Known, keys: &[Known]) -> Option<Known> {
    match value {
        Known::Null | Known::Json(Value::Null) => Some(Known::Null),
        Known::Claims(mut path) => {
            for key in keys {
                match key {
                    Known::Text(name) => path.push(name.clone()),
                    Known::Integer(index) => path.push(index.to_string().into()),
                    _ => return None,
                }
            }
            Some(claims::at(&path))
        }
        Known::Json(value) => member(&value, keys),
        value if value.is_of_token() && keys.is_empty() => Some(value),
        value if value.is_of_token() => Some(Known::Null),
        _ => None,
    }
}

/// The string that keys lead to in a constant, or NULL where there is nothing; None for other values.
fn member(value: &Value, keys: &[Known]) -> Option<Known> {
    let Some((key, rest)) = keys.split_first() else {
        return match value {
            Value::String(text) => Some(Known::Text(text.clone().into())),
            Value::Object(_) => Some(Known::Json(value.clone())),
            _ => None,
        };
    };
    let inner = match (value, key) {
        (Value::Object(members), Known::Text(name)) => members.get(std::str::from_utf8(name).ok()?),
        (Value::Array(elements), Known::Text(_) | Known::Integer(_)) if elements.is_empty() => None,
        (Value::Object(_), Known::Integer(_)) => None,
        _ => return None,
    };
    inner.map_or(Some(Known::Null), |inner| member(inner, rest))
}

/// Whether a call is a cast, as in `name::text`.
fn is_cast(node: NodeRef<'_>) -> bool {
    match node.kind() {
        Kind::FuncExpr(call) => call.funcformat() != pg_sys::CoercionForm::COERCE_EXPLICIT_CALL,
        _ => false,
    }
}
