//! SQL values that pgrx would convert through UTF-8 or through a double.
//!
//! Texts stay in the database's encoding. PostgreSQL's own parser makes jsonb from the signed text. The length of a
//! presented token is checked before it is detoasted.

use std::ffi::{CStr, CString};

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::Datum as ReturnDatum;
use pgrx::memcxt::PgMemoryContexts;
use pgrx::pg_sys::{self, Datum};
use pgrx::{FromDatum, IntoDatum, direct_function_call_as_datum, impl_sql_translatable};

use crate::pg::encoding;
use crate::token::limits::MAX_TOKEN_BYTES;

/// Defines a type for values that are ready to be returned.
macro_rules! returned {
    ($(#[$doc:meta])* $name:ident, $sql:literal, $oid:ident) => {
        $(#[$doc])*
        pub struct $name(pub Datum);

        impl $name {
            /// The type in `pg_type`.
            pub const OID: pg_sys::Oid = pg_sys::$oid;
        }

        impl_sql_translatable!($name, $sql);

        // SAFETY: `impl_sql_translatable` declares the type of the datum, which the functions below made.
        unsafe impl BoxRet for $name {
            unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> ReturnDatum<'fcx> {
                // SAFETY: the datum has the type that `impl_sql_translatable` declares.
                unsafe { fcinfo.return_raw_datum(self.0) }
            }
        }
    };
}

returned!(
    /// A text in the database's encoding.
    Text,
    "text",
    TEXTOID
);
returned!(
    /// A name, such as that of a role, in the database's encoding.
    Name,
    "name",
    NAMEOID
);
returned!(
    /// A jsonb.
    Jsonb,
    "jsonb",
    JSONBOID
);
returned!(
    /// A uuid.
    Uuid,
    "uuid",
    UUIDOID
);

impl IntoDatum for Jsonb {
    fn into_datum(self) -> Option<Datum> {
        Some(self.0)
    }

    fn type_oid() -> pg_sys::Oid {
        Self::OID
    }
}

impl IntoDatum for Text {
    fn into_datum(self) -> Option<Datum> {
        Some(self.0)
    }

    fn type_oid() -> pg_sys::Oid {
        Self::OID
    }
}

impl IntoDatum for Name {
    fn into_datum(self) -> Option<Datum> {
        Some(self.0)
    }

    fn type_oid() -> pg_sys::Oid {
        Self::OID
    }
}

/// Makes a name from the bytes of one.
pub fn name(name: Vec<u8>) -> Option<Name> {
    let name = CString::new(name).ok()?;
    // SAFETY: namein takes one C string, which `name` owns until the call returns.
    unsafe { direct_function_call_as_datum(pg_sys::namein, &[Some(Datum::from(name.as_ptr()))]) }.map(Name)
}

/// Makes a text from bytes in the database's encoding.
pub fn text(text: &[u8]) -> Option<Datum> {
    let length = i32::try_from(text.len()).ok()?;
    // SAFETY: the slice has this many bytes, and PostgreSQL copies them.
    Some(unsafe { pg_sys::cstring_to_text_with_len(text.as_ptr().cast(), length) }.into())
}

/// Makes a text from UTF-8; None if the database's encoding cannot hold it.
pub fn text_from_utf8(utf8: &str) -> Option<Text> {
    encoding::to_server(utf8).and_then(|bytes| text(&bytes)).map(Text)
}

/// Makes a uuid from its bytes.
pub fn uuid(bytes: [u8; 16]) -> Option<Datum> {
    pgrx::datum::Uuid::from_bytes(bytes).into_datum()
}

/// Makes a jsonb from a text in the database's encoding that [`json::parse`](crate::token::json::parse) accepts.
pub fn jsonb(text: &[u8]) -> Option<Datum> {
    let text = CString::new(text).ok()?;
    // SAFETY: jsonb_in takes one C string, which `text` owns until the call returns.
    unsafe { direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(Datum::from(text.as_ptr()))]) }
}

