//! Scans of PostgreSQL's catalogs, and the lookups that their conditions need.

use std::ffi::{CStr, c_int};
use std::marker::PhantomData;
use std::ptr;

use pgrx::pg_sys::{self, Oid};

use crate::pg::catalog;

/// A proof that a transaction is in progress, for the call that has asked for it.
pub struct Catalogs {
    /// It stays in this thread, which runs the transaction.
    _not_send: PhantomData<*const ()>,
}

impl Catalogs {
    /// None outside of a transaction.
    pub fn open() -> Option<Self> {
        catalog::in_transaction().then_some(Catalogs { _not_send: PhantomData })
    }

    /// The role of this name.
    pub fn role(&self, name: &CStr) -> Option<Oid> {
        // SAFETY: there is a transaction; with missing_ok the function returns 0 for a role that does not exist.
        let role = unsafe { pg_sys::get_role_oid(name.as_ptr(), true) };
        (role != pg_sys::InvalidOid).then_some(role)
    }

    /// The role that logged in.
    pub fn authenticated_role(&self) -> Oid {
        // SAFETY: reads a global of this process, which PostgreSQL sets before the session's first transaction.
        unsafe { pg_sys::GetAuthenticatedUserId() }
    }

    /// Whether a role is `of` or a direct or indirect member of it, whatever the options of the membership are.
    pub fn is_member(&self, role: Oid, of: Oid) -> bool {
        // SAFETY: there is a transaction.
        unsafe { pg_sys::is_member_of_role_nosuper(role, of) }
    }

    /// Whether a role has been granted a setting (`GRANT SET ON PARAMETER`), or is a superuser.
    pub fn may_set(&self, role: Oid, setting: &CStr) -> bool {
        // SAFETY: there is a transaction, and the name is a C string.
        let privilege = unsafe { pg_sys::pg_parameter_aclcheck(setting.as_ptr(), role, pg_sys::ACL_SET.into()) };
        privilege == pg_sys::AclResult::ACLCHECK_OK
    }

    /// Whether a schema has the temporary objects of a session.
    pub fn is_temporary(&self, schema: Oid) -> bool {
        // SAFETY: there is a transaction.
        unsafe { pg_sys::isAnyTempNamespace(schema) }
    }

    /// Whether `wanted` accepts a row of a catalog. Before a database is chosen only the catalogs of the whole cluster
    /// can be read.
    pub fn any<T: Catalog>(&self, wanted: impl Fn(&CatalogRow<'_, T>) -> bool) -> bool {
        // SAFETY: `Catalog` is implemented for catalogs only, and there is a transaction.
        let relation = unsafe { pg_sys::table_open(T::OID, LOCK) };
        // SAFETY: an open relation has a descriptor.
        let columns = unsafe { (*relation).rd_att };
        // SAFETY: the scan uses no index and no keys; a null snapshot is the catalog's own.
        let scan = unsafe {
            pg_sys::systable_beginscan(relation, pg_sys::InvalidOid, false, ptr::null_mut(), 0, ptr::null_mut())
        };
        let mut found = false;
        while !found {
            // SAFETY: the scan was begun above.
            let tuple = unsafe { pg_sys::systable_getnext(scan) };
            if tuple.is_null() {
                break;
            }
            // SAFETY: `Catalog` promises that a row begins with a `T`.
            let form = unsafe { pg_sys::heap_tuple_get_struct::<T>(tuple) };
            // SAFETY: the row is valid until the next step of the scan.
            found = unsafe { form.as_ref() }.is_some_and(|form| wanted(&CatalogRow { form, tuple, columns }));
        }
        // SAFETY: the scan was begun above.
        unsafe { pg_sys::systable_endscan(scan) };
        // SAFETY: the relation was opened above with this lock.
        unsafe { pg_sys::table_close(relation, LOCK) };
        found
    }
}

/// The lock mode of readers (`storage/lockdefs.h`).
const LOCK: c_int = pg_sys::AccessShareLock as c_int;

/// A catalog.
///
/// # Safety
/// `OID` is the catalog whose rows begin with the type that implements this.
pub unsafe trait Catalog {
    const OID: Oid;
}

macro_rules! catalogs {
    ($($form:ident $oid:ident;)*) => {$(
        // SAFETY: PostgreSQL's headers declare the type for the columns of fixed length of this catalog.
        unsafe impl Catalog for pg_sys::$form {
            const OID: Oid = pg_sys::$oid;
        }
    )*};
}

catalogs! {
    FormData_pg_attribute AttributeRelationId;
    FormData_pg_authid AuthIdRelationId;
    FormData_pg_class RelationRelationId;
    FormData_pg_database DatabaseRelationId;
    FormData_pg_namespace NamespaceRelationId;
    FormData_pg_proc ProcedureRelationId;
}

/// A row of a catalog: its columns of fixed length, and whether the others are NULL.
pub struct CatalogRow<'a, T> {
    form: &'a T,
    tuple: pg_sys::HeapTuple,
    columns: pg_sys::TupleDesc,
}

impl<T> std::ops::Deref for CatalogRow<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.form
    }
}

impl<T> CatalogRow<'_, T> {
    /// Whether a column, one of the catalog's `Anum_…`, is not NULL; false for a column that the catalog does not have.
    pub fn has(&self, column: u32) -> bool {
        // SAFETY: the descriptor is valid while the scan stays at this row.
        let count = unsafe { (*self.columns).natts };
        let Some(column) = c_int::try_from(column)
            .ok()
            .filter(|column| (1..=count).contains(column))
        else {
            return false;
        };
        let mut is_null = false;
        // SAFETY: the row and the descriptor are of one relation, and valid while the scan stays at this row.
        unsafe { pg_sys::heap_getattr(self.tuple, column, self.columns, &mut is_null) };
        !is_null
    }
}
