//! What PostgreSQL is executing: the statement, its transaction, and the role.
//!
//! These are not pgrx's bindings: their guard against errors costs more than the calls. Each function here reads a
//! global of this process and raises nothing.

use pgrx::pg_sys;

unsafe extern "C" {
    safe fn GetCurrentStatementStartTimestamp() -> pg_sys::TimestampTz;
    safe fn GetCurrentTransactionStartTimestamp() -> pg_sys::TimestampTz;
    safe fn GetOuterUserId() -> pg_sys::Oid;
}

/// The time at which the current statement arrived; 0 in a process that runs no client's statement.
#[inline]
pub fn start() -> pg_sys::TimestampTz {
    GetCurrentStatementStartTimestamp()
}

/// The time at which the current transaction began. A statement that commits continues in another transaction.
#[inline]
pub fn transaction_start() -> pg_sys::TimestampTz {
    GetCurrentTransactionStartTimestamp()
}

/// The role that SET ROLE has set, also inside a SECURITY DEFINER function. A parallel worker has its leader's.
#[inline]
pub fn role() -> pg_sys::Oid {
    GetOuterUserId()
}
