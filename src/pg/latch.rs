//! Latches: sleeping, and waking another process.

use std::time::Duration;

use pgrx::pg_sys;

/// The latch of a process in shared memory, where it outlives the process. Its address is the same in all processes.
#[derive(Clone, Copy)]
pub struct Latch(usize);

impl Latch {
    /// The latch of this process; None where other processes cannot see it.
    pub fn own() -> Option<Self> {
        // SAFETY: reads a global of this process.
        let process = unsafe { pg_sys::MyProc };
        // SAFETY: null, or this process's entry in shared memory.
        let shared = &raw const unsafe { process.as_ref() }?.procLatch;
        // SAFETY: reads a global of this process.
        let latch = unsafe { pg_sys::MyLatch };
        (latch.cast_const() == shared).then(|| Latch(latch.addr()))
    }

    /// Wakes the process. If it has ended, another process wakes without a reason.
    pub fn set(self) {
        // SAFETY: the address of a latch in shared memory, see `own`.
        unsafe { pg_sys::SetLatch(self.0 as *mut pg_sys::Latch) };
    }
}

/// Sleeps for this time, or less if the process is woken. The statement can be cancelled.
pub fn sleep(time: Duration) {
    let events = pg_sys::WL_LATCH_SET | pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH;
    let milliseconds = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    // SAFETY: reads a global of this process.
    let latch = unsafe { pg_sys::MyLatch };
    // SAFETY: this process's own latch.
    unsafe { pg_sys::WaitLatch(latch, events as i32, milliseconds, pg_sys::PG_WAIT_EXTENSION) };
    // SAFETY: this process's own latch. Other code that waits on it checks its condition before it sleeps.
    unsafe { pg_sys::ResetLatch(latch) };
    pgrx::check_for_interrupts!();
}
