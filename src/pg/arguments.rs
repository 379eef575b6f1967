//! Arguments of SQL functions whose length is checked before they are detoasted.

use std::ffi::CStr;

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::pg_sys::{self, Datum};
use pgrx::{FromDatum, direct_function_call_as_datum, impl_sql_translatable};

/// The maximum number of bytes of such an argument.
pub const MAX_BYTES: usize = 16 * 1024;

/// A text in the database's encoding; None where it has more than [`MAX_BYTES`].
pub struct ShortText(pub Option<Vec<u8>>);

/// The text of a jsonb in the database's encoding; None where the jsonb has more than [`MAX_BYTES`].
pub struct ShortJsonb(pub Option<Vec<u8>>);

impl_sql_translatable!(ShortText, "text");
impl_sql_translatable!(ShortJsonb, "jsonb");

/// Whether a value is short enough. It must be of variable length, and not null.
fn is_short(datum: Datum) -> bool {
    // SAFETY: the callers pass an argument of the type text or jsonb, which is not null.
    let bytes = unsafe { pg_sys::toast_raw_datum_size(datum) };
    bytes.saturating_sub(pg_sys::VARHDRSZ) <= MAX_BYTES
}

impl FromDatum for ShortText {
    unsafe fn from_polymorphic_datum(datum: Datum, is_null: bool, _: pg_sys::Oid) -> Option<Self> {
        if is_null {
            return None;
        }
        if !is_short(datum) {
            return Some(ShortText(None));
        }
        // SAFETY: pgrx passes the function's argument, which is declared as text and is not null.
        let text = unsafe { pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr()) };
        // SAFETY: a text, as just detoasted; it is copied at once.
        let bytes = unsafe { pgrx::varlena::varlena_to_byte_slice(text) }.to_vec();
        Some(ShortText(Some(bytes)))
    }
}

impl FromDatum for ShortJsonb {
    unsafe fn from_polymorphic_datum(datum: Datum, is_null: bool, _: pg_sys::Oid) -> Option<Self> {
        if is_null {
            return None;
        }
        if !is_short(datum) {
            return Some(ShortJsonb(None));
        }
        // SAFETY: jsonb_out takes a jsonb, which is what pgrx passes, and detoasts it.
        let text = unsafe { direct_function_call_as_datum(pg_sys::jsonb_out, &[Some(datum)]) }?;
        // SAFETY: jsonb_out returns a C string in the current memory; it is copied at once.
        let bytes = unsafe { CStr::from_ptr(text.cast_mut_ptr()) }.to_bytes().to_vec();
        Some(ShortJsonb(Some(bytes)))
    }
}

// SAFETY: the implementation reads only the argument.
unsafe impl<'fcx> ArgAbi<'fcx> for ShortText {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: pgrx calls this with the function's argument. The functions are STRICT, so it is not null.
        unsafe { arg.unbox_arg_using_from_datum() }.unwrap_or(ShortText(None))
    }
}

// SAFETY: the implementation reads only the argument.
unsafe impl<'fcx> ArgAbi<'fcx> for ShortJsonb {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: pgrx calls this with the function's argument. The functions are STRICT, so it is not null.
        unsafe { arg.unbox_arg_using_from_datum() }.unwrap_or(ShortJsonb(None))
    }
}
