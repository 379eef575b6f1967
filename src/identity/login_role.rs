//! Which roles a token opens whose provider does not name any.
//!
//! The user chooses the role, so it must be an end user's: what `authenticated` may not be where it is installed
//! (`sql/roles.sql`), and more. A login can look at roles, memberships and databases, which belong to the whole cluster.
//! Who owns schemas, functions and tables can be seen in the database only: there the session is ended at its first
//! statement or function.

use std::cell::RefCell;
use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pgrx::pg_sys::{self, Oid};
use pgrx::prelude::*;

use crate::error::Failure;
use crate::guc::names;

/// The lock of a reader (`storage/lockdefs.h`).
const LOCK: c_int = pg_sys::AccessShareLock as c_int;

/// `relkind` of what has rows.
const WITH_ROWS: [u8; 5] = [
    pg_sys::RELKIND_RELATION,
    pg_sys::RELKIND_PARTITIONED_TABLE,
    pg_sys::RELKIND_VIEW,
    pg_sys::RELKIND_MATVIEW,
    pg_sys::RELKIND_FOREIGN_TABLE,
];

/// Whether a role is, or can become by whatever membership, one that stands above end users: with SUPERUSER, BYPASSRLS,
/// CREATEROLE, REPLICATION or CREATEDB, predefined (each of PostgreSQL's own opens something of the server or of
/// others), or the owner of a database. A role that is not there is PostgreSQL's to refuse.
pub(crate) fn is_more_than_an_end_user(role: &CStr) -> bool {
    // PostgreSQL itself looks roles up at a login, in a transaction.
    // SAFETY: reads the transaction state of this process.
    if !unsafe { pg_sys::IsTransactionState() } {
        return true;
    }
    // SAFETY: a look-up in a transaction; with missing_ok it returns 0 where there is no such role.
    let role = unsafe { pg_sys::get_role_oid(role.as_ptr(), true) };
    if role == pg_sys::InvalidOid {
        return false;
    }
    any(pg_sys::AuthIdRelationId, |row: &pg_sys::FormData_pg_authid, _, _| {
        let has_rights = row.rolsuper || row.rolbypassrls || row.rolcreaterole || row.rolreplication || row.rolcreatedb;
        (has_rights || row.oid.to_u32() < pg_sys::FirstNormalObjectId) && is_member(role, row.oid)
    }) || any(
        pg_sys::DatabaseRelationId,
        |row: &pg_sys::FormData_pg_database, _, _| is_member(role, row.datdba),
    )
}

/// Whether the role that logged in is, or can become, who decides what others reach in this database: the owner of a
/// schema, of a function, of a table that others reach; or may set one of this extension's settings.
fn decides_for_others() -> bool {
    // SAFETY: reads a global of this process, which has a session user.
    let role = unsafe { pg_sys::GetAuthenticatedUserId() };
    let is_temporary = |schema: Oid| {
        // SAFETY: a catalog look-up in a transaction.
        unsafe { pg_sys::isAnyTempNamespace(schema) }
    };
    may_set_ours(role)
        || any(
            pg_sys::NamespaceRelationId,
            |row: &pg_sys::FormData_pg_namespace, _, _| is_member(role, row.nspowner),
        )
        || any(pg_sys::ProcedureRelationId, |row: &pg_sys::FormData_pg_proc, _, _| {
            is_member(role, row.proowner) && !is_temporary(row.pronamespace)
        })
        || owns_what_others_reach(role)
}

