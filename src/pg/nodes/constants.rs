//! The values of constants.

use std::ffi::CStr;

use pgrx::pg_sys::{self, Const};
use pgrx::{FromDatum, direct_function_call};

use crate::pg::nodes::kinds::View;
use crate::pg::sql_types::jsonb;

pub const MICROSECONDS_OF_DAY: i64 = 86_400_000_000;

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

    /// A copy of a text, a varchar or a name; None for NULL and for other types.
    pub fn characters(self) -> Option<Vec<u8>> {
        if self.constisnull() {
            return None;
        }
        match self.consttype() {
            // SAFETY: a varchar is stored like a text, and its datum lives as long as the tree; it is copied at once.
            pg_sys::VARCHAROID => unsafe { <&[u8]>::from_datum(self.constvalue(), false) }.map(<[u8]>::to_vec),
            // SAFETY: a name is a C string in a field of fixed size, which lives as long as the tree; it is copied at once.
            pg_sys::NAMEOID => Some(
                unsafe { CStr::from_ptr(self.constvalue().cast_mut_ptr()) }
                    .to_bytes()
                    .to_vec(),
            ),
            _ => self.text(),
        }
    }

    /// The elements of an array of texts; None for NULL and for other types.
    pub fn texts(self) -> Option<Vec<Option<Vec<u8>>>> {
        if self.consttype() != pg_sys::TEXTARRAYOID {
            return None;
        }
        // SAFETY: the type of the constant is text[], and its datum lives as long as the tree; the elements are copied.
        let elements = unsafe { pgrx::Array::<&[u8]>::from_datum(self.constvalue(), self.constisnull()) }?;
        Some(elements.iter().map(|element| element.map(<[u8]>::to_vec)).collect())
    }

    /// The value of an integer of any size; None for NULL and for other types.
    pub fn integer(self) -> Option<i64> {
        let (value, is_null) = (self.constvalue(), self.constisnull());
        match self.consttype() {
            // SAFETY: the type of the constant is the one that is read.
            pg_sys::INT2OID => unsafe { i16::from_datum(value, is_null) }.map(i64::from),
            // SAFETY: the type of the constant is the one that is read.
            pg_sys::INT4OID => unsafe { i32::from_datum(value, is_null) }.map(i64::from),
            // SAFETY: the type of the constant is the one that is read.
            pg_sys::INT8OID => unsafe { i64::from_datum(value, is_null) },
            _ => None,
        }
    }

    /// The text of a numeric; None for NULL and for other types.
    pub fn numeric(self) -> Option<Vec<u8>> {
        if self.constisnull() || self.consttype() != pg_sys::NUMERICOID {
            return None;
        }
        // SAFETY: numeric_out takes one numeric, which this is, and returns a C string in the current memory.
        let text = unsafe { direct_function_call::<&CStr>(pg_sys::numeric_out, &[Some(self.constvalue())]) }?;
        Some(text.to_bytes().to_vec())
    }

    /// The value of a float4 or a float8; None for NULL and for other types.
    pub fn float(self) -> Option<f64> {
        let (value, is_null) = (self.constvalue(), self.constisnull());
        match self.consttype() {
            // SAFETY: the type of the constant is the one that is read.
            pg_sys::FLOAT4OID => unsafe { f32::from_datum(value, is_null) }.map(f64::from),
            // SAFETY: the type of the constant is the one that is read.
            pg_sys::FLOAT8OID => unsafe { f64::from_datum(value, is_null) },
            _ => None,
        }
    }

    /// A date or a timestamp in microseconds since PostgreSQL's epoch; None for NULL and for other types. Time zones are
    /// ignored.
    pub fn moment(self) -> Option<i64> {
        let (value, is_null) = (self.constvalue(), self.constisnull());
        match self.consttype() {
            pg_sys::DATEOID => {
                // SAFETY: a date is stored as an int4, the number of days.
                let days = unsafe { i32::from_datum(value, is_null) };
                days.map(|days| i64::from(days) * MICROSECONDS_OF_DAY)
            }
            // SAFETY: a timestamp is stored as an int8.
            pg_sys::TIMESTAMPOID | pg_sys::TIMESTAMPTZOID => unsafe { i64::from_datum(value, is_null) },
            _ => None,
        }
    }

    /// The text of a jsonb, in the database's encoding; None for NULL and for other types.
    pub fn jsonb(self) -> Option<Vec<u8>> {
        if self.constisnull() || self.consttype() != pg_sys::JSONBOID {
            return None;
        }
        // SAFETY: jsonb_out takes one jsonb, which this is, and returns a C string in the current memory.
        let text = unsafe { direct_function_call::<&CStr>(pg_sys::jsonb_out, &[Some(self.constvalue())]) }?;
        Some(text.to_bytes().to_vec())
    }

    /// The text of a jsonpath, in the database's encoding; None for NULL and for other types.
    pub fn jsonpath(self) -> Option<Vec<u8>> {
        if self.constisnull() || self.consttype() != pg_sys::JSONPATHOID {
            return None;
        }
        // SAFETY: jsonpath_out takes one jsonpath, which this is, and returns a C string in the current memory.
        let text = unsafe { direct_function_call::<&CStr>(pg_sys::jsonpath_out, &[Some(self.constvalue())]) }?;
        Some(text.to_bytes().to_vec())
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
