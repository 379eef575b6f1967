//! What ALTER DATABASE and ALTER ROLE have stored for this session, as the catalog has it now.
//!
//! By the catalog's index, as PostgreSQL itself does it at login (pg_db_role_setting.c, ApplySetting): a query would be
//! planned for it, which took a millisecond of each connection.

use std::ptr;

use pgrx::pg_sys::{self, Datum, Oid};
use pgrx::varlena::varlena_to_byte_slice;

use crate::guc::names;

/// `catalog/pg_db_role_setting.h`: the relation, its index on database and role, its columns.
const RELATION: Oid = Oid::from_u32(2964);
const INDEX: Oid = Oid::from_u32(2965);
const SETDATABASE: i16 = 1;
const SETROLE: i16 = 2;
const SETCONFIG: i32 = 3;

/// The lock of a reader (`storage/lockdefs.h`).
const LOCK: i32 = pg_sys::AccessShareLock as i32;

/// A setting of ours: its name in small letters, and its value.
pub(crate) type Stored = (Vec<u8>, Vec<u8>);

/// What is stored for this database and the role that logged in, in the order in which the first one counts.
///
/// For callers in a transaction. It needs no transaction id, which neither a standby nor a parallel worker could give.
pub(crate) fn stored() -> Vec<Stored> {
    // SAFETY: reads a global of this process.
    let database = unsafe { pg_sys::MyDatabaseId };
    // Not that of SET SESSION AUTHORIZATION: it is only at the login that PostgreSQL applies what is stored.
    // SAFETY: as above.
    let role = unsafe { pg_sys::GetAuthenticatedUserId() };
    let any = pg_sys::InvalidOid;
    // SAFETY: a catalog that every database has, in a transaction.
    let relation = unsafe { pg_sys::table_open(RELATION, LOCK) };
    let mut found = Vec::new();
    for (database, role) in [(database, role), (any, role), (database, any), (any, any)] {
        collect(relation, database, role, &mut found);
    }
    // SAFETY: opened above, with this lock.
    unsafe { pg_sys::table_close(relation, LOCK) };
    found
}

/// What is stored for just this database and role.
fn collect(relation: pg_sys::Relation, database: Oid, role: Oid, found: &mut Vec<Stored>) {
    let mut keys = [equals(SETDATABASE, database), equals(SETROLE, role)];
    // SAFETY: an index of this relation; a null snapshot is the catalog's own; the keys outlive the scan.
    let scan = unsafe { pg_sys::systable_beginscan(relation, INDEX, true, ptr::null_mut(), 2, keys.as_mut_ptr()) };
    // The index is unique: there is one row, or none.
    // SAFETY: a scan that has begun.
    let row = unsafe { pg_sys::systable_getnext(scan) };
    if !row.is_null() {
        // SAFETY: an open relation has a descriptor.
        let columns = unsafe { (*relation).rd_att };
        let mut is_null = false;
        // SAFETY: the row is of this relation, and valid until the scan goes on.
        let settings = unsafe { pg_sys::heap_getattr(row, SETCONFIG, columns, &mut is_null) };
        if !is_null {
            each_text(settings, |setting| found.extend(ours(setting)));
        }
    }
    // SAFETY: begun above.
    unsafe { pg_sys::systable_endscan(scan) };
}

fn equals(column: i16, value: Oid) -> pg_sys::ScanKeyData {
    let mut key = pg_sys::ScanKeyData::default();
    // SAFETY: fills the key in; the function is the equality of the column's type.
    unsafe {
        pg_sys::ScanKeyInit(
            &mut key,
            column,
            pg_sys::BTEqualStrategyNumber as u16,
            pg_sys::F_OIDEQ.into(),
            value.into(),
        )
    };
    key
}

/// Shows each of an array of texts.
fn each_text(texts: Datum, mut show: impl FnMut(&[u8])) {
    // SAFETY: the column is an array, which this makes whole if it is stored elsewhere.
    let array = unsafe { pg_sys::pg_detoast_datum(texts.cast_mut_ptr()) }.cast();
    let (mut elements, mut nulls, mut count) = (ptr::null_mut(), ptr::null_mut(), 0);
    let alignment = pg_sys::TYPALIGN_INT as std::ffi::c_char;
    // SAFETY: the elements are of type text: of any length, not by value, aligned like an int (pg_type.dat).
    unsafe {
        pg_sys::deconstruct_array(
            array,
            pg_sys::TEXTOID,
            -1,
            false,
            alignment,
            &mut elements,
            &mut nulls,
            &mut count,
        )
    };
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: so many were just allocated, even if they are none, and written.
    let elements = unsafe { std::slice::from_raw_parts(elements, count) };
    // SAFETY: as above.
    let nulls = unsafe { std::slice::from_raw_parts(nulls, count) };
    for (element, _) in elements.iter().zip(nulls).filter(|(_, is_null)| !**is_null) {
        // SAFETY: not null, and so a text, within the array, which lives.
        show(unsafe { varlena_to_byte_slice(element.cast_mut_ptr()) });
    }
}

/// `name=value`, if the name has our prefix.
fn ours(setting: &[u8]) -> Option<Stored> {
    let at = setting.iter().position(|byte| *byte == b'=')?;
    let (name, value) = setting.split_at(at);
    let (name, value) = (name.to_ascii_lowercase(), value.get(1..)?);
    let of_prefix = name.strip_prefix(names::PREFIX_TEXT.as_bytes())?.starts_with(b".");
    of_prefix.then(|| (name, value.to_vec()))
}
