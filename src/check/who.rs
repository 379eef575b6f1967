//! An end user's role, as which expressions are evaluated.

use std::ffi::CString;

use pgrx::pg_sys::Oid;

use crate::pg::catalog;

/// A role of end users that a policy applies to, and what it may do with the table.
pub struct Who {
    pub role: Oid,
    pub name: Vec<u8>,
    /// The privileges, as in [`COMMANDS`](crate::check::policy::COMMANDS).
    pub privileges: String,
}

impl Who {
    /// Whether it is `anonymous`, in whose sessions no identity is expected.
    pub fn is_anonymous(&self) -> bool {
        self.name == b"anonymous"
    }

    pub fn may(&self, privilege: &str) -> bool {
        self.privileges.split(' ').any(|may| may == privilege)
    }

    /// Whether sessions of this role can belong to a login of this name. A superuser's cannot.
    pub fn may_log_in_as(&self, name: &[u8]) -> bool {
        Who::role_named(name).is_some_and(|login| catalog::is_member(login, self.role))
    }

    pub fn role_named(name: &[u8]) -> Option<Oid> {
        catalog::role(&CString::new(name).ok()?)
    }
}
