//! What an ordinary user's token gives: claims by their functions and paths, and their comparisons.

use pgrx::pg_sys::{self, Oid};

use crate::check::eval::Evaluator;
use crate::check::eval::claims;
use crate::check::eval::closed::below;
use crate::check::eval::known::Known;
use crate::check::eval::patterns;
use crate::pg::nodes::{Kind, NodeRef};

impl<'t> Evaluator<'_, 't> {
    /// A part of the token that a function returns; None for other functions, and in other sessions.
    pub(super) fn known_claim(&self, function: Oid, arguments: &[NodeRef<'t>]) -> Option<Known> {
        if self.ordinary.is_none() && !self.is_anonymous {
            return None;
        }
        if let Some(reader) = self.readers.iter().find(|reader| reader.oid == function) {
            return Some(match reader.claim {
                "session" if self.is_anonymous => Known::Json(serde_json::Value::Null),
                _ if self.is_anonymous => Known::Null,
                "session" => claims::at(&[]),
                "role" => Known::Role,
                // The claims of an organization are of various shapes.
                "organization" => Known::Vague,
                _ => Known::Personal,
            });
        }
        match function.to_u32() {
            pg_sys::F_JSONB_OBJECT_FIELD
            | pg_sys::F_JSONB_OBJECT_FIELD_TEXT
            | pg_sys::F_JSON_OBJECT_FIELD
            | pg_sys::F_JSON_OBJECT_FIELD_TEXT
            | pg_sys::F_JSONB_ARRAY_ELEMENT
            | pg_sys::F_JSONB_ARRAY_ELEMENT_TEXT
            | pg_sys::F_JSON_ARRAY_ELEMENT
            | pg_sys::F_JSON_ARRAY_ELEMENT_TEXT => {
                below(self.known(*arguments.first()?)?, &[self.known(*arguments.get(1)?)?])
            }
            pg_sys::F_JSONB_EXTRACT_PATH
            | pg_sys::F_JSONB_EXTRACT_PATH_TEXT
            | pg_sys::F_JSON_EXTRACT_PATH
            | pg_sys::F_JSON_EXTRACT_PATH_TEXT => {
                below(self.known(*arguments.first()?)?, &self.keys(*arguments.get(1)?)?)
            }
            _ => None,
        }
    }

    /// The elements of an array of constants.
    fn keys(&self, array: NodeRef<'t>) -> Option<Vec<Known>> {
        match array.kind() {
            Kind::ArrayExpr(array) => array.elements().iter().map(|key| self.known(key)).collect(),
            Kind::Const(array) => array.texts()?.into_iter().map(|key| key.map(Known::Text)).collect(),
            _ => None,
        }
    }

    /// The result of an operator whose first operand is a part of the token; None where it is not known.
    pub(super) fn compared_claim(&self, operator: &[u8], claim: &Known, other: &Known) -> Option<Known> {
        let is_equal = match (claim, other) {
            _ if other.is_of_token() => None,
            (Known::Role, Known::Text(name)) => Some(claims::is_role(name, &self.who.name)),
            (Known::Common, _) => Some(true),
            (Known::Personal | Known::Claims(_) | Known::Role, _) => Some(false),
            _ => None,
        };
        if let (Some(like), Known::Text(pattern)) = (patterns::Operator::named(operator), other) {
            return self.like_claim(like, claim, pattern, is_equal);
        }
        Some(match (operator, is_equal, claim, other) {
            (b"=", Some(is_equal), ..) => Known::Boolean(is_equal),
            (b"<>", Some(is_equal), ..) => Known::Boolean(!is_equal),
            (b"@>", _, Known::Claims(path), Known::Json(value)) => {
                claims::contain(path, value, &self.who.name).map_or(Known::Vague, Known::Boolean)
            }
            (b"?", _, Known::Claims(path), Known::Text(name)) => {
                let path: Vec<Vec<u8>> = path.iter().cloned().chain([name.clone()]).collect();
                Known::Boolean(claims::at(&path) != Known::Null)
            }
            // What a path finds in all claims may be a grant, and so may other conditions on the role.
            (_, _, Known::Claims(_) | Known::Role, _) => return None,
            _ => Known::Vague,
        })
    }
    /// The result of a comparison of a part of the token with a pattern.
    fn like_claim(
        &self,
        like: patterns::Operator,
        claim: &Known,
        text: &[u8],
        is_equal: Option<bool>,
    ) -> Option<Known> {
        if *claim == Known::Role {
            let names = [b"authenticated".as_slice(), self.who.name.as_slice()];
            let each: Option<Vec<bool>> = names.iter().map(|name| like.compares(name, text)).collect();
            return Some(Known::Boolean(each?.contains(&true)));
        }
        let pattern = like.pattern(text);
        let is_constant = pattern.as_ref().is_some_and(patterns::Pattern::is_constant);
        match (claim, is_equal) {
            (Known::Claims(_), _) => None,
            _ if pattern.is_some_and(|pattern| pattern.is_anything()) => Some(Known::Boolean(!like.is_negated)),
            (Known::Personal, Some(is_equal)) if is_constant => Some(Known::Boolean(is_equal != like.is_negated)),
            (Known::Common, _) if is_constant => Some(Known::Boolean(true)),
            _ => Some(Known::Vague),
        }
    }
}
