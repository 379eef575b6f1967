//! The roles that an OAuth login may have if the token's provider has no `roles`.
//!
//! The client chooses the role. It must therefore be an end user's, with stricter rules than for `authenticated` at the
//! installation (`sql/roles.sql`). A login can read roles, memberships and databases, which belong to the whole cluster.
//! The owners of schemas, functions and tables are visible only within the database. There the session's first statement
//! or function call checks them and ends the session if necessary.

use std::cell::RefCell;
use std::ffi::CStr;

use pgrx::pg_sys::{self, Oid};

use crate::error::Failure;
use crate::guc::names;
use crate::pg::catalog_scan::Catalogs;
use crate::pg::first_statement;

/// The values of `relkind` for relations that have rows.
const WITH_ROWS: [u8; 5] = [
    pg_sys::RELKIND_RELATION,
    pg_sys::RELKIND_PARTITIONED_TABLE,
    pg_sys::RELKIND_VIEW,
    pg_sys::RELKIND_MATVIEW,
    pg_sys::RELKIND_FOREIGN_TABLE,
];

/// Whether a role has more power than an end user, or can get it by any membership. This is true for
///
/// - SUPERUSER, BYPASSRLS, CREATEROLE, REPLICATION or CREATEDB,
/// - PostgreSQL's predefined roles, each of which gives access to something of the server or of others,
/// - the owner of a database.
///
/// A role that does not exist is left to PostgreSQL, which rejects it.
pub fn is_more_than_an_end_user(role: &CStr) -> bool {
    // PostgreSQL itself looks roles up at a login, in a transaction.
    let Some(catalogs) = Catalogs::open() else {
        return true;
    };
    let Some(role) = catalogs.role(role) else {
        return false;
    };
    catalogs.any::<pg_sys::FormData_pg_authid>(|row| {
        let has_rights = row.rolsuper || row.rolbypassrls || row.rolcreaterole || row.rolreplication || row.rolcreatedb;
        let is_predefined = row.oid.to_u32() < pg_sys::FirstNormalObjectId;
        (has_rights || is_predefined) && catalogs.is_member(role, row.oid)
    }) || catalogs.any::<pg_sys::FormData_pg_database>(|row| catalogs.is_member(role, row.datdba))
}

/// Has the first statement of this session end it if its role controls the access of other roles.
pub fn check_at_first_statement() {
    first_statement::before(|catalogs| {
        if controls_access_of_others(catalogs) {
            Failure::LoginRole.end_session();
        }
    });
}

/// Whether the role that logged in controls what other roles can access in this database, or can become a role that does.
/// Such a role may set one of this extension's settings, or owns a schema, a function, or a table that others can access.
fn controls_access_of_others(catalogs: &Catalogs) -> bool {
    let role = catalogs.authenticated_role();
    may_set_ours(catalogs, role)
        || catalogs.any::<pg_sys::FormData_pg_namespace>(|row| catalogs.is_member(role, row.nspowner))
        || catalogs.any::<pg_sys::FormData_pg_proc>(|row| {
            catalogs.is_member(role, row.proowner) && !catalogs.is_temporary(row.pronamespace)
        })
        || owns_what_others_access(catalogs, role)
}

/// Whether a role owns a table that others can access: a table with row-level security, or with granted privileges on it
/// or its columns.
fn owns_what_others_access(catalogs: &Catalogs, role: Oid) -> bool {
    let own = RefCell::new(Vec::new());
    catalogs.any::<pg_sys::FormData_pg_class>(|row| {
        let is_own = WITH_ROWS.contains(&(row.relkind as u8))
            && row.relpersistence as u8 != pg_sys::RELPERSISTENCE_TEMP
            && catalogs.is_member(role, row.relowner);
        if is_own {
            own.borrow_mut().push(row.oid);
        }
        is_own && (row.relrowsecurity || row.has(pg_sys::Anum_pg_class_relacl))
    }) || !own.borrow().is_empty()
        && catalogs.any::<pg_sys::FormData_pg_attribute>(|row| {
            own.borrow().contains(&row.attrelid) && row.has(pg_sys::Anum_pg_attribute_attacl)
        })
}

/// Whether a superuser has granted the role a setting that trust depends on (`GRANT SET ON PARAMETER`).
fn may_set_ours(catalogs: &Catalogs, role: Oid) -> bool {
    let settings = [
        names::PROVIDERS,
        names::BIND_LOGIN_IDENTITY,
        names::CLAIMS_FALLBACK,
        names::LEEWAY,
        names::IDENTITY_SCOPE,
    ];
    settings.into_iter().any(|setting| catalogs.may_set(role, setting))
}