/// Whether it owns a table that others reach: one with row-level security, or with privileges that somebody has granted, on
/// it or on a column of it.
fn owns_what_others_reach(role: Oid) -> bool {
    let is_granted = |tuple, columns, number: u32| {
        let mut is_null = false;
        // SAFETY: the row is of the relation that is scanned, and valid until the scan goes on.
        unsafe { pg_sys::heap_getattr(tuple, number as i32, columns, &mut is_null) };
        !is_null
    };
    let own = RefCell::new(Vec::new());
    any(
        pg_sys::RelationRelationId,
        |row: &pg_sys::FormData_pg_class, tuple, columns| {
            let is_own = WITH_ROWS.contains(&(row.relkind as u8))
                && row.relpersistence as u8 != pg_sys::RELPERSISTENCE_TEMP
                && is_member(role, row.relowner);
            if is_own {
                own.borrow_mut().push(row.oid);
            }
            is_own && (row.relrowsecurity || is_granted(tuple, columns, pg_sys::Anum_pg_class_relacl))
        },
    ) || !own.borrow().is_empty()
        && any(
            pg_sys::AttributeRelationId,
            |row: &pg_sys::FormData_pg_attribute, tuple, columns| {
                own.borrow().contains(&row.attrelid) && is_granted(tuple, columns, pg_sys::Anum_pg_attribute_attacl)
            },
        )
}

/// Whether a superuser has granted it a setting that trust rests on (`GRANT SET ON PARAMETER`).
fn may_set_ours(role: Oid) -> bool {
    let settings = [
        names::PROVIDERS,
        names::BIND_LOGIN_IDENTITY,
        names::CLAIMS_FALLBACK,
        names::LEEWAY,
    ];
    settings.into_iter().any(|setting| {
        // SAFETY: a catalog look-up in a transaction; the name is a C string.
        let right = unsafe { pg_sys::pg_parameter_aclcheck(setting.as_ptr(), role, pg_sys::ACL_SET.into()) };
        right == pg_sys::AclResult::ACLCHECK_OK
    })
}

/// Whether a catalog has a row that `wanted` wants. Its rows begin with a `T`.
fn any<T>(catalog: Oid, wanted: impl Fn(&T, pg_sys::HeapTuple, pg_sys::TupleDesc) -> bool) -> bool {
    // SAFETY: a catalog, in a transaction; at a login it is one of those that belong to the whole cluster.
    let relation = unsafe { pg_sys::table_open(catalog, LOCK) };
    // SAFETY: an open relation has a descriptor.
    let columns = unsafe { (*relation).rd_att };
    // SAFETY: without an index; a null snapshot is the catalog's own, and there are no keys.
    let scan =
        unsafe { pg_sys::systable_beginscan(relation, pg_sys::InvalidOid, false, ptr::null_mut(), 0, ptr::null_mut()) };
    let mut found = false;
    while !found {
        // SAFETY: a scan that has begun.
        let tuple = unsafe { pg_sys::systable_getnext(scan) };
        if tuple.is_null() {
            break;
        }
        // SAFETY: a row of this catalog, whose columns of fixed length come first; valid until the scan goes on.
        let row = unsafe { pg_sys::heap_tuple_get_struct::<T>(tuple) };
        // SAFETY: as above.
        found = unsafe { row.as_ref() }.is_some_and(|row| wanted(row, tuple, columns));
    }
    // SAFETY: begun above.
    unsafe { pg_sys::systable_endscan(scan) };
    // SAFETY: opened above, with this lock.
    unsafe { pg_sys::table_close(relation, LOCK) };
    found
}

/// Of itself, or of another one, directly or not, whatever the options of the membership are.
fn is_member(role: Oid, of: Oid) -> bool {
    // SAFETY: look-ups in a transaction.
    unsafe { pg_sys::is_member_of_role_nosuper(role, of) }
}

/// The hooks that were there before.
static PREVIOUS: OnceLock<Previous> = OnceLock::new();

struct Previous {
    executor: pg_sys::ExecutorStart_hook_type,
    utility: pg_sys::ProcessUtility_hook_type,
    access: pg_sys::object_access_hook_type,
}

