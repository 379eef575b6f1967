//! Names that a tree contains.

use std::ffi::{CStr, c_char};

use pgrx::pg_sys;

use crate::pg::nodes::kinds::View;

impl<'t> View<'t, pg_sys::CommonTableExpr> {
    /// The name of the query in WITH.
    pub fn name(self) -> Option<&'t [u8]> {
        bytes(self.ctename())
    }
}

impl<'t> View<'t, pg_sys::RangeTblEntry> {
    /// The name of the query in WITH that an entry of FROM refers to; None for other entries.
    pub fn name_in_with(self) -> Option<&'t [u8]> {
        bytes(self.ctename())
    }
}

/// The bytes of a name in a tree.
fn bytes<'t>(name: *mut c_char) -> Option<&'t [u8]> {
    // SAFETY: a member of a node, which is null or a C string of the same tree; only slots of the tree change.
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_bytes())
}
