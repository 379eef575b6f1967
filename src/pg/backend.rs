//! This process among the processes of the server.

use pgrx::pg_sys::{self, Datum, Oid};

/// The maximum number of processes that run SQL. PostgreSQL knows it when it requests shared memory.
pub fn maximum() -> usize {
    // SAFETY: reads a global that the postmaster sets once, before it requests shared memory.
    usize::try_from(unsafe { pg_sys::MaxBackends }).unwrap_or(0)
}

/// The number of this process, below [`maximum`], which no other process has at the same time. None for a process that runs
/// no SQL, and for a parallel worker, which does the work of its leader.
pub fn number() -> Option<usize> {
    // SAFETY: reads a global of this process; -1 in all but parallel workers (`access/parallel.h`, IsParallelWorker).
    if unsafe { pg_sys::ParallelWorkerNumber } >= 0 {
        return None;
    }
    #[cfg(any(feature = "pg15", feature = "pg16"))]
    // SAFETY: reads a global of this process.
    let process = unsafe { pg_sys::MyProc };
    #[cfg(any(feature = "pg15", feature = "pg16"))]
    // SAFETY: null, or this process's entry in shared memory.
    let number = unsafe { process.as_ref() }?.pgprocno;
    #[cfg(not(any(feature = "pg15", feature = "pg16")))]
    // SAFETY: reads a global of this process; -1 before it has an entry.
    let number = unsafe { pg_sys::MyProcNumber };
    usize::try_from(number).ok().filter(|number| *number < maximum())
}

/// The number of this process in the operating system.
pub fn pid() -> i32 {
    // SAFETY: reads a global of this process.
    unsafe { pg_sys::MyProcPid }
}

/// Whether no process of the operating system has this number.
pub fn is_gone(pid: u32) -> bool {
    // SAFETY: signal 0 is never sent; the call only checks whether the process exists.
    let is_there = unsafe { libc::kill(pid.cast_signed(), 0) } == 0;
    !is_there && std::io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
}

/// The database of this process.
pub fn database() -> Oid {
    // SAFETY: reads a global of this process.
    unsafe { pg_sys::MyDatabaseId }
}

/// A function that PostgreSQL calls when a process ends.
pub type AtExit = unsafe extern "C-unwind" fn(code: i32, argument: Datum);

/// Has PostgreSQL call a function when this process ends: after the rollback of its transaction, and before another process
/// can have its number.
pub fn at_exit(work: AtExit) {
    // SAFETY: the function lives as long as the library, which is never unloaded.
    unsafe { pg_sys::on_shmem_exit(Some(work), Datum::from(0)) };
}