/// Has the first statement of this session end it if its role decides what others reach. A function that the client calls
/// without a statement (the protocol's FunctionCall), or the planner does, is seen by the third hook.
pub(crate) fn watch() {
    PREVIOUS.get_or_init(|| {
        // SAFETY: reads a global of this process, which has one thread.
        let executor = unsafe { pg_sys::ExecutorStart_hook };
        // SAFETY: writes it; the function lives as long as the library, which is never unloaded.
        unsafe { pg_sys::ExecutorStart_hook = Some(executor_start) };
        // SAFETY: as above.
        let utility = unsafe { pg_sys::ProcessUtility_hook };
        // SAFETY: as above.
        unsafe { pg_sys::ProcessUtility_hook = Some(process_utility) };
        // SAFETY: as above.
        let access = unsafe { pg_sys::object_access_hook };
        // SAFETY: as above.
        unsafe { pg_sys::object_access_hook = Some(object_access) };
        Previous {
            executor,
            utility,
            access,
        }
    });
}

#[pg_guard]
unsafe extern "C-unwind" fn look_once() {
    static LOOKED: AtomicBool = AtomicBool::new(false);
    // SAFETY: reads the transaction state of this process.
    if LOOKED.load(Relaxed) || !unsafe { pg_sys::IsTransactionState() } {
        return;
    }
    if decides_for_others() {
        Failure::Role.end_session();
    }
    LOOKED.store(true, Relaxed);
}

// Not through pgrx, whose guard would stand between PostgreSQL and its own errors.
unsafe extern "C-unwind" {
    fn standard_ExecutorStart(query: *mut pg_sys::QueryDesc, flags: c_int);
    fn standard_ProcessUtility(
        statement: *mut pg_sys::PlannedStmt,
        text: *const std::ffi::c_char,
        read_only_tree: bool,
        context: pg_sys::ProcessUtilityContext::Type,
        parameters: pg_sys::ParamListInfo,
        environment: *mut pg_sys::QueryEnvironment,
        destination: *mut pg_sys::DestReceiver,
        completion: *mut pg_sys::QueryCompletion,
    );
}

/// Owns nothing that must be dropped, so an error of PostgreSQL's passes through it.
unsafe extern "C-unwind" fn executor_start(query: *mut pg_sys::QueryDesc, flags: c_int) {
    // SAFETY: guarded by itself.
    unsafe { look_once() };
    let next = PREVIOUS
        .get()
        .and_then(|previous| previous.executor)
        .unwrap_or(standard_ExecutorStart);
    #[expect(ffi_unwind_calls, reason = "as C would")]
    // SAFETY: the hook that was there before or PostgreSQL's own function, with the arguments of this one.
    unsafe {
        next(query, flags)
    };
}

/// As [`executor_start`]. Objects that are made, changed and dropped are statements, which the others see.
unsafe extern "C-unwind" fn object_access(
    access: pg_sys::ObjectAccessType::Type,
    class: Oid,
    object: Oid,
    sub_object: c_int,
    argument: *mut c_void,
) {
    if access == pg_sys::ObjectAccessType::OAT_FUNCTION_EXECUTE {
        // SAFETY: guarded by itself.
        unsafe { look_once() };
    }
    if let Some(next) = PREVIOUS.get().and_then(|previous| previous.access) {
        #[expect(ffi_unwind_calls, reason = "as C would")]
        // SAFETY: the hook that was there before, with the arguments of this one.
        unsafe {
            next(access, class, object, sub_object, argument)
        };
    }
}

/// As [`executor_start`].
unsafe extern "C-unwind" fn process_utility(
    statement: *mut pg_sys::PlannedStmt,
    text: *const std::ffi::c_char,
    read_only_tree: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    parameters: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    destination: *mut pg_sys::DestReceiver,
    completion: *mut pg_sys::QueryCompletion,
) {
    // SAFETY: guarded by itself.
    unsafe { look_once() };
    let next = PREVIOUS
        .get()
        .and_then(|previous| previous.utility)
        .unwrap_or(standard_ProcessUtility);
    #[expect(ffi_unwind_calls, reason = "as C would")]
    // SAFETY: the hook that was there before or PostgreSQL's own function, with the arguments of this one.
    unsafe {
        next(
            statement,
            text,
            read_only_tree,
            context,
            parameters,
            environment,
            destination,
            completion,
        )
    };
}
