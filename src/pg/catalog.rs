//! Lookups in PostgreSQL's catalogs. Outside of a transaction each answers as for an object that does not exist.

use std::ffi::{CStr, c_char};

use pgrx::pg_sys::{self, Datum, Oid};

use crate::pg::statement;

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

/// A copy of the name that a lookup has returned; None for null.
///
/// # Safety
/// The name is null or a C string.
unsafe fn copied(name: *const c_char) -> Option<Vec<u8>> {
    // SAFETY: not null, and the caller's promise.
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_bytes().to_vec())
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

/// Whether an object came with PostgreSQL.
pub fn is_builtin(object: Oid) -> bool {
    object.to_u32() < pg_sys::FirstNormalObjectId
}

/// The name of an operator that came with PostgreSQL.
pub fn builtin_operator(operator: Oid) -> Option<Vec<u8>> {
    // SAFETY: a lookup inside a transaction, which returns null for an operator that does not exist.
    let name = (in_transaction() && is_builtin(operator)).then(|| unsafe { pg_sys::get_opname(operator) })?;
    // SAFETY: null, or a C string in the current memory.
    unsafe { copied(name) }
}

/// The name of a function that came with PostgreSQL.
pub fn builtin_function(function: Oid) -> Option<Vec<u8>> {
    // SAFETY: a lookup inside a transaction, which returns null for a function that does not exist.
    let name = (in_transaction() && is_builtin(function)).then(|| unsafe { pg_sys::get_func_name(function) })?;
    // SAFETY: null, or a C string in the current memory.
    unsafe { copied(name) }
}

/// The name of a column; None for a column that does not exist.
pub fn column_name(table: Oid, number: i16) -> Option<Vec<u8>> {
    // SAFETY: a lookup inside a transaction; missing_ok has it return null for a column that does not exist.
    let name = in_transaction().then(|| unsafe { pg_sys::get_attname(table, number, true) })?;
    // SAFETY: null, or a C string in the current memory.
    unsafe { copied(name) }
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
    // SAFETY: a lookup inside a transaction; noerr has it return null for a role that does not exist.
    let name = in_transaction().then(|| unsafe { pg_sys::GetUserNameFromId(role, true) })?;
    // SAFETY: null, or a C string in the current memory.
    unsafe { copied(name) }
}

/// The name of a database; None for one that does not exist.
pub fn database_name(database: Oid) -> Option<Vec<u8>> {
    // SAFETY: a lookup inside a transaction, which returns null for a database that does not exist.
    let name = in_transaction().then(|| unsafe { pg_sys::get_database_name(database) })?;
    // SAFETY: null, or a C string in the current memory.
    unsafe { copied(name) }
}

/// A role by its name.
pub fn role(name: &CStr) -> Option<Oid> {
    // SAFETY: a lookup inside a transaction; missing_ok has it return 0.
    let role = in_transaction().then(|| unsafe { pg_sys::get_role_oid(name.as_ptr(), true) });
    role.and_then(existing)
}

/// Whether the user of the session can SET ROLE to this role.
pub fn session_user_can_set(role: Oid) -> bool {
    if !in_transaction() {
        return false;
    }
    let user = statement::session_user();
    #[cfg(feature = "pg15")]
    // SAFETY: a lookup inside a transaction.
    let can_set = unsafe { pg_sys::is_member_of_role(user, role) };
    #[cfg(not(feature = "pg15"))]
    // SAFETY: a lookup inside a transaction.
    let can_set = unsafe { pg_sys::member_can_set_role(user, role) };
    can_set
}

/// The user whose privileges and policies count: the owner in a SECURITY DEFINER function, unlike [`statement::role`].
fn current_user() -> Oid {
    // SAFETY: reads a global of this process.
    unsafe { pg_sys::GetUserId() }
}

/// Whether the current user has the privileges of a role.
pub fn current_user_has_privileges_of(role: Oid) -> bool {
    has_privileges_of(current_user(), role)
}

/// Why no policy applies to the current role.
pub enum Bypass {
    Superuser,
    Attribute,
}

/// The current role, in the database's encoding, if no policy applies to it.
pub fn current_user_bypasses_policies() -> Option<(Bypass, Vec<u8>)> {
    if !in_transaction() {
        return None;
    }
    let user = current_user();
    // SAFETY: a lookup inside a transaction.
    let is_superuser = unsafe { pg_sys::superuser_arg(user) };
    // SAFETY: a lookup inside a transaction.
    let bypass = match (is_superuser, unsafe { pg_sys::has_bypassrls_privilege(user) }) {
        (true, _) => Bypass::Superuser,
        (false, true) => Bypass::Attribute,
        (false, false) => return None,
    };
    Some((bypass, role_name(user)?))
}

/// Whether a role is, directly or through others, a member of another one, or the same; superusers are no exception.
pub fn is_member(member: Oid, role: Oid) -> bool {
    // SAFETY: a lookup inside a transaction.
    in_transaction() && unsafe { pg_sys::is_member_of_role_nosuper(member, role) }
}

/// Whether a role has the privileges of another one.
pub fn has_privileges_of(member: Oid, role: Oid) -> bool {
    // SAFETY: a lookup inside a transaction.
    in_transaction() && unsafe { pg_sys::has_privs_of_role(member, role) }
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
    #[cfg_attr(
        feature = "pg19",
        expect(clippy::unnecessary_cast, reason = "it is unsigned before PostgreSQL 19")
    )]
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
