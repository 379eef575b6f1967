//! Names and texts, quoted for a statement.

use std::ffi::{CStr, CString};

use pgrx::pg_sys;

use crate::pg::catalog;

/// The name of this database as an identifier, in the database's encoding. None outside of a transaction.
pub fn database_name() -> Option<Vec<u8>> {
    if !catalog::in_transaction() {
        return None;
    }
    // SAFETY: reads a global of this process.
    let database = unsafe { pg_sys::MyDatabaseId };
    // SAFETY: a lookup inside a transaction, which returns null for a database that does not exist.
    let name = unsafe { pg_sys::get_database_name(database) };
    if name.is_null() {
        return None;
    }
    // SAFETY: a C string; the function returns it, or a quoted copy in the current memory.
    let quoted = unsafe { pg_sys::quote_identifier(name) };
    // SAFETY: a C string, as just returned; it is copied at once.
    Some(unsafe { CStr::from_ptr(quoted) }.to_bytes().to_vec())
}

/// A text as a literal, whatever `standard_conforming_strings` is. None for a text with a zero byte.
pub fn literal(text: &str) -> Option<Vec<u8>> {
    let text = CString::new(text).ok()?;
    // SAFETY: a C string, which the function copies.
    let quoted = unsafe { pg_sys::quote_literal_cstr(text.as_ptr()) };
    // SAFETY: a C string in the current memory, copied at once.
    Some(unsafe { CStr::from_ptr(quoted) }.to_bytes().to_vec())
}
