//! The settings that ALTER DATABASE and ALTER ROLE have stored for this session, as the catalog has them now.
//!
//! They are read by the catalog's index, as PostgreSQL itself does at login (pg_db_role_setting.c, ApplySetting). A query
//! would have to be planned, which took a millisecond of each connection.

use std::ffi::{CStr, CString};
use std::ptr;

use pgrx::pg_sys::{self, Datum, Oid};
use pgrx::varlena::varlena_to_byte_slice;

use crate::guc::names;
use crate::pg::catalog;

/// `catalog/pg_db_role_setting.h`: the relation, its index on database and role, its columns.
const RELATION: Oid = Oid::from_u32(2964);
const INDEX: Oid = Oid::from_u32(2965);
const SETDATABASE: i16 = 1;
const SETROLE: i16 = 2;
const SETCONFIG: i32 = 3;

/// The lock mode of readers (`storage/lockdefs.h`).
const LOCK: i32 = pg_sys::AccessShareLock as i32;

/// A stored setting of this library.
pub struct Stored {
    /// In lower case.
    pub name: Vec<u8>,
    pub value: Vec<u8>,
}

/// The settings that are stored for this database and the role that logged in; the first value of each applies. None of
/// them outside a transaction.
pub fn stored() -> Vec<Stored> {
    stored_for_role(login_role())
}

/// Not the role of SET SESSION AUTHORIZATION: PostgreSQL applies stored settings at the login only.
fn login_role() -> Oid {
    // SAFETY: reads a global of this process.
    unsafe { pg_sys::GetAuthenticatedUserId() }
}

/// The settings that are stored for this database and a role.
fn stored_for_role(role: Oid) -> Vec<Stored> {
    let any = pg_sys::InvalidOid;
    let database = database();
    stored_for(&[(database, role), (any, role), (database, any), (any, any)])
}

/// Like [`stored`], without those of a role.
pub fn stored_for_all_roles() -> Vec<Stored> {
    let any = pg_sys::InvalidOid;
    stored_for(&[(database(), any), (any, any)])
}

/// The settings that are stored for these pairs of a database and a role.
///
/// It needs no transaction id, which neither a standby nor a parallel worker could assign.
fn stored_for(pairs: &[(Oid, Oid)]) -> Vec<Stored> {
    if !catalog::in_transaction() {
        return Vec::new();
    }
    // SAFETY: every database has this catalog, and there is a transaction.
    let relation = unsafe { pg_sys::table_open(RELATION, LOCK) };
    let mut found = Vec::new();
    for (database, role) in pairs {
        collect(relation, *database, *role, &mut found);
    }
    // SAFETY: `relation` was opened above with this lock.
    unsafe { pg_sys::table_close(relation, LOCK) };
    found
}

/// The values of a setting that are stored for the role that logged in and, if it is another one, for `role`.
pub fn values<V>(name: &CStr, role: Oid, parse: impl Fn(&CStr) -> Option<V>) -> Vec<V> {
    let mut roles = vec![login_role(), role];
    roles.dedup();
    let first = |role: Oid| {
        let mut of_name = stored_for_role(role)
            .into_iter()
            .filter(|stored| stored.name == name.to_bytes());
        of_name.find_map(|stored| parse(&CString::new(stored.value).ok()?))
    };
    roles.into_iter().filter_map(first).collect()
}

fn database() -> Oid {
    // SAFETY: reads a global of this process.
    unsafe { pg_sys::MyDatabaseId }
}

/// Adds the settings that are stored for exactly this database and role.
fn collect(relation: pg_sys::Relation, database: Oid, role: Oid, found: &mut Vec<Stored>) {
    let mut keys = [equals(SETDATABASE, database), equals(SETROLE, role)];
    // SAFETY: INDEX is an index of this relation, a null snapshot is the catalog's own, and the keys outlive the scan.
    let scan = unsafe { pg_sys::systable_beginscan(relation, INDEX, true, ptr::null_mut(), 2, keys.as_mut_ptr()) };
    // The index is unique: there is at most one row.
    // SAFETY: the scan has begun.
    let row = unsafe { pg_sys::systable_getnext(scan) };
    if !row.is_null() {
        // SAFETY: an open relation has a descriptor.
        let columns = unsafe { (*relation).rd_att };
        let mut is_null = false;
        // SAFETY: the row is of this relation, and valid until the next step of the scan.
        let settings = unsafe { pg_sys::heap_getattr(row, SETCONFIG, columns, &mut is_null) };
        if !is_null {
            each_text(settings, |setting| found.extend(ours(setting)));
        }
    }
    // SAFETY: the scan was begun above.
    unsafe { pg_sys::systable_endscan(scan) };
}

/// The condition that a column has this value.
fn equals(column: i16, value: Oid) -> pg_sys::ScanKeyData {
    let mut key = pg_sys::ScanKeyData::default();
    // SAFETY: fills in the key; F_OIDEQ is the equality of the column's type.
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

/// Shows each text of an array.
fn each_text(texts: Datum, mut show: impl FnMut(&[u8])) {
    // SAFETY: the column is an array; this fetches and decompresses it where it is toasted.
    let array = unsafe { pg_sys::pg_detoast_datum(texts.cast_mut_ptr()) }.cast();
    let (mut elements, mut nulls, mut count) = (ptr::null_mut(), ptr::null_mut(), 0);
    let alignment = pg_sys::TYPALIGN_INT as std::ffi::c_char;
    // SAFETY: the elements have type text: any length, by reference, aligned like an int (pg_type.dat).
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
    // SAFETY: deconstruct_array has allocated and written `count` elements.
    let elements = unsafe { std::slice::from_raw_parts(elements, count) };
    // SAFETY: deconstruct_array has allocated and written `count` flags.
    let nulls = unsafe { std::slice::from_raw_parts(nulls, count) };
    for (element, _) in elements.iter().zip(nulls).filter(|(_, is_null)| !**is_null) {
        // SAFETY: an element that is not null is a text within the array, which outlives this loop.
        show(unsafe { varlena_to_byte_slice(element.cast_mut_ptr()) });
    }
}

/// Splits `name=value`; None without the prefix of this library.
fn ours(setting: &[u8]) -> Option<Stored> {
    let at = setting.iter().position(|byte| *byte == b'=')?;
    let (name, value) = setting.split_at(at);
    let (name, value) = (name.to_ascii_lowercase(), value.get(1..)?.to_vec());
    let has_prefix = name.strip_prefix(names::PREFIX.to_bytes())?.starts_with(b".");
    has_prefix.then_some(Stored { name, value })
}
