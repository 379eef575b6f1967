//! What a background worker does besides its work.

use pgrx::pg_sys;

use crate::pg::catalog;

/// Reads the server's files again, as PostgreSQL's own workers do after SIGHUP. Does nothing within a transaction.
pub fn reload_settings() {
    if !catalog::in_transaction() {
        // SAFETY: outside of a transaction.
        unsafe { pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP) };
    }
}

/// Ends this process, and with it its threads. The postmaster starts the worker again; with status 0 it would consider the
/// work done.
pub fn exit_to_be_restarted() -> ! {
    // SAFETY: does not return; PostgreSQL's callbacks release what the process holds.
    unsafe { pg_sys::proc_exit(1) };
    #[allow(unreachable_code, reason = "pgrx declares that proc_exit returns on some majors")]
    {
        unreachable!("proc_exit does not return")
    }
}
