//! Lookups in PostgreSQL's catalogs. Outside of a transaction each answers as for an object that does not exist.

use std::ffi::{CStr, c_char};

use pgrx::pg_sys::{self, Datum, Oid};

// Not through pgrx, whose guard against errors costs more than the call: it reads the state of this process.
unsafe extern "C" {
    safe fn IsTransactionState() -> bool;
}

/// Whether a transaction is in progress, in which catalogs can be read.
pub fn in_transaction() -> bool {
    IsTransactionState()
}

/// An object's number, unless it is 0.
fn existing(object: Oid) -> Option<Oid> {
    (object != pg_sys::InvalidOid).then_some(object)
}

/// The function of an operator. In a stored expression an operator does not name it.
pub fn operator_function(operator: Oid) -> Option<Oid> {
    // SAFETY: a lookup inside a transaction, which returns 0 for an operator that does not exist.
    let function = in_transaction().then(|| unsafe { pg_sys::get_opcode(operator) });
    function.and_then(existing)
}

/// Whether an operator has this name.
pub fn operator_is_named(operator: Oid, name: &CStr) -> bool {
    if !in_transaction() {
        return false;
    }
    // SAFETY: a lookup inside a transaction, which returns null for an operator that does not exist.
    let found = unsafe { pg_sys::get_opname(operator) };
    // SAFETY: not null, hence a C string in the current memory.
    !found.is_null() && unsafe { CStr::from_ptr(found) } == name
}

/// Whether a function returns NULL whenever an argument is NULL.
pub fn is_strict(function: Oid) -> bool {
    // SAFETY: a lookup inside a transaction, which raises an error for a function that does not exist.
    in_transaction() && unsafe { pg_sys::func_strict(function) }
}

/// Whether values of a type are compared by a collation.
pub fn is_collatable(value_type: Oid) -> bool {
    // SAFETY: a lookup inside a transaction, which returns false for a type that does not exist.
    in_transaction() && unsafe { pg_sys::type_is_collatable(value_type) }
}

/// The name of a role, in the database's encoding.
pub fn role_name(role: Oid) -> Option<Vec<u8>> {
    if !in_transaction() {
        return None;
    }
    // SAFETY: a lookup inside a transaction; noerr has it return null for a role that does not exist.
    let name = unsafe { pg_sys::GetUserNameFromId(role, true) };
    // SAFETY: not null, hence a C string in the current memory.
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_bytes().to_vec())
}

/// Whether the current user has the privileges of a role.
pub fn current_user_has_privileges_of(role: Oid) -> bool {
    if !in_transaction() {
        return false;
    }
    // SAFETY: reads a global of this process.
    let user = unsafe { pg_sys::GetUserId() };
    // SAFETY: a lookup inside a transaction.
    unsafe { pg_sys::has_privs_of_role(user, role) }
}

/// What pg_proc says about a function.
pub struct Function {
    pub is_leakproof: bool,
    pub is_stable: bool,
    pub is_c: bool,
}

/// The row of a function; None where there is none.
pub fn function(function: Oid) -> Option<Function> {
    if !in_transaction() {
        return None;
    }
    let cache = pg_sys::SysCacheIdentifier::PROCOID as i32;
    // SAFETY: a lookup inside a transaction, which returns null for a function that does not exist.
    let row = unsafe { pg_sys::SearchSysCache1(cache, Datum::from(function)) };
    if row.is_null() {
        return None;
    }
    // SAFETY: a row that was found.
    let start = unsafe { pg_sys::GETSTRUCT(row) }.cast::<pg_sys::FormData_pg_proc>();
    // SAFETY: a row of pg_proc begins with this struct (catalog/pg_proc.h).
    let definition = unsafe { &*start };
    let function = Function {
        is_leakproof: definition.proleakproof,
        is_stable: definition.provolatile == pg_sys::PROVOLATILE_STABLE as c_char,
        is_c: definition.prolang == Oid::from_u32(pg_sys::ClanguageId),
    };
    // SAFETY: found above, not released yet, and not used below.
    unsafe { pg_sys::ReleaseSysCache(row) };
    Some(function)
}

/// An extension by its name.
pub fn extension(name: &CStr) -> Option<Oid> {
    // SAFETY: a lookup inside a transaction; missing_ok has it return 0.
    let extension = in_transaction().then(|| unsafe { pg_sys::get_extension_oid(name.as_ptr(), true) });
    extension.and_then(existing)
}

/// The extension that a function belongs to.
pub fn extension_of_function(function: Oid) -> Option<Oid> {
    // SAFETY: a lookup inside a transaction, which returns 0 for an object of no extension.
    let extension = || unsafe { pg_sys::getExtensionOfObject(pg_sys::ProcedureRelationId, function) };
    in_transaction().then(extension).and_then(existing)
}
