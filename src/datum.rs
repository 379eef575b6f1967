//! SQL values that pgrx would pass through UTF-8 or through a double: texts of the database's encoding, jsonb made
//! from the signed text by PostgreSQL's own parser, and a token whose length is looked at before it is unpacked.

use std::ffi::CString;

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::Datum as ReturnDatum;
use pgrx::pg_sys::{self, Datum};
use pgrx::{FromDatum, IntoDatum, direct_function_call_as_datum, impl_sql_translatable};

use crate::token::compact::MAX_TOKEN_BYTES;

/// A text in the database's encoding.
pub struct Text(Vec<u8>);

impl_sql_translatable!(Text, "text");

impl Text {
    pub fn new(text: &[u8]) -> Self {
        Text(text.to_owned())
    }
}

impl IntoDatum for Text {
    fn into_datum(self) -> Option<Datum> {
        let length = i32::try_from(self.0.len()).ok()?;
        // SAFETY: the bytes live across the call, which copies them.
        Some(unsafe { pg_sys::cstring_to_text_with_len(self.0.as_ptr().cast(), length) }.into())
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::TEXTOID
    }
}

// SAFETY: the datum is of the type that `impl_sql_translatable` declares.
unsafe impl BoxRet for Text {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> ReturnDatum<'fcx> {
        match self.into_datum() {
            // SAFETY: as above.
            Some(datum) => unsafe { fcinfo.return_raw_datum(datum) },
            None => fcinfo.return_null(),
        }
    }
}

/// A jsonb value.
pub struct Jsonb(Datum);

impl_sql_translatable!(Jsonb, "jsonb");

impl Jsonb {
    /// From a JSON text in the database's encoding that [`json::parse`](crate::token::json::parse) has passed.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = CString::new(text).ok()?;
        // SAFETY: jsonb_in takes one C string, which lives across the call.
        unsafe { direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(Datum::from(text.as_ptr()))]) }.map(Jsonb)
    }

    /// The JSON `null`, which is not the SQL NULL.
    pub fn null() -> Option<Self> {
        Jsonb::parse(b"null")
    }

    /// The value of a member that is known to be there.
    pub fn member(&self, name: &str) -> Option<Self> {
        let name = Text::new(name.as_bytes()).into_datum();
        // SAFETY: jsonb_object_field takes a jsonb and a text.
        unsafe { direct_function_call_as_datum(pg_sys::jsonb_object_field, &[Some(self.0), name]) }.map(Jsonb)
    }
}

// SAFETY: the datum is of the type that `impl_sql_translatable` declares.
unsafe impl BoxRet for Jsonb {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> ReturnDatum<'fcx> {
        // SAFETY: as above.
        unsafe { fcinfo.return_raw_datum(self.0) }
    }
}

/// A token as it is presented.
pub enum PresentedToken {
    /// Its bytes.
    Text(CString),
    /// Its length, which is more than a token may have: it was not unpacked.
    TooLong(usize),
}

impl_sql_translatable!(PresentedToken, "text");

impl FromDatum for PresentedToken {
    unsafe fn from_polymorphic_datum(datum: Datum, is_null: bool, _: pg_sys::Oid) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the argument is declared as text and is not null.
        let bytes = unsafe { pg_sys::toast_raw_datum_size(datum) } - pg_sys::VARHDRSZ;
        if bytes > MAX_TOKEN_BYTES {
            return Some(PresentedToken::TooLong(bytes));
        }
        // SAFETY: as above.
        let text = unsafe { pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr()) };
        // SAFETY: as above; the bytes are copied while they live. A text has no zero byte.
        CString::new(unsafe { pgrx::varlena::varlena_to_byte_slice(text) })
            .ok()
            .map(PresentedToken::Text)
    }
}

// SAFETY: reads nothing but the argument.
unsafe impl<'fcx> ArgAbi<'fcx> for PresentedToken {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the functions that take one are STRICT.
        unsafe { arg.unbox_arg_using_from_datum() }.unwrap_or(PresentedToken::TooLong(0))
    }
}
