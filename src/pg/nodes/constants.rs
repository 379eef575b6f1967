//! The values of constants.

use pgrx::pg_sys::{self, Const};
use pgrx::{FromDatum, direct_function_call};

use crate::pg::nodes::kinds::View;
use crate::pg::sql_types::jsonb;

impl View<'_, Const> {
    /// The value of a boolean; None for NULL and for other types.
    pub fn boolean(self) -> Option<bool> {
        (!self.constisnull() && self.consttype() == pg_sys::BOOLOID).then(|| self.constvalue().value() != 0)
    }

    /// A copy of a text; None for NULL and for other types.
    pub fn text(self) -> Option<Vec<u8>> {
        if self.consttype() != pg_sys::TEXTOID {
            return None;
        }
        // SAFETY: the type of the constant is text, and its datum lives as long as the tree; it is copied at once.
        unsafe { <&[u8]>::from_datum(self.constvalue(), self.constisnull()) }.map(<[u8]>::to_vec)
    }

    /// Whether a jsonb is the JSON null; None for NULL and for other types.
    pub fn is_json_null(self) -> Option<bool> {
        if self.constisnull() || self.consttype() != pg_sys::JSONBOID {
            return None;
        }
        let null = jsonb(b"null")?;
        let both = [Some(self.constvalue()), Some(null)];
        // SAFETY: jsonb_eq takes two jsonb, which these are.
        unsafe { direct_function_call::<bool>(pg_sys::jsonb_eq, &both) }
    }
}
