//! What PostgreSQL is executing: the statement, its transaction, and the role.
//!
//! The functions of PostgreSQL are not pgrx's bindings: their guard against errors costs more than the calls. Each function
//! here reads a global of this process and raises nothing.

use pgrx::pg_sys;

unsafe extern "C" {
    safe fn GetCurrentStatementStartTimestamp() -> pg_sys::TimestampTz;
    safe fn GetCurrentTransactionStartTimestamp() -> pg_sys::TimestampTz;
    safe fn GetOuterUserId() -> pg_sys::Oid;
    safe fn GetSessionUserId() -> pg_sys::Oid;
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

/// The number that this process gave the current transaction. All transactions of one simple-query message have the same
/// start, but each has another number.
#[inline]
pub fn transaction() -> u32 {
    // SAFETY: reads a global of this process.
    let process = unsafe { pg_sys::MyProc };
    // SAFETY: null, or this process's entry in shared memory. Only this process writes that member (proc.h).
    let Some(process) = (unsafe { process.as_ref() }) else {
        return 0;
    };
    #[cfg(any(feature = "pg15", feature = "pg16"))]
    return process.lxid;
    #[cfg(not(any(feature = "pg15", feature = "pg16")))]
    process.vxid.lxid
}

/// The role that SET ROLE has set, also inside a SECURITY DEFINER function. A parallel worker has its leader's.
#[inline]
pub fn role() -> pg_sys::Oid {
    GetOuterUserId()
}

/// The role that logged in, or that SET SESSION AUTHORIZATION has set.
#[inline]
pub fn session_user() -> pg_sys::Oid {
    GetSessionUserId()
}
