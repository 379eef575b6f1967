//! What a function is to the rewrite, read from the catalog once for each function of a statement.

use pgrx::pg_sys::{self, Oid};

use crate::pg::catalog;

/// Functions of PostgreSQL that raise no error for any value of their types, though they are not LEAKPROOF. They return
/// members of a jsonb by name or path. For a missing member, and for a value that is not an object, jsonfuncs.c returns NULL.
const CANNOT_FAIL: [u32; 4] = [
    pg_sys::F_JSONB_OBJECT_FIELD,
    pg_sys::F_JSONB_OBJECT_FIELD_TEXT,
    pg_sys::F_JSONB_EXTRACT_PATH,
    pg_sys::F_JSONB_EXTRACT_PATH_TEXT,
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A reader of this extension, which fails only where the identity of the session is rejected.
    Reader,
    /// A function that raises no error that depends on its arguments: it is LEAKPROOF, or one of [`CANNOT_FAIL`].
    CannotFail,
    /// Any other function.
    Other,
}

/// The functions that a statement calls.
#[derive(Default)]
pub struct Functions {
    /// This extension, or None where it is not installed; the outer None before it was looked up.
    extension: Option<Option<Oid>>,
    known: Vec<(Oid, Kind)>,
}

impl Functions {
    pub fn kind(&mut self, function: Oid) -> Kind {
        if let Some((_, kind)) = self.known.iter().find(|(known, _)| *known == function) {
            return *kind;
        }
        let kind = self.look_up(function);
        self.known.push((function, kind));
        kind
    }

    fn look_up(&mut self, function: Oid) -> Kind {
        let Some(definition) = catalog::function(function) else {
            return Kind::Other;
        };
        // Only C functions can be this extension's. SQL functions can depend on thousands of objects, all of which would
        // be read.
        if definition.is_c && definition.is_stable && self.is_ours(function) {
            Kind::Reader
        } else if definition.is_leakproof || CANNOT_FAIL.contains(&function.to_u32()) {
            Kind::CannotFail
        } else {
            Kind::Other
        }
    }

    fn is_ours(&mut self, function: Oid) -> bool {
        let extension = *self
            .extension
            .get_or_insert_with(|| catalog::extension(c"pg_session_jwt"));
        extension.is_some() && catalog::extension_of_function(function) == extension
    }
}
