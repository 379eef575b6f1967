//! A key that was set for the database or the role of this session, and that PostgreSQL has thrown away.
//!
//! `pg_session_jwt.jwk` cannot be set by ALTER DATABASE or ALTER ROLE. While the library is not loaded the command is
//! accepted all the same; when the library is then preloaded, PostgreSQL skips the value at each login with a WARNING
//! and no hook hears of it. Without this look into the catalog the session would go on in a weaker mode.
//!
//! By the catalog's index, as PostgreSQL itself does it at login (pg_db_role_setting.c, ApplySetting): a query would be
//! planned for it, which took a millisecond of each connection.

use std::cell::Cell;
use std::ptr;

use pgrx::pg_sys::{self, Datum, Oid};
use pgrx::varlena::varlena_to_byte_slice;

use super::name;

/// `catalog/pg_db_role_setting.h`: the relation, its index on database and role, its columns.
const RELATION: Oid = Oid::from_u32(2964);
const INDEX: Oid = Oid::from_u32(2965);
const SETDATABASE: i16 = 1;
const SETROLE: i16 = 2;
const SETCONFIG: i32 = 3;

/// The lock of a reader (`storage/lockdefs.h`).
const LOCK: i32 = pg_sys::AccessShareLock as i32;

thread_local! {
    static FOUND: Cell<Option<bool>> = const { Cell::new(None) };
}

/// Whether there is such a key. The catalog counts as it was when it was first asked, at most once in a session:
/// PostgreSQL itself reads it at login only.
///
/// For callers in a transaction. It needs no transaction id, which neither a standby nor a parallel worker could give.
pub fn has_skipped_key() -> bool {
    FOUND.get().unwrap_or_else(|| {
        let found = look();
        FOUND.set(Some(found));
        found
    })
}

fn look() -> bool {
    // SAFETY: reads a global of this process.
    let database = unsafe { pg_sys::MyDatabaseId };
    // SAFETY: as above.
    let role = unsafe { pg_sys::GetSessionUserId() };
    let any = pg_sys::InvalidOid;
    // SAFETY: a catalog that every database has, in a transaction.
    let relation = unsafe { pg_sys::table_open(RELATION, LOCK) };
    let found = [(database, role), (any, role), (database, any), (any, any)]
        .into_iter()
        .any(|(database, role)| holds_key(relation, database, role));
    // SAFETY: opened above, with this lock.
    unsafe { pg_sys::table_close(relation, LOCK) };
    found
}

/// Whether a key is stored for just this database and role.
fn holds_key(relation: pg_sys::Relation, database: Oid, role: Oid) -> bool {
    let mut keys = [equals(SETDATABASE, database), equals(SETROLE, role)];
    // SAFETY: an index of this relation; a null snapshot is the catalog's own; the keys outlive the scan.
    let scan = unsafe { pg_sys::systable_beginscan(relation, INDEX, true, ptr::null_mut(), 2, keys.as_mut_ptr()) };
    let mut found = false;
    // The index is unique: there is one row, or none.
    // SAFETY: a scan that has begun.
    let row = unsafe { pg_sys::systable_getnext(scan) };
    if !row.is_null() {
        // SAFETY: an open relation has a descriptor.
        let columns = unsafe { (*relation).rd_att };
        let mut is_null = false;
        // SAFETY: the row is of this relation, and valid until the scan goes on.
        let settings = unsafe { pg_sys::heap_getattr(row, SETCONFIG, columns, &mut is_null) };
        found = !is_null && holds(settings, is_key);
    }
    // SAFETY: begun above.
    unsafe { pg_sys::systable_endscan(scan) };
    found
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

/// Whether an array of texts has one that `wanted` wants.
fn holds(texts: Datum, wanted: impl Fn(&[u8]) -> bool) -> bool {
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
    elements.iter().zip(nulls).any(|(element, is_null)| {
        // SAFETY: not null, and so a text, within the array, which lives.
        !is_null && wanted(unsafe { varlena_to_byte_slice(element.cast_mut_ptr()) })
    })
}

/// Whether `name=value` sets the key, to something.
fn is_key(setting: &[u8]) -> bool {
    let name = name::JWK_TEXT.as_bytes();
    match setting.split_at_checked(name.len()) {
        Some((before, [b'=', value @ ..])) => before.eq_ignore_ascii_case(name) && !value.is_empty(),
        _ => false,
    }
}
