//! What this process is: a session, or a parallel worker.

use pgrx::prelude::*;

/// This process is a parallel worker that is taking over its leader's settings.
pub fn copying_from_leader() -> bool {
    // SAFETY: reads a global of this process.
    unsafe { pg_sys::InitializingParallelWorker }
}

/// This process is a parallel worker: what it does was already done, or will be, by its leader.
pub fn in_parallel_worker() -> bool {
    // SAFETY: reads a global of this process; -1 in all other processes (`access/parallel.h`, IsParallelWorker).
    unsafe { pg_sys::ParallelWorkerNumber >= 0 }
}

/// Defines settings, whose placeholders PostgreSQL then applies, which it does in no parallel operation. So a parallel
/// worker, whose whole life is one, leaves it for the moment. False, and nothing is done, in a leader that has workers
/// running, and in a subtransaction of a worker, which cannot leave it.
pub fn outside_of_parallel_mode(define: impl FnOnce()) -> bool {
    // SAFETY: reads the transaction state of this process.
    if !unsafe { pg_sys::IsInParallelMode() } {
        define();
        return true;
    }
    // SAFETY: as above.
    if !in_parallel_worker() || unsafe { pg_sys::GetCurrentTransactionNestLevel() } != 1 {
        return false;
    }
    // SAFETY: a worker's transaction has entered parallel mode itself, and stays there until it ends; a worker starts no
    // workers of its own.
    unsafe { pg_sys::ExitParallelMode() };
    define();
    // SAFETY: as it was. An error before this ends the worker's one transaction, and the worker.
    unsafe { pg_sys::EnterParallelMode() };
    true
}
