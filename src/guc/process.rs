//! The kind and state of this process: a session or a parallel worker, before or after its beginning.

use pgrx::prelude::*;

/// Whether this process is a parallel worker that is copying its leader's settings.
pub fn copying_from_leader() -> bool {
    // SAFETY: reads a global of this process.
    unsafe { pg_sys::InitializingParallelWorker }
}

/// Whether this process is a parallel worker: its leader does everything it does, before or after it.
pub fn in_parallel_worker() -> bool {
    // SAFETY: reads a global of this process; -1 in all other processes (`access/parallel.h`, IsParallelWorker).
    unsafe { pg_sys::ParallelWorkerNumber >= 0 }
}

/// Whether this process is a session that has finished its start, in which stored settings replace those of the server. A
/// parallel worker that is copying its leader's settings is not one: what the leader has lost is among the settings.
pub fn is_open_session() -> bool {
    // SAFETY: reads a global of this process.
    let is_backend = unsafe { pg_sys::IsUnderPostmaster };
    // SAFETY: reads a global of this process.
    let mode = unsafe { pg_sys::Mode };
    is_backend && mode == pg_sys::ProcessingMode::NormalProcessing && !copying_from_leader()
}

/// The time when this process last read the server's files.
pub fn files_read_at() -> pg_sys::TimestampTz {
    // SAFETY: reads a global of this process.
    unsafe { pg_sys::PgReloadTime }
}

/// Whether this process has read the server's files since it started.
pub fn files_read_since_start() -> bool {
    // SAFETY: reads a global of this process.
    files_read_at() > unsafe { pg_sys::MyStartTimestamp }
}

/// Whether the postmaster is loading the preloaded libraries now.
pub fn is_preloading() -> bool {
    // SAFETY: reads a global of this process.
    unsafe { pg_sys::process_shared_preload_libraries_in_progress }
}

/// Defines settings whose placeholders PostgreSQL then applies, which it does not do in a parallel operation. The whole
/// life of a parallel worker is one; it therefore leaves parallel mode for the moment. Returns false, and does nothing, in
/// a leader that has workers running, and in a subtransaction of a worker, which cannot leave it.
pub fn outside_of_parallel_mode(define: impl FnOnce()) -> bool {
    // SAFETY: reads the transaction state of this process.
    if !unsafe { pg_sys::IsInParallelMode() } {
        define();
        return true;
    }
    // SAFETY: reads the transaction state of this process.
    if !in_parallel_worker() || unsafe { pg_sys::GetCurrentTransactionNestLevel() } != 1 {
        return false;
    }
    // SAFETY: a worker's transaction has entered parallel mode itself, and stays there until it ends. A worker starts no
    // further workers.
    unsafe { pg_sys::ExitParallelMode() };
    define();
    // SAFETY: restores the mode before. An error before this ends the worker's one transaction, and the worker.
    unsafe { pg_sys::EnterParallelMode() };
    true
}