/// The value of a member that the jsonb object has.
pub fn member(object: Datum, name: &str) -> Option<Datum> {
    // SAFETY: jsonb_object_field takes a jsonb, which `jsonb` made, and a text.
    unsafe { direct_function_call_as_datum(pg_sys::jsonb_object_field, &[Some(object), text(name.as_bytes())]) }
}

/// A token as an argument of an SQL function.
pub enum PresentedToken {
    /// The token.
    Text(CString),
    /// The length of a token that has too many bytes, and was therefore not detoasted.
    TooLong(usize),
}

impl_sql_translatable!(PresentedToken, "text");

impl FromDatum for PresentedToken {
    unsafe fn from_polymorphic_datum(datum: Datum, is_null: bool, _: pg_sys::Oid) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: pgrx passes the function's argument, which is declared as text and is not null.
        let bytes = unsafe { pg_sys::toast_raw_datum_size(datum) } - pg_sys::VARHDRSZ;
        if bytes > MAX_TOKEN_BYTES {
            return Some(PresentedToken::TooLong(bytes));
        }
        // SAFETY: pgrx passes the function's argument, which is declared as text and is not null.
        let text = unsafe { pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr()) };
        // SAFETY: PostgreSQL just detoasted the text, and `CString` copies it. A text has no zero byte.
        CString::new(unsafe { pgrx::varlena::varlena_to_byte_slice(text) })
            .ok()
            .map(PresentedToken::Text)
    }
}

// SAFETY: the implementation reads only the argument.
unsafe impl<'fcx> ArgAbi<'fcx> for PresentedToken {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: pgrx calls this with the function's argument, after it has found that it is not null.
        unsafe { arg.unbox_arg_using_from_datum() }.unwrap_or(PresentedToken::TooLong(0))
    }
}

/// A copy of a text, in the database's encoding.
pub struct TextBytes(pub Vec<u8>);

impl FromDatum for TextBytes {
    unsafe fn from_polymorphic_datum(datum: Datum, is_null: bool, _: pg_sys::Oid) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the caller promises a text that is not null.
        let text = unsafe { pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr()) };
        // SAFETY: a text, packed or not, as just returned; it is copied at once.
        Some(TextBytes(
            unsafe { pgrx::varlena::varlena_to_byte_slice(text) }.to_vec(),
        ))
    }

    unsafe fn from_datum_in_memory_context(
        _: PgMemoryContexts,
        datum: Datum,
        is_null: bool,
        of_type: pg_sys::Oid,
    ) -> Option<Self> {
        // The copy is in Rust's memory. The detoasted text stays in the current memory, which `auth.check()` resets after each
        // row. pgrx's default would leave it in SPI's memory until the end of all queries.
        // SAFETY: the caller's promise.
        unsafe { Self::from_polymorphic_datum(datum, is_null, of_type) }
    }
}

impl IntoDatum for TextBytes {
    fn into_datum(self) -> Option<Datum> {
        text(&self.0)
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::TEXTOID
    }
}

/// A query or expression as a catalog stores it. Only PostgreSQL makes values of its type, pg_node_tree.
pub struct StoredTree(CString);

impl StoredTree {
    pub fn as_c_str(&self) -> &CStr {
        &self.0
    }
}

impl FromDatum for StoredTree {
    unsafe fn from_polymorphic_datum(datum: Datum, is_null: bool, of_type: pg_sys::Oid) -> Option<Self> {
        // SAFETY: the caller's promise; a pg_node_tree is stored like a text (catalog/pg_type.dat).
        let text = unsafe { TextBytes::from_polymorphic_datum(datum, is_null, of_type) }?;
        CString::new(text.0).ok().map(StoredTree)
    }

    unsafe fn from_datum_in_memory_context(
        _: PgMemoryContexts,
        datum: Datum,
        is_null: bool,
        of_type: pg_sys::Oid,
    ) -> Option<Self> {
        // As for `TextBytes`: a tree may have 128 MiB.
        // SAFETY: the caller's promise.
        unsafe { Self::from_polymorphic_datum(datum, is_null, of_type) }
    }
}

impl IntoDatum for StoredTree {
    /// SQL cannot make one either.
    fn into_datum(self) -> Option<Datum> {
        None
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::PG_NODE_TREEOID
    }
}
