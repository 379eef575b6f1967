//! What the planner hook asks the catalog of functions: once for each while one statement is planned.

use pgrx::pg_sys::{self, Datum, Oid};

/// Functions of PostgreSQL that fail on no value of their types, though they are not marked LEAKPROOF: members of a jsonb
/// by name or path (jsonfuncs.c gives NULL for a value that is no object and for what is not there).
const CANNOT_FAIL: [u32; 4] = [
    pg_sys::F_JSONB_OBJECT_FIELD,
    pg_sys::F_JSONB_OBJECT_FIELD_TEXT,
    pg_sys::F_JSONB_EXTRACT_PATH,
    pg_sys::F_JSONB_EXTRACT_PATH_TEXT,
];

/// What a function is to the rewrite.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One of this extension's, which fails only where the identity of the session is refused.
    Reader,
    /// LEAKPROOF, PostgreSQL's own word for a function that raises no error that depends on its arguments; or one of
    /// [`CANNOT_FAIL`].
    CannotFail,
    /// Any other: it may fail.
    Other,
}

/// The functions that a statement was seen to call.
#[derive(Default)]
pub struct Functions {
    /// This extension, 0 where it is not installed; None before it was looked up.
    extension: Option<Oid>,
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
        let cache = pg_sys::SysCacheIdentifier::PROCOID as i32;
        // SAFETY: a catalog look-up inside of a transaction; it returns null where there is no such function.
        let row = unsafe { pg_sys::SearchSysCache1(cache, Datum::from(function)) };
        if row.is_null() {
            return Kind::Other;
        }
        // SAFETY: a row that was found.
        let start = unsafe { pg_sys::GETSTRUCT(row) }.cast::<pg_sys::FormData_pg_proc>();
        // SAFETY: a row of pg_proc begins with this struct (catalog/pg_proc.h).
        let definition = unsafe { &*start };
        let (is_leakproof, language) = (definition.proleakproof, definition.prolang);
        let is_stable = definition.provolatile == pg_sys::PROVOLATILE_STABLE as std::ffi::c_char;
        // SAFETY: found above, and not released yet.
        unsafe { pg_sys::ReleaseSysCache(row) };
        // Only C functions can be this extension's. Those of SQL can depend on thousands of objects, all of which would
        // be read.
        if language == pg_sys::Oid::from_u32(pg_sys::ClanguageId) && is_stable && self.is_ours(function) {
            Kind::Reader
        } else if is_leakproof || CANNOT_FAIL.contains(&function.to_u32()) {
            Kind::CannotFail
        } else {
            Kind::Other
        }
    }

    fn is_ours(&mut self, function: Oid) -> bool {
        let extension = *self.extension.get_or_insert_with(|| {
            // SAFETY: a catalog look-up inside of a transaction; missing_ok makes it return 0.
            unsafe { pg_sys::get_extension_oid(c"pg_session_jwt".as_ptr(), true) }
        });
        extension != pg_sys::InvalidOid
            // SAFETY: a catalog look-up inside of a transaction.
            && unsafe { pg_sys::getExtensionOfObject(pg_sys::ProcedureRelationId, function) } == extension
    }
}
